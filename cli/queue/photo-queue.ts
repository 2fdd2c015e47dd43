import { createHash } from "node:crypto";
import type { Job, Queue, RedisOptions } from "bullmq";
import { mustHave } from "../../engine/basics/must-have.ts";
import type { PhotoTask } from "../explain/photo.ts";
import type { WorkerStart } from "../explain/worker-protocol.ts";
import type { OptionTable } from "../terminal/arguments.ts";
import { CommandError, describeError, UsageError } from "../terminal/errors.ts";

/** A photo in the queue: everything that a worker on any machine needs, as long as it sees the same files. */
export interface QueuedPhoto {
  readonly start: WorkerStart;
  readonly task: PhotoTask;
}

/** Tries of a photo before it is parked. */
export const tries = 3;

/** Workers that may vanish with a photo, whether they had begun with it or not. */
export const mostSilences = 20;

/** Why a photo is parked that ends those who explain it. */
export const lostWorkers: string = `its worker ended, or fell silent, ${tries} times in a row.`;

/** The option that every command of the queue needs. */
export const queueOption: OptionTable = {
  queue: {
    value: "URL",
    short: "q",
    help: "The Redis or Valkey server: redis://HOST:PORT/DATABASE, rediss:// with TLS. Default the variable SRMAP_QUEUE.",
  },
  name: { value: "NAME", help: "Name of the queue on it. Default srmap." },
};

/** Where a queue is. */
export interface QueuePlace {
  readonly url: string;
  readonly name: string;
}

/** Without the password. */
export function shownPlace({ url, name }: QueuePlace): string {
  const { protocol, host, pathname } = new URL(url);
  return `queue ${name} at ${protocol}//${host}${pathname === "/" ? "" : pathname}`;
}

/** @throws UsageError */
export function readPlace(given: { value(name: string): string | undefined }): QueuePlace {
  const url = given.value("queue") ?? process.env["SRMAP_QUEUE"];
  if (url === undefined) throw new UsageError("--queue is needed: the address of the server, redis://HOST:PORT.");
  const name = given.value("name") ?? "srmap";
  if (!URL.canParse(url) || !["redis:", "rediss:"].includes(new URL(url).protocol)) {
    throw new UsageError(`--queue must be redis://HOST:PORT or rediss://HOST:PORT, got "${url}".`);
  }
  if (!/^[\w.-]+$/.test(name))
    throw new UsageError(`--name must be of letters, digits, ".", "_" and "-", got "${name}".`);
  return { url, name };
}

/** The queue's library, which is optional. @throws CommandError */
export async function loadLibrary(): Promise<typeof import("bullmq")> {
  try {
    return await import("bullmq");
  } catch (error) {
    throw new CommandError(
      `a queue needs the packages bullmq and ioredis: npm install bullmq@6 ioredis@6. (${describeError(error).split("\n")[0]})`,
    );
  }
}

/** For a process that may wait for the server, however long it is away; or for one that a person waits for. */
export function connectionTo({ url }: QueuePlace, isPatient: boolean): RedisOptions {
  return {
    url,
    maxRetriesPerRequest: isPatient ? null : 1,
    connectTimeout: 5000,
    retryStrategy: (times) => (isPatient || times < 3 ? Math.min(200 * times, 3000) : null),
  };
}

/**
 * Opens the queue, does something with it and closes it again.
 * @throws CommandError when the server cannot be reached
 */
export async function withQueue<Result>(
  place: QueuePlace,
  work: (queue: Queue<QueuedPhoto>) => Promise<Result>,
): Promise<Result> {
  const { Queue: QueueOf } = await loadLibrary();
  const queue = new QueueOf<QueuedPhoto>(place.name, { connection: connectionTo(place, false) });
  let reason = "";
  queue.on("error", (error) => {
    reason ||= error.message;
  });
  const gone = (): CommandError =>
    new CommandError(
      `${shownPlace(place)} cannot be reached${reason === "" ? "" : `: ${reason}`}. Is the server running?`,
    );
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(gone()), 8000);
  });
  try {
    await Promise.race([queue.waitUntilReady(), tooLate]).catch(() => {
      throw gone();
    });
    clearTimeout(timer);
    return await work(queue);
  } finally {
    clearTimeout(timer);
    tooLate.catch(() => {});
    await Promise.race([queue.close(), new Promise((resolve) => setTimeout(resolve, 1000))]).catch(() => {});
  }
}

/** The same photo with the same settings and the same place has one name, so that it is in the queue once. */
function nameOf({ start, task }: QueuedPhoto): string {
  return createHash("sha256")
    .update(JSON.stringify([start, task]))
    .digest("hex");
}

const chunk = 500;

/** Puts photos into the queue. One that is in it stays where it is; one that was done, or parked, is tried again. */
export async function addPhotos(
  queue: Queue<QueuedPhoto>,
  photos: readonly QueuedPhoto[],
  onProgress: (added: number) => void,
): Promise<void> {
  for (let first = 0; first < photos.length; first += chunk) {
    const part = photos.slice(first, first + chunk);
    const names = part.map(nameOf);
    await Promise.all(
      names.map(async (name) => {
        const state = await queue.getJobState(name);
        if (state === "completed" || state === "failed") await queue.remove(name);
      }),
    );
    await queue.addBulk(
      part.map((data, i) => ({
        name: "explain",
        data,
        opts: {
          jobId: mustHave(names[i], "name of a photo"),
          attempts: tries,
          backoff: { type: "exponential", delay: 1000 },
          removeOnComplete: { age: 7 * 24 * 3600 },
          stackTraceLimit: 1,
        },
      })),
    );
    onProgress(first + part.length);
  }
}

/** How far the queue is. */
export interface QueueState {
  readonly waiting: number;
  readonly active: number;
  readonly done: number;
  readonly parked: number;
  /** Some of the parked, with their reasons. */
  readonly failures: readonly { readonly photo: string; readonly reason: string }[];
}

const mostFailures = 20;

/** Why a photo was parked. */
export function reasonOf({ failedReason, stalledCounter }: Job<QueuedPhoto>): string {
  // BullMQ gives a job up whose worker fell silent more often than `maxStalledCount`.
  return stalledCounter > mostSilences
    ? `its worker ended, or fell silent, more than ${mostSilences} times, mostly before it had begun.`
    : failedReason;
}

/** Asks the queue. */
export async function queueState(queue: Queue<QueuedPhoto>): Promise<QueueState> {
  const counts = await queue.getJobCounts("waiting", "prioritized", "delayed", "active", "completed", "failed");
  const failed = (counts["failed"] ?? 0) > 0 ? await queue.getFailed(0, mostFailures - 1) : [];
  return {
    waiting: (counts["waiting"] ?? 0) + (counts["prioritized"] ?? 0) + (counts["delayed"] ?? 0),
    active: counts["active"] ?? 0,
    done: counts["completed"] ?? 0,
    parked: counts["failed"] ?? 0,
    failures: failed.map((job) => ({ photo: job.data.task.relative, reason: reasonOf(job) })),
  };
}
