import { type Shape, type Tensor, tensor } from "../basics/tensor.ts";
import { describe } from "../graph/compiled-graph.ts";
import type { NetworkMemory } from "./network-memory.ts";

/** Where in a tensor the first value lies that is not finite: `NaN at channel 1, row 0, column 2`; undefined when all are. */
export function firstNotFinite({ shape, data }: Tensor): string | undefined {
  const at = data.findIndex((value) => !Number.isFinite(value));
  return at < 0 ? undefined : `${data[at]} at ${placeOf(at, shape)}`;
}

function placeOf(at: number, [, height, width]: Shape): string {
  if (height === undefined || width === undefined) return `element ${at}`;
  const area = height * width;
  return `channel ${Math.floor(at / area)}, row ${Math.floor((at % area) / width)}, column ${at % width}`;
}

/**
 * The first layer of the last forward pass whose output is not finite, in words; undefined when all outputs are.
 */
export function whereForwardOverflows(memory: NetworkMemory): string | undefined {
  const { definition, layers } = memory.graph;
  const input = firstNotFinite(memory.readFeatureMap(0));
  if (input !== undefined) {
    return `network "${definition.name}": input must be finite, got ${input}. Check how it was prepared.`;
  }
  for (const { node, output } of layers) {
    const found = firstNotFinite(memory.readFeatureMap(output));
    if (found === undefined) continue;
    return `${describe(node)}: its output must be finite, got ${found}, the first in network "${definition.name}". Check the layer's weights and the preprocessing of the input.`;
  }
  return undefined;
}

/**
 * Refuses logits that are not finite.
 * @throws RangeError naming the layer where the first value that is not finite arose, or the input
 */
export function requireFiniteLogits(memory: NetworkMemory, logits: Float32Array): void {
  if (firstNotFinite(tensor([logits.length], logits)) === undefined) return;
  const where = whereForwardOverflows(memory);
  if (where !== undefined) throw new RangeError(where);
}
