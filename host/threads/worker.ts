// A thread of the pool: takes parts of jobs until it is told to leave. Started by thread-pool.ts.
import { parentPort, workerData } from "node:worker_threads";
import { jobOf, leave, messageAt, spins, word, work } from "./protocol.ts";

/** What a thread is given. */
export interface ThreadData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly block: SharedArrayBuffer;
  readonly thread: number;
  readonly kernels: readonly string[];
}

const { module, memory, block, thread, kernels } = workerData as ThreadData; // written by thread-pool.ts
const control = new Int32Array(block);
const args = new Float64Array(block);
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const functions = kernels.map((name) => exports[name] as (...args: number[]) => void); // names come from the same module

function fail(kernel: number, error: unknown): void {
  const message = new TextEncoder().encode(`${kernels[kernel] ?? "?"}: ${String(error)}`).subarray(0, 1000);
  new Uint8Array(block, messageAt).set(message);
  Atomics.store(control, word.failed, message.length);
}

parentPort?.postMessage("ready");
for (;;) {
  let claim = Atomics.load(control, word.claim);
  for (let i = 0; i < spins && claim !== leave && jobOf(claim).next >= jobOf(claim).parts; i++) {
    claim = Atomics.load(control, word.claim);
  }
  if (claim === leave) break;
  if (jobOf(claim).next >= jobOf(claim).parts) {
    Atomics.wait(control, word.claim, claim);
    continue;
  }
  work(control, args, thread, functions, fail);
}
