// The worker of Node's explainer. Started by explainer.ts.
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parentPort } from "node:worker_threads";
import type { Call } from "../../workers/explainer/messages.ts";
import { serveExplainer } from "../../workers/explainer/server.ts";
import { loadNetwork } from "../network/load.ts";
import { decodeAnyImage } from "../photos/decode.ts";
import { readImage } from "../photos/read.ts";
import { loadKernels, type ThreadedKernels } from "../threads/load-kernels.ts";
import type { NetworkFile, PostedPhoto } from "./messages.ts";

let kernels: ThreadedKernels | undefined;
const serve = serveExplainer<NetworkFile, PostedPhoto>({
  open: async ({ model, weights, ...options }, threads, report) => {
    report({ stage: "network", done: 0, total: undefined });
    await kernels?.close();
    kernels = await loadKernels({ threads });
    return { network: await loadNetwork(model, weights, { ...options, kernels }), notKept: undefined };
  },
  readPhoto: async (photo) => {
    if (photo.kind === "pixels") return { input: photo.input, decodedBy: "given" };
    if (photo.kind === "bytes") return { input: await decodeAnyImage(photo.bytes), decodedBy: "exact" };
    const path = photo.path.startsWith("file:") ? fileURLToPath(photo.path) : photo.path;
    return { input: await readImage(path), decodedBy: "exact" };
  },
  pause: () => setImmediate(),
  clock: () => performance.now(),
  post: (answer, transfer) => parentPort?.postMessage(answer, transfer),
});
parentPort?.on("message", (call: Call<NetworkFile, PostedPhoto>) => serve(call));
