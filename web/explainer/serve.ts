import type { Kernels } from "../../engine/memory/kernels.ts";
import type { Network } from "../../engine/network/network.ts";
import type { Call } from "../../workers/explainer/messages.ts";
import { serveExplainer } from "../../workers/explainer/server.ts";
import type { PostedPhoto, WebNetwork } from "../messages.ts";
import type { LoadWatch } from "../network/source-of.ts";
import { readPhoto } from "../photos/read-photo.ts";
import { loadToldKernels, type WebKernels } from "../threads/load-kernels.ts";
import { workerScope } from "../threads/worker-scope.ts";

/** Serves the explainer that started this worker, with networks that `load` loads. */
export function serve(load: (kernels: Kernels, network: WebNetwork, watch: LoadWatch) => Promise<Network>): void {
  let kernels: WebKernels | undefined;
  const answer = serveExplainer<WebNetwork, PostedPhoto>({
    open: async (network, threads, report, signal) => {
      await kernels?.close();
      const { kernels: plain, kernelsShared: shared } = network;
      const asked = {
        threads,
        ...(plain === undefined ? {} : { kernels: plain }),
        ...(shared === undefined ? {} : { kernelsShared: shared }),
      };
      kernels = await loadToldKernels(asked, (done, total) => report({ stage: "threads", done, total }));
      let notKept: string | undefined;
      const loaded = await load(kernels, network, {
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
    post: (message, transfer) => workerScope.postMessage(message, transfer),
  });
  workerScope.addEventListener("message", ({ data }) => answer(data as Call<WebNetwork, PostedPhoto>)); // posted by explainer.ts
}
