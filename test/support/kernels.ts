import { readFileSync } from "node:fs";
import { instantiateKernels, type Kernels } from "../../engine/memory/kernels.ts";

/** The release kernel module of this build, compiled. */
export function kernelModule(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL("../../kernels-as/kernels.wasm", import.meta.url)));
}

/** A fresh kernel instance with its own memory. */
export function testKernels(): Kernels {
  return instantiateKernels(kernelModule());
}
