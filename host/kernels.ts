import { readFile } from "node:fs/promises";
import { instantiateKernels, type Kernels } from "../engine/kernels.ts";

/** Compiles and starts this package's kernel module, with a memory of its own. */
export async function loadKernels(): Promise<Kernels> {
  const bytes = await readFile(new URL("../kernels-as/kernels.wasm", import.meta.url));
  return instantiateKernels(new WebAssembly.Module(bytes));
}
