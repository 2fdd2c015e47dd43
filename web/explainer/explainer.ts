import { refuseUnknownOptions } from "../../engine/basics/errors.ts";
import { checkRuntime } from "../../engine/memory/runtime.ts";
import { createExplainerFor, type Explainer } from "../../workers/explainer/client.ts";
import type { Answer } from "../../workers/explainer/messages.ts";
import { startExplainerWorker } from "../explainer-worker.ts";
import { checkWebNetwork, type PhotoDecoder, type PostedPhoto, type WebNetwork } from "../messages.ts";
import { postPhoto, type WebPhoto } from "../photos/post-photo.ts";
import { canShareMemory } from "../threads/load-kernels.ts";
import { restartingWorker } from "./restarting-worker.ts";

/** How a page's explainer is made. */
export interface ExplainerSettings {
  readonly network: WebNetwork;
  /**
   * Threads that share the work; the bytes do not depend on it. Default: as many as cores, at most 4, where the page is cross-origin
   * isolated; 1 elsewhere.
   */
  readonly threads?: number;
  /** Calls that may wait. Default 16. */
  readonly maxPending?: number;
  /** Who decodes files. Default `exact`; what srmap does not decode itself is left to the browser. */
  readonly decoder?: PhotoDecoder;
  /**
   * Starts the worker, where a bundler wants to see it: `() => new Worker(new URL("srmap/web/worker", import.meta.url), { type: "module" })`.
   */
  readonly startWorker?: () => Worker;
}

const settingNames = Object.keys({
  network: true,
  threads: true,
  maxPending: true,
  decoder: true,
  startWorker: true,
} satisfies Record<keyof ExplainerSettings, true>);

/** Addresses are relative to the page, not to the worker's script, and a URL cannot be posted. */
function absolute(network: WebNetwork): WebNetwork {
  const { weights, kernels, kernelsShared } = network;
  const address = <T>(given: T | string | URL): T | string =>
    typeof given === "string" || given instanceof URL ? new URL(given, document.baseURI).href : given;
  return {
    ...network,
    weights: address(weights),
    ...(kernels === undefined ? {} : { kernels: address(kernels) }),
    ...(kernelsShared === undefined ? {} : { kernelsShared: address(kernelsShared) }),
  };
}

/**
 * An explainer in a module worker of its own: the page stays responsive.
 * @throws UnsupportedError where WebAssembly or SIMD is missing, TypeError for a setting that does not exist
 */
export function createExplainer(settings: ExplainerSettings): Explainer<WebPhoto> {
  refuseUnknownOptions("createExplainer", settings, settingNames);
  if (settings?.network === undefined) {
    throw new TypeError('createExplainer: needs a network, { network: { weights: "/where/the/weights/are" } }.');
  }
  checkWebNetwork("createExplainer: network", settings.network);
  checkRuntime();
  const { maxPending, decoder = "exact" } = settings;
  const cores = canShareMemory() ? Math.min(navigator.hardwareConcurrency || 1, 4) : 1;
  const startWorker = settings.startWorker ?? startExplainerWorker;
  return createExplainerFor<WebNetwork, WebPhoto, PostedPhoto>(
    {
      network: absolute(settings.network),
      threads: settings.threads ?? cores,
      postPhoto: (photo) => postPhoto(photo, decoder),
      start: (answer, failed) =>
        restartingWorker((answered) => {
          const worker = startWorker();
          worker.addEventListener("message", ({ data }) => answered(data as Answer)); // posted by worker.ts
          worker.addEventListener("error", (event) =>
            failed(
              event.message
                ? `died: ${event.message}`
                : "could not be started: its script was not loaded or was forbidden (Content-Security-Policy worker-src)",
            ),
          );
          worker.addEventListener("messageerror", () => failed("got a message that could not be read"));
          return worker;
        }, answer),
    },
    maxPending,
  );
}
