// Computes the SHA-256 of the file that sha256.ts names.
import { parentPort, workerData } from "node:worker_threads";
import { type HashAnswer, sha256File } from "./sha256.ts";

// A failure is told, not thrown: other runtimes print what a thread throws, beside the message of the command.
const answer = await sha256File(workerData as string).then(
  (sha256): HashAnswer => ({ sha256 }),
  (error: unknown): HashAnswer => ({ problem: error instanceof Error ? error.message : String(error) }),
); // workerData is written by sha256.ts
parentPort?.postMessage(answer);
