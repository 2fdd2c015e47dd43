import type { Kernels } from "../../engine/memory/kernels.ts";
import { modelByName, modelNames } from "../../engine/models/index.ts";
import { preprocessingByName } from "../../engine/models/preprocessing.ts";
import { Network } from "../../engine/network/network.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import {
  type ByteSource,
  bindWeights,
  blobSource,
  bytesSource,
  checkFit,
  importNetwork,
  knownNetwork,
} from "../../weights-loader/index.ts";
import type { Progress } from "../../workers/explainer/messages.ts";
import type { WebNetwork } from "../messages.ts";
import { download } from "./download.ts";

// Of transformed weights, which make repeated explanations faster: those of small networks are kept whole, those of VGG-16 would be 450 MB.
const keptWeightBytes = 64 * 2 ** 20;

/** What may be watched and ended while a network loads. */
export interface LoadWatch {
  readonly report?: (progress: Progress) => void;
  readonly isAborted?: () => boolean;
  /** Called where the weights could not be kept for the next visit, with the reason. */
  readonly onNotKept?: (why: string) => void;
}

/** The bytes of the weights, and how messages call them. */
async function sourceOf(
  { weights, cache = true, sha256 }: WebNetwork,
  { report, isAborted, onNotKept }: LoadWatch,
): Promise<{ source: ByteSource; name: string }> {
  if (weights instanceof Blob) {
    return { source: blobSource(weights), name: "name" in weights ? String(weights.name) : "file" };
  }
  if (weights instanceof ArrayBuffer) return { source: bytesSource(weights), name: "bytes" };
  if (weights instanceof Uint8Array) return { source: bytesSource(weights), name: "bytes" };
  const url = String(weights);
  const { blob, notKept } = await download(url, {
    cache,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(isAborted === undefined ? {} : { isAborted }),
    onProgress: (done, total) => report?.({ stage: "download", done, total }),
  });
  if (notKept !== undefined) onNotKept?.(notKept);
  const name = url.startsWith("data:") ? "data" : decodeURIComponent(url.slice(url.lastIndexOf("/") + 1));
  return { source: blobSource(blob), name };
}

/**
 * Loads a network from an address, a file or bytes.
 * @throws as `importNetwork`, `bindWeights` and `download`; UnsupportedError when nobody says which network the weights belong to
 */
export async function loadNetwork(kernels: Kernels, web: WebNetwork, watch: LoadWatch = {}): Promise<Network> {
  const { source, name } = await sourceOf(web, watch);
  watch.report?.({ stage: "network", done: 0, total: undefined });
  const named = typeof web.model === "string" ? modelByName(web.model) : web.model;
  const { definition: found, weights: file } = await importNetwork(source, {
    name,
    known: modelNames().map((known) => knownNetwork(known, () => modelByName(known), networkParameters)),
    ...(named === undefined ? {} : { definition: named }),
    ...(web.preprocess === undefined ? {} : { preprocessing: preprocessingByName(web.preprocess) }),
  });
  const definition = web.labels === undefined ? found : { ...found, labels: web.labels };
  checkFit(networkParameters(definition), file, []); // before memory is reserved for what the file only claims
  const network = new Network(kernels, definition, { keptWeightBytes });
  await bindWeights(network, file);
  return network;
}
