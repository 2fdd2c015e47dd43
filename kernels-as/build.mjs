// Compiles the kernels for their three targets, each only when sources, settings or compiler are newer than what is there.
// Usage: node kernels-as/build.mjs
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { kernelCalls } from "./kernel-calls.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const require = createRequire(import.meta.url);
const stamp = `${root}build/kernels-as/.sources`;
const outputs = ["kernels.wasm", "kernels-shared.wasm", "kernels-debug.wasm", "kernels.d.ts", "kernel-calls.js", "kernel-calls.d.ts"];

const sum = createHash("sha256");
sum.update(require("assemblyscript/package.json").version).update(readFileSync(`${root}asconfig.json`));
for (const file of readdirSync(`${root}kernels-as`, { recursive: true, encoding: "utf8" }).sort()) {
  if (file.endsWith(".ts")) sum.update(file.replaceAll("\\", "/")).update(readFileSync(`${root}kernels-as/${file}`));
}
for (const script of ["build.mjs", "kernel-calls.mjs"]) sum.update(readFileSync(`${root}kernels-as/${script}`));
const wanted = sum.digest("hex");
const isThere = outputs.every((file) => existsSync(`${root}build/kernels-as/${file}`));
if (!isThere || !existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  mkdirSync(`${root}build/kernels-as`, { recursive: true });
  for (const target of ["release", "shared", "debug"]) {
    const asc = require.resolve("assemblyscript/bin/asc.js");
    const { status } = spawnSync(process.execPath, [asc, "kernels-as/index.ts", "--target", target], { cwd: root, stdio: "inherit" });
    if (status !== 0) process.exit(status ?? 1);
  }
  const { script, declared } = kernelCalls(readFileSync(`${root}build/kernels-as/kernels.d.ts`, "utf8"));
  writeFileSync(`${root}build/kernels-as/kernel-calls.js`, script);
  writeFileSync(`${root}build/kernels-as/kernel-calls.d.ts`, declared);
  writeFileSync(stamp, wanted);
}
