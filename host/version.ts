import { readFileSync } from "node:fs";

interface PackageFile {
  readonly version: string;
}

/** Version of this package, as package.json says. */
export const version: string = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as PackageFile
).version;
