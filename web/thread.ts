// A kernel thread of a page: a module worker that takes parts of jobs until it is told to leave. Started by threads/load-kernels.ts.
import { runThread, type ThreadData } from "../workers/threads/thread-loop.ts";
import { workerScope } from "./threads/worker-scope.ts";

workerScope.addEventListener("message", ({ data }) => {
  runThread(data as ThreadData, () => workerScope.postMessage("ready")); // posted by load-kernels.ts
  workerScope.close();
});
