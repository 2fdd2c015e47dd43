import { workerData } from "node:worker_threads";
import { type Hdf5ThreadData, progressWord } from "./protocol.ts";

const { progress } = workerData as Hdf5ThreadData; // written by reader.ts

/** Counts a step of work. */
export function step(): void {
  Atomics.add(progress, progressWord.steps, 1);
}

/** Runs what is not the library's work. */
export function waiting<T>(work: () => T): T {
  Atomics.store(progress, progressWord.isWaiting, 1);
  try {
    return work();
  } finally {
    step();
    Atomics.store(progress, progressWord.isWaiting, 0);
  }
}

/** Says that the library is loaded and its work begins: the thread was started as waiting. */
export function loaded(): void {
  Atomics.store(progress, progressWord.isWaiting, 0);
}
