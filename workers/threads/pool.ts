import type { KernelArgument, Threads } from "../../engine/memory/kernels.ts";
import { argumentsAt, blockBytes, leave, messageAt, openJob, spins, word, work } from "./protocol.ts";
import type { ThreadData } from "./thread-loop.ts";

/** How long the calling thread waits for a part that another thread has taken before it gives that thread up, in ms. */
const defaultStallMs = 60_000;

/** A thread that was started. */
export interface Thread {
  /** Resolves once it has ended; whoever waits for that may keep the process alive for it. */
  gone(): Promise<void>;
  terminate(): Promise<void>;
}

/**
 * Starts one kernel thread, as the host starts threads: in a worker that calls `runThread` with the data. Resolves when it is ready.
 * @param died to be called with "ended" or "died: why" when it ends
 */
export type StartThread = (data: ThreadData, died: (how: string) => void) => Promise<Thread>;

/** Threads that share a kernel memory with the thread that made them. It works itself, so `count` includes it. */
export class ThreadPool implements Threads {
  readonly count: number;
  readonly #threads = new Map<number, Thread>();
  readonly #kernels: readonly string[];
  readonly #control: Int32Array;
  readonly #args: Float64Array;
  readonly #block: SharedArrayBuffer;
  readonly #stallMs: number;
  #job = 0;
  #broken: string | undefined;
  #isClosed = false;

  private constructor(count: number, kernels: readonly string[], stallMs: number) {
    this.count = count;
    this.#kernels = kernels;
    this.#stallMs = stallMs;
    this.#block = new SharedArrayBuffer(blockBytes);
    this.#control = new Int32Array(this.#block);
    this.#args = new Float64Array(this.#block);
  }

  /**
   * Starts the threads and waits until all are there.
   * @throws Error when a thread cannot be started
   */
  static async start(
    count: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    startThread: StartThread,
    stallMs: number = defaultStallMs,
  ): Promise<ThreadPool> {
    const kernels = WebAssembly.Module.exports(module).map(({ name }) => name);
    const pool = new ThreadPool(count, kernels, stallMs);
    const start = async (thread: number): Promise<void> => {
      const data: ThreadData = { module, memory, block: pool.#block, thread, kernels };
      const died = (how: string): void => {
        if (!pool.#isClosed) pool.#broken ??= `thread ${thread} ${how}`;
      };
      try {
        pool.#threads.set(thread, await startThread(data, died));
      } catch (error) {
        pool.#broken ??= `thread ${thread} could not be started: ${error instanceof Error ? error.message : String(error)}`;
        throw new Error(`threads: ${pool.#broken}`);
      }
    };
    const started = await Promise.allSettled(Array.from({ length: count - 1 }, (_, i) => start(i + 1)));
    const failed = started.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) {
      await pool.close(); // those that did start
      throw failed.reason;
    }
    return pool;
  }

  run(kernel: string, call: (...args: number[]) => void, length: number, args: readonly KernelArgument[]): void {
    if (this.#isClosed) throw new Error("threads: the pool is closed. Load the kernels again.");
    this.#requireWhole(kernel);
    const parts = Math.min(this.count, length);
    const index = this.#kernels.indexOf(kernel);
    const words = this.#args;
    words[argumentsAt] = index;
    words[argumentsAt + 1] = length;
    words[argumentsAt + 2] = args.length;
    args.forEach((arg, i) => {
      words[argumentsAt + 3 + 2 * i] = typeof arg === "number" ? arg : arg.address;
      words[argumentsAt + 4 + 2 * i] = typeof arg === "number" ? 0 : arg.strideBytes;
    });
    const control = this.#control;
    Atomics.store(control, word.done, 0);
    Atomics.store(control, word.claim, openJob(++this.#job, parts));
    Atomics.notify(control, word.claim);
    let own: unknown;
    const functions: ((...args: number[]) => void)[] = [];
    functions[index] = call;
    work(control, words, 0, functions, (_, error) => {
      own = error;
    });
    this.#join(kernel, parts);
    if (own !== undefined) {
      this.#broken = `kernel ${kernel} failed: ${String(own)}`;
      throw own;
    }
    this.#requireWhole(kernel);
  }

  /** Waits, first awake, then asleep, until all parts are done. */
  #join(kernel: string, parts: number): void {
    const control = this.#control;
    for (let i = 0; i < spins; i++) if (Atomics.load(control, word.done) === parts) return;
    for (let done = Atomics.load(control, word.done); done < parts; done = Atomics.load(control, word.done)) {
      if (Atomics.wait(control, word.done, done, this.#stallMs) === "timed-out") {
        this.#broken = `kernel ${kernel}: a thread took a part and did not finish it within ${this.#stallMs} ms`;
        break;
      }
    }
  }

  #requireWhole(kernel: string): void {
    const failed = Atomics.load(this.#control, word.failed);
    if (failed > 0) {
      const message = new TextDecoder().decode(new Uint8Array(this.#block, messageAt, failed).slice());
      this.#broken ??= `a thread failed in ${message}`;
    }
    if (this.#broken !== undefined) {
      throw new Error(`threads: ${this.#broken} (before or in ${kernel}). Load the kernels again, or use one thread.`);
    }
  }

  /** Sends the threads home and waits until they are gone. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const gone = [...this.#threads.values()].map((thread) => thread.gone());
    Atomics.store(this.#control, word.claim, leave);
    Atomics.notify(this.#control, word.claim);
    await Promise.all(gone);
  }

  /** Ends one thread at once, for tests of what happens then. */
  async kill(thread: number): Promise<void> {
    await this.#threads.get(thread)?.terminate();
  }
}
