// Computes the SHA-256 of the file that sha256.ts names.
import { parentPort, workerData } from "node:worker_threads";
import { sha256File } from "./sha256.ts";

parentPort?.postMessage(await sha256File(workerData as string)); // written by sha256.ts
