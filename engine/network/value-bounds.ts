import { mustHave } from "../basics/must-have.ts";
import type { Bounds, CompiledGraph } from "../graph/compiled-graph.ts";
import { kindOf } from "../layers/index.ts";

/** Bounds of every value that pixels reach by moves alone, by id: of the pixel values 0 and 255 after preprocessing. */
export function valueBounds({
  definition,
  values,
  layers,
}: Pick<CompiledGraph, "definition" | "values" | "layers">): (Bounds | undefined)[] {
  const bounds: (Bounds | undefined)[] = values.map(() => undefined);
  const { preprocessing, inputShape } = definition;
  const channels = mustHave(inputShape[0], "channels");
  if (preprocessing === undefined) return bounds;
  const { scale, mean, std } = preprocessing;
  if (mean.length !== channels || std.length !== channels) return bounds;
  const bound = (pixel: number): number[] =>
    mean.map((m, channel) => (pixel * scale - m) / mustHave(std[channel], "std"));
  bounds[0] = { low: bound(0), high: bound(255) };
  for (const { node, inputs, output, activation } of layers) {
    const own = inputs.flatMap((id) => bounds[id] ?? []);
    if (own.length === inputs.length && activation === undefined)
      bounds[output] = kindOf(node).bounds?.(node as never, own); // the node is of its kind
  }
  return bounds;
}
