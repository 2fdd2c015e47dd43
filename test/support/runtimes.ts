import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.ts";

/** Another JavaScript runtime: the variable of its name in capitals, or where `.ci/run` installs it. */
export function runtimePath(name: "bun" | "deno" | "workerd"): string | undefined {
  const places = [process.env[name.toUpperCase()] ?? "", join(root, ".runtimes/node_modules/.bin", name)];
  return places.find((place) => place !== "" && existsSync(place));
}
