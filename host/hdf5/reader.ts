import { Worker } from "node:worker_threads";
import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { Hdf5File, OpenHdf5 } from "../../weights-loader/index.ts";
import { type Hdf5Answer, type Hdf5Refusal, type Hdf5Request, type Hdf5ThreadData, progressWord } from "./protocol.ts";

/** The package that reads HDF5, in the version that it was tested with. */
export const hdf5Package = "h5wasm@0.10.3";

/**
 * Work that may pass without a step, in ms of the clock and of the processor: a step is one object of the list, one read of the disk
 * or one block of 4 MiB. Damaged files make the library loop for ever: of 1000 fuzzed files with 3.
 */
const stuckMs = 700;
/** How often that is looked at, in ms. */
const watchMs = 50;

/** Tells, each time it is called, whether the thread has worked for `stuckMs` without a step. */
function stuckWatch(progress: Int32Array): () => boolean {
  let steps = -1;
  let since = performance.now();
  let cpu = process.cpuUsage();
  return () => {
    const now = Atomics.load(progress, progressWord.steps);
    if (now !== steps || Atomics.load(progress, progressWord.isWaiting) === 1) {
      steps = now;
      since = performance.now();
      cpu = process.cpuUsage();
      return false;
    }
    const { user, system } = process.cpuUsage(cpu); // on a busy machine the clock runs without the thread
    return performance.now() - since > stuckMs && (user + system) / 1000 > stuckMs;
  };
}

/** Reads files as HDF5, in a thread of its own from the first one on; close it when done with all. */
export interface Hdf5Reader {
  /** How the loader opens this file. @param name how messages call it */
  fileOpener(path: string, name: string): OpenHdf5;
  close(): Promise<void>;
}

/** Sends a request to the worker and waits for its answer; a worker that is stuck, fails or ends is a refusal. */
function request(worker: Worker, progress: Int32Array, message: Hdf5Request): Promise<Hdf5Answer> {
  return new Promise((resolve) => {
    const settle = (answer: Hdf5Answer): void => {
      clearInterval(timer);
      worker.off("message", settle);
      worker.off("error", onError);
      worker.off("exit", onExit);
      worker.unref(); // a file that was not closed does not keep the process alive
      resolve(answer);
    };
    const fail = (why: string): void => settle({ refusal: { reason: "broken", message: why } });
    const onError = (error: unknown): void => fail(error instanceof Error ? error.message : String(error));
    const onExit = (): void => fail("it ended");
    const watch = stuckWatch(progress);
    const timer = setInterval(() => {
      if (watch()) fail(`the HDF5 library is stuck in it, after ${stuckMs} ms without a step`);
    }, watchMs);
    worker.on("message", settle);
    worker.on("error", onError);
    worker.on("exit", onExit);
    worker.ref();
    worker.postMessage(message);
  });
}

/** What the refusal of a file is told as. */
function refusalError(file: string, { reason, message }: Hdf5Refusal): Error {
  if (reason === "missing") {
    return new UnsupportedError(
      `${file}: HDF5 files (Keras) are read by the package h5wasm, which is not installed. Run: npm install ${hdf5Package}`,
    );
  }
  if (reason === "unsupported") return new UnsupportedError(`${file}: ${message}.`);
  return new FormatError(
    `${file}: it cannot be read as HDF5: ${message}. It is truncated or damaged: get a fresh copy.`,
  );
}

/** A reader of HDF5 by the optional package h5wasm. Nothing happens before a file is opened. */
export function hdf5Reader(): Hdf5Reader {
  let worker: Worker | undefined;
  let progress = new Int32Array(new SharedArrayBuffer(8));
  let queue: Promise<unknown> = Promise.resolve(); // one request at a time: the library knows no other way

  const end = async (): Promise<void> => {
    const ended = worker;
    worker = undefined;
    progress = new Int32Array(new SharedArrayBuffer(8)); // an ending thread may still write to the old one
    await ended?.terminate();
  };

  const send = (message: Hdf5Request): Promise<Hdf5Answer> => {
    if (worker === undefined) {
      const workerData: Hdf5ThreadData = { progress };
      Atomics.store(progress, progressWord.isWaiting, 1); // until the library is loaded
      worker = new Worker(new URL("./worker.js", import.meta.url), { workerData, stdout: true, stderr: true });
    }
    return request(worker, progress, message);
  };

  const ask = async (file: string, message: Hdf5Request): Promise<Hdf5Answer> => {
    const turn = queue.then(() => send(message));
    queue = turn.catch(() => {});
    const answer = await turn;
    if (!("refusal" in answer)) return answer;
    if (answer.refusal.reason === "broken") await end();
    throw refusalError(file, answer.refusal);
  };

  const fileOpener = (path: string, name: string): OpenHdf5 => {
    const file = `weights "${name}"`;
    return async (offset, byteLength) => {
      const answer = await ask(file, { kind: "open", filePath: path, offset, byteLength });
      if (!("root" in answer)) throw new FormatError(`${file}: the HDF5 library gave no list.`);
      const readRows: Hdf5File["readRows"] = async (dataset, firstRow, rowCount) => {
        const rows = await ask(file, { kind: "read", file: answer.file, path: dataset, firstRow, rowCount });
        if (!("bytes" in rows)) throw new FormatError(`${file}: the HDF5 library gave no rows.`);
        return rows.bytes;
      };
      return { root: answer.root, readRows };
    };
  };
  return { fileOpener, close: end };
}
