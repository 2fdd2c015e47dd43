import { fileURLToPath } from "node:url";

/** Root of the checkout (tests run from build/test). */
export const root: string = fileURLToPath(new URL("../../../", import.meta.url));
/** Weights and photos that are never committed; tests that need them are skipped where they are absent. */
export const sharedData: string = fileURLToPath(new URL("../../../../shared/data/", import.meta.url));
/** Reference outputs made outside the project. */
export const sharedReference: string = fileURLToPath(new URL("../../../../shared/reference/", import.meta.url));
