import { jobOf, leave, messageAt, spins, word, work } from "./protocol.ts";

/** What a thread is given when it starts; all of it can be posted to a worker. */
export interface ThreadData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly block: SharedArrayBuffer;
  readonly thread: number;
  readonly kernels: readonly string[];
}

/**
 * The life of a kernel thread: takes parts of jobs until it is told to leave. It blocks its thread, so it belongs into a worker.
 * @param ready called once the thread can take work
 */
export function runThread({ module, memory, block, thread, kernels }: ThreadData, ready: () => void): void {
  const control = new Int32Array(block);
  const args = new Float64Array(block);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const functions = kernels.map((name) => exports[name] as (...args: number[]) => void); // names come from the same module
  const fail = (kernel: number, error: unknown): void => {
    const message = new TextEncoder().encode(`${kernels[kernel] ?? "?"}: ${String(error)}`).subarray(0, 1000);
    new Uint8Array(block, messageAt).set(message);
    Atomics.store(control, word.failed, message.length);
  };
  ready();
  for (;;) {
    let claim = Atomics.load(control, word.claim);
    for (let i = 0; i < spins && claim !== leave && jobOf(claim).next >= jobOf(claim).parts; i++) {
      claim = Atomics.load(control, word.claim);
    }
    if (claim === leave) return;
    if (jobOf(claim).next >= jobOf(claim).parts) {
      Atomics.wait(control, word.claim, claim);
      continue;
    }
    work(control, args, thread, functions, fail);
  }
}
