import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A file of this package beside its code, as a path. Found when it is asked for, and not by `new URL(..., import.meta.url)`, which bundlers
 * take for a file to be copied: inside a bundle there is no package, and what needs its files says so by not finding them.
 */
export function packagePath(...parts: readonly string[]): string {
  return join(dirname(fileURLToPath(import.meta.url)), "../../..", ...parts);
}
