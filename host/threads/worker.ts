// A thread of the pool: takes parts of jobs until it is told to leave. Started by pool.ts.
import { parentPort, workerData } from "node:worker_threads";
import { runThread, type ThreadData } from "../../workers/threads/thread-loop.ts";

runThread(workerData as ThreadData, () => parentPort?.postMessage("ready")); // written by pool.ts
