import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.ts";

/** Where `.ci/run` installs other runtimes and bundlers, or the folder that RUNTIMES names. */
export const runtimesFolder: string = join(process.env["RUNTIMES"] ?? join(root, ".runtimes"), "node_modules");

/** Another JavaScript runtime or a bundler: the variable of its name in capitals, or where `.ci/run` installs it. */
export function runtimePath(
  name: "bun" | "deno" | "workerd" | "vite" | "webpack" | "rollup" | "parcel" | "next",
): string | undefined {
  const places = [process.env[name.toUpperCase()] ?? "", join(runtimesFolder, ".bin", name)];
  return places.find((place) => place !== "" && existsSync(place));
}
