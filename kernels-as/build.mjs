// Compiles the kernels for their three targets, each only when sources, settings or compiler are newer than what is there.
// Usage: node kernels-as/build.mjs
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** Kernels with so many parameters are called with named arguments. */
const namedFrom = 10;

/**
 * Writes the names of the parameters of every kernel that has many, in their order and without the range `begin, end` at the end.
 * @param declarations what the AssemblyScript compiler wrote
 */
function writeArguments(declarations) {
  const kernels = [...declarations.matchAll(/export function (\w+)\(([^)]*)\)/g)]
    .map(([, name, parameters]) => [name, parameters.split(", ").map((parameter) => parameter.split(":")[0])])
    .filter(([, names]) => names.length >= namedFrom)
    .map(([name, names]) => [name, names.slice(-2).join() === "begin,end" ? names.slice(0, -2) : names]);
  const scripts = kernels.map(([name, names]) => `  ${name}: ${JSON.stringify(names.join(" "))},\n`);
  const types = kernels.map(([name, names]) => `  readonly ${name}: ${names.map((each) => JSON.stringify(each)).join(" | ")};\n`);
  writeFileSync(`${root}build/kernels-as/kernel-arguments.js`, `export const kernelArguments = {\n${scripts.join("")}};\n`);
  const comment = "/** Names of the arguments of a kernel, in their order, with spaces between. */";
  writeFileSync(
    `${root}build/kernels-as/kernel-arguments.d.ts`,
    `export interface KernelArgumentNames {\n${types.join("")}}\n${comment}\nexport declare const kernelArguments: { readonly [K in keyof KernelArgumentNames]: string };\n`,
  );
}

const root = fileURLToPath(new URL("../", import.meta.url));
const require = createRequire(import.meta.url);
const stamp = `${root}build/kernels-as/.sources`;
const outputs = ["kernels.wasm", "kernels-shared.wasm", "kernels-debug.wasm", "kernels.d.ts", "kernel-arguments.js", "kernel-arguments.d.ts"];

const sum = createHash("sha256");
sum.update(require("assemblyscript/package.json").version).update(readFileSync(`${root}asconfig.json`));
for (const file of readdirSync(`${root}kernels-as`, { recursive: true, encoding: "utf8" }).sort()) {
  if (file.endsWith(".ts")) sum.update(file.replaceAll("\\", "/")).update(readFileSync(`${root}kernels-as/${file}`));
}
// This file makes kernel-arguments.js.
sum.update(readFileSync(fileURLToPath(import.meta.url)));
const wanted = sum.digest("hex");
const isThere = outputs.every((file) => existsSync(`${root}build/kernels-as/${file}`));
if (!isThere || !existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  mkdirSync(`${root}build/kernels-as`, { recursive: true });
  for (const target of ["release", "shared", "debug"]) {
    const asc = require.resolve("assemblyscript/bin/asc.js");
    const { status } = spawnSync(process.execPath, [asc, "kernels-as/index.ts", "--target", target], { cwd: root, stdio: "inherit" });
    if (status !== 0) process.exit(status ?? 1);
  }
  writeArguments(readFileSync(`${root}build/kernels-as/kernels.d.ts`, "utf8"));
  writeFileSync(stamp, wanted);
}
