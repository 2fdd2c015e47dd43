import type { Job, Worker } from "bullmq";
import { startWorkers, type WorkerPool } from "../explain/worker-pool.ts";
import type { WorkerStart } from "../explain/worker-protocol.ts";
import {
  connectionTo,
  loadLibrary,
  lostWorkers,
  mostSilences,
  type QueuedPhoto,
  type QueuePlace,
  tries,
} from "./photo-queue.ts";

/** How a worker works. */
export interface WorkOptions {
  /** Processes, and photos at a time. */
  readonly jobs: number;
  /** Seconds of silence after which photos of a worker go to others. */
  readonly leaseSeconds: number;
}

/** What a worker tells of its work. */
export interface WorkEvents {
  done(photo: string, isKept: boolean): void;
  /** @param isLast it is parked and not tried again */
  failed(photo: string, reason: string, isLast: boolean): void;
  /** Trouble with the server, which is waited for. */
  trouble(message: string): void;
}

/** A worker that takes photos from the queue until it is closed. */
export interface QueueWorker {
  /** Resolves when there is nothing left to do, or that others do. */
  emptied(): Promise<void>;
  /** Takes no more and ends when what it has is done. */
  close(): Promise<void>;
}

/** One pool for the photos of one command, since a process has one network; the last used are kept. */
function poolsOf(jobs: number): { get(start: WorkerStart): WorkerPool; stop(): Promise<void> } {
  const pools = new Map<string, WorkerPool>();
  return {
    get(start) {
      const key = JSON.stringify(start);
      let pool = pools.get(key);
      if (pool === undefined) {
        // Another command's photos: its network takes the place of the one before.
        for (const [other, old] of pools) {
          pools.delete(other);
          void old.retire();
        }
        pool = startWorkers(jobs, start, 1);
        pools.set(key, pool);
      }
      return pool;
    },
    async stop() {
      await Promise.all([...pools.values()].map((pool) => pool.stop()));
    },
  };
}

/** How often a worker began with a photo and never told how it ended. */
function timesBegun({ progress }: Job<QueuedPhoto>): number {
  return typeof progress === "object" && "begun" in progress && typeof progress.begun === "number" ? progress.begun : 0;
}

/** Begins to work. @throws CommandError when the queue's packages are not there */
export async function startQueueWorker(
  place: QueuePlace,
  { jobs, leaseSeconds }: WorkOptions,
  events: WorkEvents,
): Promise<QueueWorker> {
  const { Worker: WorkerOf, UnrecoverableError, Queue: QueueOf } = await loadLibrary();
  const pools = poolsOf(jobs);
  const explain = async (job: Job<QueuedPhoto>): Promise<{ isKept: boolean }> => {
    const begun = timesBegun(job);
    if (begun >= tries) {
      await job.updateProgress({ begun: 0 }); // for when it is put back
      throw new UnrecoverableError(lostWorkers);
    }
    const answer = await pools.get(job.data.start).run(job.data.task, () => job.updateProgress({ begun: begun + 1 }));
    if (answer?.error !== undefined) await job.updateProgress({ begun });
    if (answer === undefined || "isLoaded" in answer) throw new Error("the worker was stopped.");
    if (answer.error === undefined) return { isKept: answer.result.isKept };
    // A damaged photo is damaged on every machine.
    throw answer.isPassing ? new Error(answer.error) : new UnrecoverableError(answer.error);
  };
  const worker: Worker<QueuedPhoto, { isKept: boolean }> = new WorkerOf(place.name, explain, {
    connection: connectionTo(place, true),
    concurrency: jobs,
    lockDuration: 1000 * leaseSeconds,
    stalledInterval: 1000 * leaseSeconds,
    // A photo whose worker vanishes goes to another. Only those workers count as its tries that had begun with it: one that was
    // still loading, or waited for a processor, says nothing about the photo.
    maxStalledCount: mostSilences,
  });
  worker.on("completed", (job, result) => events.done(job.data.task.relative, result.isKept));
  worker.on("failed", (job, error) => {
    if (job === undefined) return;
    events.failed(job.data.task.relative, error.message, job.finishedOn !== undefined);
  });
  worker.on("error", (error) => events.trouble(error.message));
  const queue = new QueueOf<QueuedPhoto>(place.name, { connection: connectionTo(place, true) });
  queue.on("error", () => {}); // the worker tells
  return {
    async emptied() {
      for (;;) {
        const counts = await queue.getJobCounts("waiting", "prioritized", "delayed", "active");
        if (Object.values(counts).every((count) => count === 0)) return;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    },
    async close() {
      await worker.close();
      await queue.close();
      await pools.stop();
    },
  };
}
