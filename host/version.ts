/** Version of this package. A constant, so that bundles need no package.json; test/package.test.ts holds the two together. */
export const version: string = "0.1.0";
