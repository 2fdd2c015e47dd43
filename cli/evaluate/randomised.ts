import { mustHave } from "../../engine/basics/must-have.ts";
import { elementCount } from "../../engine/basics/tensor.ts";
import { Network } from "../../engine/network/network.ts";
import { shuffledParameters } from "../../evaluation/index.ts";
import { type LoadOptions, openNetwork } from "../../host/network/load.ts";
import { loadKernels } from "../../host/threads/load-kernels.ts";
import { bindWeights, type WeightFile } from "../../weights-loader/index.ts";

/** What of one file's networks stays in memory, beside the one in use. */
const keptBytes = 1 << 29;

/** Networks of which some layers' parameters are random, each in a memory of its own. */
export interface RandomisedNetworks {
  /** The layers that have parameters, in the order in which they run. */
  readonly layers: readonly string[];
  /** The network with these layers random. */
  load(randomised: readonly string[]): Promise<Network>;
}

/**
 * The trained network's randomised versions, read from its weight file anew. As many as fit are kept, the first ones: they are asked
 * for in the same order for each photo. The others take turns in one memory, so that a network is good until the next is asked for.
 * @param choice and `load`: what `loadNetwork` got
 */
export function randomisedNetworks(
  trained: Network,
  choice: { readonly model: string | undefined; readonly weights: string },
  seed: number,
  load: LoadOptions = {},
): RandomisedNetworks {
  const { parameters, definition } = trained;
  const layerOf = new Map(parameters.map(({ name, node }) => [name, node]));
  const seedOf = new Map(parameters.map(({ name }, i) => [name, seed + i]));
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
      // What the networks have grown to is only known once they were used.
      const bytes = [...kept.values()].reduce((sum, { kernels }) => sum + kernels.arena.memory.buffer.byteLength, 0);
      const last = bytes > keptBytes ? [...kept].at(-1) : undefined;
      if (last !== undefined) {
        kept.delete(last[0]);
        last[1].dispose();
      }
      const opened = await openNetwork(choice.model, choice.weights, load);
      try {
        const network = new Network(last?.[1].kernels ?? (await loadKernels()), definition);
        await bindWeights(network, randomise(opened.weights, new Set(randomised)));
        kept.set(key, network);
        return network;
      } finally {
        await opened.close();
      }
    },
  };
}
