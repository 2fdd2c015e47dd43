import { hasRuleLibrary } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";
import type { Bounds, CompiledGraph, KnownBounds } from "../graph/compiled-graph.ts";
import { kindOf } from "../layers/index.ts";
import type { LayerRuntime } from "../layers/layer-kind.ts";

/** Bounds of the input: of the pixel values 0 and 255 after preprocessing. */
function pixelBounds({ preprocessing, inputShape }: CompiledGraph["definition"]): Bounds | undefined {
  const channels = mustHave(inputShape[0], "channels");
  if (preprocessing === undefined) return undefined;
  const { scale, mean, std } = preprocessing;
  if (mean.length !== channels || std.length !== channels) return undefined;
  const bound = (pixel: number): number[] =>
    mean.map((m, channel) => (pixel * scale - m) / mustHave(std[channel], "std"));
  return { low: bound(0), high: bound(255) };
}

/** Bounds of one layer's output. */
function outputBounds(
  { node, activation }: CompiledGraph["layers"][number],
  inputs: readonly KnownBounds[],
  runtime: LayerRuntime | undefined,
): KnownBounds {
  const { bounds } = kindOf(node);
  if (bounds === undefined || activation !== undefined || inputs.includes(undefined)) return undefined;
  const known = inputs.filter((each) => typeof each === "object");
  if (known.length < inputs.length) return "byWeights";
  const own = bounds(node as never, known); // the node is of its kind
  return own === "byWeights" && runtime !== undefined ? mustHave(runtime.bounds, "bounds by weights")(known) : own;
}

/**
 * Bounds of every value that holds pixels of one channel each, moved, scaled or clamped, by id.
 * @param runtimes of the layers, once their weights are bound: then no bounds are "byWeights"
 */
export function valueBounds(
  { definition, values, layers }: Pick<CompiledGraph, "definition" | "values" | "layers">,
  runtimes: readonly LayerRuntime[] = [],
): KnownBounds[] {
  const bounds: KnownBounds[] = values.map(() => undefined);
  if (!hasRuleLibrary) return bounds; // the box is a matter of rules
  bounds[0] = pixelBounds(definition);
  for (const layer of layers) {
    const inputs = layer.inputs.map((id) => bounds[id]);
    bounds[layer.output] = outputBounds(layer, inputs, runtimes[layer.index]);
  }
  return bounds;
}
