import { resolve, sep } from "node:path";
import type { Queue } from "bullmq";
import { type QueuedPhoto, reasonOf } from "./photo-queue.ts";

const page = 500;

/** The parked photos of a run, by their paths, with the reasons. */
export async function parkedPhotos(queue: Queue<QueuedPhoto>, out: string): Promise<Map<string, string>> {
  const parked = new Map<string, string>();
  const below = `${resolve(out)}${sep}`;
  for (let first = 0; ; first += page) {
    const jobs = await queue.getFailed(first, first + page - 1);
    for (const job of jobs) {
      if (job.data.task.folder.startsWith(below)) parked.set(job.data.task.relative, reasonOf(job));
    }
    if (jobs.length < page) return parked;
  }
}
