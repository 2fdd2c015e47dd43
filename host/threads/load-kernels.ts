import { readFile } from "node:fs/promises";
import { refuseUnknownOptions } from "../../engine/basics/errors.ts";
import { instantiateKernels, type Kernels } from "../../engine/memory/kernels.ts";
import { packagePath } from "../files/package-folder.ts";
import { startThreadPool } from "./pool.ts";

/** Kernels with threads to send home in the end. */
export interface ThreadedKernels extends Kernels {
  /** Ends the threads; the kernels cannot be used afterwards. Without threads it does nothing. */
  close(): Promise<void>;
}

/** How kernels are loaded. */
export interface KernelOptions {
  /** Threads that share the work, this one included; the result's bytes do not depend on it. Default 1. */
  readonly threads?: number;
  /**
   * Compiled `kernels.wasm`, or `kernels-shared.wasm` for more than one thread; by default that of this package. For bundles, in which the
   * files of the package are not there.
   */
  readonly module?: WebAssembly.Module;
}

/**
 * Compiles and starts this package's kernel module, or the given one, with a memory of its own.
 * @throws RangeError unless `threads` is an integer from 1 to 64
 */
export async function loadKernels(options: KernelOptions = {}): Promise<ThreadedKernels> {
  refuseUnknownOptions("loadKernels", options, ["threads", "module"]);
  const { threads = 1, module: given } = options;
  if (!Number.isSafeInteger(threads) || threads < 1 || threads > 64) {
    throw new RangeError(`threads must be an integer from 1 to 64, got ${threads}. Use at most one per core.`);
  }
  const file = threads === 1 ? "kernels.wasm" : "kernels-shared.wasm";
  const module = given ?? new WebAssembly.Module(await readFile(packagePath("build/kernels-as", file)));
  if (threads === 1) return { ...instantiateKernels(module), close: async () => {} };
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  const pool = await startThreadPool(threads, module, memory);
  return { ...instantiateKernels(module, { memory, threads: pool }), close: () => pool.close() };
}
