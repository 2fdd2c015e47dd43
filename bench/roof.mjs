// Assembles the benchmark's roof.wat when it is newer than what is there. Usage: node bench/roof.mjs
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("roof.wat", import.meta.url));
const target = fileURLToPath(new URL("../build/bench/roof.wasm", import.meta.url));
if (!existsSync(target) || statSync(target).mtimeMs < statSync(source).mtimeMs) {
  mkdirSync(dirname(target), { recursive: true });
  // binaryen exports no path of its command, but lies beside it.
  const assembler = join(dirname(createRequire(import.meta.url).resolve("binaryen/package.json")), "bin/wasm-as");
  const { status } = spawnSync(process.execPath, [assembler, source, "--enable-simd", "-o", target], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
