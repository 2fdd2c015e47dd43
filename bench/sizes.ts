import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Result } from "./result.ts";

const build = fileURLToPath(new URL("../", import.meta.url));

function scripts(room: string): string[] {
  return readdirSync(join(build, room), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".js"))
    .map((file) => join(build, room, file));
}

/** What travels to a browser: the kernel module and the engine's JavaScript, as they are and compressed. */
export function benchSizes(): Result[] {
  const common = { group: "size", by: "srmap", threads: 1 };
  const sizes = (name: string, files: readonly string[]): Result[] => {
    const all = Buffer.concat(files.map((file) => readFileSync(file)));
    return [
      { ...common, name, value: all.length / 1000, unit: "kB" },
      { ...common, name: `${name}, gzip`, value: gzipSync(all, { level: 9 }).length / 1000, unit: "kB" },
    ];
  };
  const engine = scripts("engine").filter((file) => !file.includes("labels"));
  return [...sizes("kernels.wasm", [join(build, "kernels-as/kernels.wasm")]), ...sizes("engine JavaScript", engine)];
}
