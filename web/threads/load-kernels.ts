import { refuseUnknownOptions } from "../../engine/basics/errors.ts";
import { instantiateKernels, type Kernels } from "../../engine/memory/kernels.ts";
import { checkRuntime } from "../../engine/memory/runtime.ts";
import { type StartThread, ThreadPool } from "../../workers/threads/pool.ts";
import { kernelsUrl, sharedKernelsUrl, startThreadWorker } from "../assets.ts";

/** How kernels are loaded in a page or worker. */
export interface WebKernelOptions {
  /**
   * Threads that share the work, this one included; the bytes do not depend on it. More than 1 need a cross-origin isolated page and
   * block the calling thread, so call from a worker; where memory cannot be shared, 1 is used. Default 1.
   */
  readonly threads?: number;
  /** Compiled module or address of the kernels, where the bundler does not place `kernels.wasm` beside this module. */
  readonly kernels?: WebAssembly.Module | URL | string;
  /** The same of `kernels-shared.wasm`, for more than one thread. */
  readonly kernelsShared?: WebAssembly.Module | URL | string;
}

/** Kernels with threads to send home in the end. */
export interface WebKernels extends Kernels {
  /** Ends the threads; the kernels cannot be used afterwards. */
  close(): Promise<void>;
}

/** True where threads can share memory: the page is cross-origin isolated. */
export function canShareMemory(): boolean {
  return typeof SharedArrayBuffer === "function" && globalThis.crossOriginIsolated === true;
}

const startThread: StartThread = (data, died) =>
  new Promise((resolve, reject) => {
    const worker = startThreadWorker();
    worker.addEventListener("error", (event) => {
      const why = event.message || "its script could not be loaded";
      died(`died: ${why}`);
      reject(new Error(why));
    });
    worker.addEventListener("message", () =>
      resolve({
        gone: async () => {}, // it closes itself once it is told to leave
        terminate: async () => worker.terminate(),
      }),
    );
    worker.postMessage(data);
  });

async function compiled(given: WebAssembly.Module | URL | string, file: string): Promise<WebAssembly.Module> {
  if (given instanceof WebAssembly.Module) return given;
  const response = await fetch(given);
  if (!response.ok) {
    throw new Error(
      `${file}: the server answered ${response.status} for ${String(given)}. Serve the file from there, or give its address in the option "${file === "kernels.wasm" ? "kernels" : "kernelsShared"}".`,
    );
  }
  try {
    return await WebAssembly.compile(await response.arrayBuffer()); // not by streaming, which needs the MIME type application/wasm
  } catch (error) {
    throw new Error(
      `${file}: ${String(given)} did not compile: ${String(error)}. The page's Content-Security-Policy must allow 'wasm-unsafe-eval', and the address must hold the file itself.`,
    );
  }
}

/**
 * Loads and starts the kernel module, with a memory of its own.
 * @throws RangeError unless `threads` is an integer from 1 to 64, UnsupportedError where WebAssembly or SIMD is missing, Error that names
 *   the file when it cannot be had
 */
export function loadKernels(options: WebKernelOptions = {}): Promise<WebKernels> {
  return loadToldKernels(options, () => {});
}

/** As `loadKernels`. @param told how many of the threads are there, before and after they are started */
export async function loadToldKernels(
  options: WebKernelOptions,
  told: (done: number, threads: number) => void,
): Promise<WebKernels> {
  refuseUnknownOptions("loadKernels", options, ["threads", "kernels", "kernelsShared"]);
  const { threads = 1, kernels, kernelsShared } = options;
  if (!Number.isSafeInteger(threads) || threads < 1 || threads > 64) {
    throw new RangeError(`threads must be an integer from 1 to 64, got ${threads}. Use at most one per core.`);
  }
  checkRuntime();
  if (threads === 1 || !canShareMemory()) {
    const module = await compiled(kernels ?? kernelsUrl(), "kernels.wasm");
    return { ...instantiateKernels(module), close: async () => {} };
  }
  const shared = kernelsShared ?? sharedKernelsUrl();
  const module = await compiled(shared, "kernels-shared.wasm");
  const memory = sharedMemory();
  told(0, threads);
  const pool = await ThreadPool.start(threads, module, memory, startThread);
  told(threads, threads);
  return { ...instantiateKernels(module, { memory, threads: pool }), close: () => pool.close() };
}

// What is reserved is address space; some systems refuse 4 GiB of it (32-bit, iOS), fewer 1 GiB or 256 MiB.
const maximumPages = [65536, 32768, 16384, 8192, 4096];

/** As much shared memory as the system lets be reserved. @throws RangeError when it refuses the least, too */
function sharedMemory(): WebAssembly.Memory {
  for (const maximum of maximumPages) {
    try {
      return new WebAssembly.Memory({ initial: 1, maximum, shared: true });
    } catch (error) {
      if (maximum === maximumPages.at(-1)) {
        throw new RangeError(`srmap: the system refuses 256 MiB of shared memory (${String(error)}). Use one thread.`);
      }
    }
  }
  throw new RangeError("srmap: no memory could be reserved.");
}
