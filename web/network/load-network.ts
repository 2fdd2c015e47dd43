import type { Kernels } from "../../engine/memory/kernels.ts";
import { modelByName, modelNames } from "../../engine/models/index.ts";
import { preprocessingByName } from "../../engine/models/preprocessing.ts";
import { Network } from "../../engine/network/network.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { bindWeights, checkFit, importNetwork, knownNetwork, weightRows } from "../../weights-loader/index.ts";
import { checkWebNetwork, type WebNetwork } from "../messages.ts";
import { checkWatch, type LoadWatch, sourceOf } from "./source-of.ts";

// Of transformed weights, which make repeated explanations faster: those of small networks are kept whole, those of VGG-16 would be 450 MB.
const keptWeightBytes = 64 * 2 ** 20;

// Where memory is to stay small: what was read lives on until the next garbage collection.
const smallBlockBytes = 2 ** 19;

/**
 * Loads a network from an address, a file or bytes.
 * @throws TypeError for an option that does not exist; as `importNetwork`, `bindWeights` and `download`; UnsupportedError when nobody says which network the weights belong to
 */
export async function loadNetwork(kernels: Kernels, web: WebNetwork, watch: LoadWatch = {}): Promise<Network> {
  checkWebNetwork("loadNetwork", web);
  checkWatch("loadNetwork", watch);
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
  const rows = web.lowMemory === true ? weightRows(file) : undefined;
  const network = new Network(kernels, definition, rows === undefined ? { keptWeightBytes } : { rows });
  rows?.check(network.parameters.filter(({ isStreamed }) => isStreamed).map(({ name }) => name));
  await bindWeights(network, file, rows === undefined ? {} : { blockBytes: smallBlockBytes });
  return network;
}
