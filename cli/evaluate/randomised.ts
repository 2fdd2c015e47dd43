import { mustHave } from "../../engine/basics/must-have.ts";
import { elementCount } from "../../engine/basics/tensor.ts";
import { Network } from "../../engine/network/network.ts";
import { shuffledParameters } from "../../evaluation/index.ts";
import { openNetwork } from "../../host/network/load.ts";
import { loadKernels } from "../../host/threads/load-kernels.ts";
import { bindWeights, type WeightFile } from "../../weights-loader/index.ts";

/** What of one file's networks stays in memory. A network takes about its parameters twice, and its feature maps. */
const keptBytes = 1 << 29;

/** Networks of which some layers' parameters are random, each in a memory of its own. */
export interface RandomisedNetworks {
  /** The layers that have parameters, in the order in which they run. */
  readonly layers: readonly string[];
  /** The network with these layers random. */
  load(randomised: readonly string[]): Promise<Network>;
}

/**
 * The trained network's randomised versions, read from its weight file anew; the first of them are kept.
 * @param choice what `loadNetwork` got
 */
export function randomisedNetworks(
  trained: Network,
  choice: { readonly model: string | undefined; readonly weights: string },
  seed: number,
): RandomisedNetworks {
  const { parameters, definition } = trained;
  const layerOf = new Map(parameters.map(({ name, node }) => [name, node]));
  const seedOf = new Map(parameters.map(({ name }, i) => [name, seed + i]));
  const bytes = 8 * parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0) + (16 << 20);
  const kept = new Map<string, Network>();

  function randomise(file: WeightFile, randomised: ReadonlySet<string>): WeightFile {
    const ready = new Map<string, Float32Array>();
    const { name: label, format, metadata, tensors } = file;
    return {
      name: label,
      format,
      metadata,
      tensors,
      read: (name) => file.read(name),
      async readRows(name, firstRow, rowCount, scratch) {
        if (!randomised.has(mustHave(layerOf.get(name), `layer of "${name}"`)))
          return file.readRows(name, firstRow, rowCount, scratch);
        const whole =
          ready.get(name) ?? shuffledParameters(await file.read(name), mustHave(seedOf.get(name), `seed of "${name}"`));
        ready.clear(); // rows are asked for in order, tensor by tensor
        ready.set(name, whole);
        const rowLength = elementCount(mustHave(tensors.get(name), `tensor "${name}"`).shape.slice(1));
        return whole.slice(firstRow * rowLength, (firstRow + rowCount) * rowLength);
      },
    };
  }

  return {
    layers: [...new Set(parameters.map(({ node }) => node))],
    async load(randomised) {
      const key = JSON.stringify(randomised);
      const known = kept.get(key);
      if (known !== undefined) return known;
      const opened = await openNetwork(choice.model, choice.weights);
      try {
        const network = new Network(await loadKernels(), definition);
        await bindWeights(network, randomise(opened.weights, new Set(randomised)));
        if ((kept.size + 1) * bytes <= keptBytes) kept.set(key, network);
        return network;
      } finally {
        await opened.close();
      }
    },
  };
}
