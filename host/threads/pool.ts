import { Worker } from "node:worker_threads";
import { type StartThread, ThreadPool } from "../../workers/threads/pool.ts";

/** Starts a kernel thread as a Node worker, which alone does not keep the process alive. */
const startThread: StartThread = (data, died) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: data });
    const gone = new Promise<void>((ended) => worker.once("exit", () => ended()));
    worker.once("message", () => {
      worker.unref();
      resolve({
        gone: () => {
          worker.ref();
          return gone;
        },
        terminate: async () => {
          await worker.terminate();
        },
      });
    });
    worker.on("error", (error) => {
      died(`died: ${error.message}`);
      reject(error);
    });
    worker.on("exit", () => died("ended"));
  });

/** Node worker threads that share a kernel memory with the thread that made them. @throws Error when one cannot be started */
export function startThreadPool(
  count: number,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  stallMs?: number,
): Promise<ThreadPool> {
  return ThreadPool.start(count, module, memory, startThread, stallMs);
}
