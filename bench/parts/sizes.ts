import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Result } from "../measure/result.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

function scripts(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".js"))
    .map((file) => join(folder, file));
}

/** A module of the browser build with every module that it imports. */
function withImports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name] of readFileSync(join(root, file), "utf8").matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g))
    withImports(`build/browser/${name}`, seen);
  return seen;
}

/** What travels to a browser and what npm brings: modules as they are and compressed, file by file, as a server sends them. */
export function benchSizes(): Result[] {
  const common = { group: "size", by: "srmap", threads: 1 };
  const sizes = (name: string, files: Iterable<string>): Result[] => {
    const contents = [...files].map((file) => readFileSync(join(root, file)));
    const zipped = contents.map((content) => gzipSync(content, { level: 9 }).length);
    const sum = (lengths: readonly number[]): number => lengths.reduce((total, length) => total + length, 0) / 1000;
    return [
      { ...common, name, value: sum(contents.map(({ length }) => length)), unit: "kB" },
      { ...common, name: `${name}, gzip`, value: sum(zipped), unit: "kB" },
    ];
  };
  const engine = scripts("build/engine").filter((file) => !file.includes("labels"));
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const packed = JSON.parse(
    execFileSync(npm, ["pack", "--dry-run", "--ignore-scripts", "--json"], { cwd: root, encoding: "utf8" }),
  ) as readonly { size: number; unpackedSize: number; entryCount: number }[]; // npm's own format
  const [pack] = packed;
  return [
    ...sizes("kernels.wasm", ["build/kernels-as/kernels.wasm"]),
    ...sizes("engine for browsers", withImports("build/browser/engine.js")),
    ...sizes("engine and weight formats for browsers", [
      ...withImports("build/browser/weights.js", withImports("build/browser/engine.js")),
    ]),
    ...sizes("ImageNet labels for browsers", ["build/browser/labels-imagenet.js"]),
    ...sizes("engine modules, with comments", engine),
    { ...common, name: "npm package", value: (pack?.size ?? Number.NaN) / 1000, unit: "kB" },
    { ...common, name: "npm package, unpacked", value: (pack?.unpackedSize ?? Number.NaN) / 1000, unit: "kB" },
    { ...common, name: "npm package, files", value: pack?.entryCount ?? Number.NaN, unit: "" },
  ];
}
