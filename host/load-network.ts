import { basename } from "node:path";
import { modelByName, modelNames } from "../engine/models/index.ts";
import { Network } from "../engine/network.ts";
import { networkParameters } from "../engine/parameter-specs.ts";
import { bindWeights, type KnownNetwork, openWeights } from "../weights-loader/index.ts";
import { fileSource } from "./file-source.ts";
import { loadKernels } from "./kernels.ts";

/** For the advice "these weights fit another network". */
function knownNetworks(): KnownNetwork[] {
  return modelNames().map((name) => ({ name, parameters: networkParameters(modelByName(name)) }));
}

/**
 * A network of the package with weights from a file: safetensors or PyTorch's .pth, told from the file's bytes.
 * @param model one of `modelNames()`
 * @throws RangeError for an unknown model, FormatError for a damaged file, ShapeError that lists every tensor that does not fit
 */
export async function loadNetwork(model: string, weights: string): Promise<Network> {
  const definition = modelByName(model);
  const source = await fileSource(weights);
  try {
    const file = await openWeights(source, { name: basename(weights) });
    const network = new Network(await loadKernels(), definition);
    await bindWeights(network, file, { known: knownNetworks() });
    return network;
  } finally {
    await source.close();
  }
}
