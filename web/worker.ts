// The worker of a page's explainer: a module worker. Started by explainer.ts.
import type { Call } from "../workers/explainer/messages.ts";
import { serveExplainer } from "../workers/explainer/server.ts";
import type { PostedPhoto, WebNetwork } from "./messages.ts";
import { loadNetwork } from "./network/load-network.ts";
import { readPhoto } from "./photos/read-photo.ts";
import { loadKernels, type WebKernels } from "./threads/load-kernels.ts";
import { workerScope } from "./threads/worker-scope.ts";

let kernels: WebKernels | undefined;
const serve = serveExplainer<WebNetwork, PostedPhoto>({
  open: async (network, threads, report, signal) => {
    await kernels?.close();
    const { kernels: plain, kernelsShared: shared } = network;
    kernels = await loadKernels({
      threads,
      ...(plain === undefined ? {} : { kernels: plain }),
      ...(shared === undefined ? {} : { kernelsShared: shared }),
    });
    let notKept: string | undefined;
    const loaded = await loadNetwork(kernels, network, {
      report,
      isAborted: () => signal.isAborted,
      onNotKept: (why) => {
        notKept = why;
      },
    });
    return { network: loaded, notKept };
  },
  readPhoto,
  pause: () => new Promise((resolve) => setTimeout(resolve, 0)),
  clock: () => performance.now(),
  post: (answer, transfer) => workerScope.postMessage(answer, transfer),
});
workerScope.addEventListener("message", ({ data }) => serve(data as Call<WebNetwork, PostedPhoto>)); // posted by explainer.ts
