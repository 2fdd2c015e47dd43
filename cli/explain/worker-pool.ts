import type { ChildProcess } from "node:child_process";
import { ask, endOf, startProcess } from "../processes/child.ts";
import { CommandError, UsageError } from "../terminal/errors.ts";
import type { PhotoTask } from "./photo.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-protocol.ts";

/** Processes that explain photos side by side. */
export interface WorkerPool {
  readonly count: number;
  /**
   * Loads the network in one process, so that what is wrong with it is known before anything is written.
   * @returns what loading decided without being asked
   * @throws UsageError, CommandError
   */
  load(): Promise<readonly string[]>;
  /**
   * Explains a photo in a process that is idle; at most `count` at a time.
   * @param onBegin called when the network is loaded and the photo's turn has come, and waited for
   * @returns undefined when the pool was stopped meanwhile
   */
  run(task: PhotoTask, onBegin?: () => Promise<void>): Promise<FromWorker | undefined>;
  /** Ends processes as they become idle. */
  retire(): Promise<void>;
  /** Ends the processes when they have written what they are writing. Photos in work are given up. */
  stop(): Promise<void>;
}

const script = new URL("./worker.js", import.meta.url);

/** Has a photo explained; `onBegin` is called and waited for when the network is loaded. */
async function explainIn(
  child: ChildProcess,
  task: PhotoTask,
  onBegin: (() => Promise<void>) | undefined,
): Promise<FromWorker | undefined> {
  if (onBegin !== undefined) {
    const loading = await ask<ToWorker, FromWorker>(child, { load: true });
    if (loading === undefined || loading.error !== undefined) return loading;
    await onBegin();
  }
  return ask<ToWorker, FromWorker>(child, { task });
}

/** Ends a process and waits until it has. */
function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}

/**
 * Starts processes as they are needed, at most `count`.
 * @param attempts a photo that ends its process this often is given up
 */
export function startWorkers(count: number, start: WorkerStart, attempts = 3): WorkerPool {
  const idle: ChildProcess[] = [];
  const all = new Set<ChildProcess>();
  let isStopped = false;
  let isRetired = false;
  const begin = (): ChildProcess => {
    const child = startProcess(script, { start } satisfies ToWorker, count > 1);
    all.add(child);
    child.on("exit", () => all.delete(child));
    return child;
  };
  const pool: WorkerPool = {
    count,
    async load() {
      const child = begin();
      const answer = await ask<ToWorker, FromWorker>(child, { load: true });
      if (answer === undefined) throw new CommandError(`the process that loads the network ${endOf(child)}.`);
      if (answer.error !== undefined) throw new (answer.isUsage ? UsageError : CommandError)(answer.error);
      idle.push(child);
      return "notes" in answer ? answer.notes : [];
    },
    async run(task, onBegin) {
      let end = "";
      for (let attempt = 0; attempt < attempts && !isStopped; attempt++) {
        const child = idle.pop() ?? begin();
        const answer = await explainIn(child, task, onBegin);
        if (answer !== undefined) {
          if (isRetired) child.kill("SIGTERM");
          else idle.push(child);
          return answer;
        }
        // Ctrl-C ends a process that is just writing a moment before this one hears of it.
        await new Promise((resolve) => setTimeout(resolve, 50));
        end = endOf(child);
      }
      if (isStopped) return undefined;
      const often = attempts === 1 ? "" : `, ${attempts} times in a row`;
      const error = `its process ${end}${often}. Nothing of it was written.`;
      return { error, isUsage: false, isPassing: true, isFatal: false };
    },
    async retire() {
      isRetired = true;
      for (const child of idle.splice(0)) child.kill("SIGTERM");
    },
    async stop() {
      isStopped = true;
      await Promise.all([...all].map(ended));
    },
  };
  return pool;
}
