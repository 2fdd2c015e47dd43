import { Worker } from "node:worker_threads";
import { refuseUnknownOptions } from "../../engine/basics/errors.ts";
import type { Tensor } from "../../engine/basics/tensor.ts";
import type { Pixels } from "../../engine/picture/image.ts";
import { createExplainerFor, type Explainer } from "../../workers/explainer/client.ts";
import { loadOptionNames } from "../network/load.ts";
import type { NetworkFile, PostedPhoto } from "./messages.ts";

/** What Node's explainer takes as a photo: a path, the bytes of a file, decoded pixels, or a tensor that is already preprocessed. */
export type NodePhoto = string | URL | Uint8Array | Pixels | Tensor;

/** How an explainer is made. */
export interface NodeExplainerSettings {
  /** As `loadNetwork` takes it; without it the package's default network. */
  readonly network?: NetworkFile;
  /** Threads that share the work; the bytes do not depend on it. Default 1. */
  readonly threads?: number;
  /** Calls that may wait. Default 16. */
  readonly maxPending?: number;
}

/** @throws TypeError for what is no photo */
function postPhoto(photo: NodePhoto): { photo: PostedPhoto; transfer: readonly unknown[] } {
  if (typeof photo === "string" || photo instanceof URL)
    return { photo: { kind: "path", path: String(photo) }, transfer: [] };
  if (photo instanceof Uint8Array) return { photo: { kind: "bytes", bytes: photo }, transfer: [] };
  if (typeof photo === "object" && photo !== null && "data" in photo) {
    const input =
      "shape" in photo
        ? { shape: photo.shape, data: photo.data }
        : { width: photo.width, height: photo.height, data: photo.data };
    return { photo: { kind: "pixels", input }, transfer: [] };
  }
  throw new TypeError(
    "explainer: a photo is a path, the bytes of a file, an image { width, height, data } or a tensor { shape, data }.",
  );
}

const networkNames = ["model", "weights", ...loadOptionNames].filter((name) => name !== "kernels" && name !== "onNote");

/**
 * An explainer in a worker thread of its own, with kernel threads where asked for. It keeps the process alive until it is closed.
 * @throws TypeError for a setting that does not exist
 */
export function createExplainer(settings: NodeExplainerSettings = {}): Explainer<NodePhoto> {
  refuseUnknownOptions("createExplainer", settings, ["network", "threads", "maxPending"]);
  const { network = {}, threads = 1, maxPending } = settings;
  refuseUnknownOptions("createExplainer: network", network, networkNames);
  return createExplainerFor<NetworkFile, NodePhoto, PostedPhoto>(
    {
      network,
      threads,
      postPhoto,
      start: (answer, failed) => {
        const worker = new Worker(new URL("./worker.js", import.meta.url));
        worker.on("message", answer);
        worker.on("error", (error) => failed(`died: ${error.message}`));
        worker.on("exit", () => failed("ended"));
        return {
          post: (message, transfer) => worker.postMessage(message, transfer as ArrayBuffer[]), // the host posts photos without transfer
          terminate: () => void worker.terminate(),
        };
      },
    },
    maxPending,
  );
}
