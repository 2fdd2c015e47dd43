import { hasRuleLibrary } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";
import type { CompiledGraph, KnownBounds, Layer } from "../graph/compiled-graph.ts";
import { type Composite, checkCompositeNames, rulesFor } from "./composite.ts";
import type { LayerRules } from "./layer-rules.ts";

/** A layer and what a composite does with it. */
export interface LayerWithRules {
  readonly layer: Layer;
  readonly rules: LayerRules;
}

/** Whether a layer mixes values: one that only scales them stands in nobody's way to the pixels. */
const mixes = ({ weights }: Layer): boolean => weights === "convolution" || weights === "dense";

/** For each layer: whether no convolution or dense layer lies between it and the input, or between it and the logits. */
function positions({ values, layers }: CompiledGraph): { isFirst: boolean; isLast: boolean }[] {
  const weighted: boolean[] = values.map(() => false);
  const result = layers.map((layer) => {
    const before = layer.inputs.some((id) => weighted[id]);
    weighted[layer.output] = before || mixes(layer);
    return { isFirst: !before, isLast: true };
  });
  const after: boolean[] = values.map(() => false);
  for (const layer of [...layers].reverse()) {
    const isAfter = after[layer.output] === true;
    mustHave(result[layer.index], "position of a layer").isLast = !isAfter;
    for (const id of layer.inputs) after[id] = after[id] || isAfter || mixes(layer);
  }
  return result;
}

/** The bounds of what a layer reads, for a zBox rule that brings none; without them where only weights will tell. */
function withBox(
  { definition }: CompiledGraph,
  bounds: readonly KnownBounds[],
  layer: Layer,
  rules: LayerRules,
): LayerRules {
  const { linear } = rules;
  if (!hasRuleLibrary || !linear.needsBox || linear.low !== undefined) return rules;
  if (definition.preprocessing === undefined) {
    throw new RangeError(
      `rule "zBox": nobody says how photos are prepared for this network, so the box of ${layer.node.op} "${layer.name}" is not known. Name the preprocessing, or give low and high with one bound per input channel.`,
    );
  }
  const box = bounds[mustHave(layer.inputs[0], "input")];
  if (box === undefined) {
    throw new RangeError(
      `rule "zBox": ${layer.node.op} "${layer.name}" does not read the pixels, so its box is not known. Give low and high with one bound per input channel.`,
    );
  }
  return box === "byWeights" ? rules : { ...rules, linear: { ...linear, ...box } };
}

/**
 * The layers that relevance passes on its way from a value to the input, from the output on, with their rules.
 * @param from id of the value where relevance starts
 * @param bounds of all values; without weights' say, boxes that they decide stay open
 * @throws UnsupportedError when the composite leaves a layer with weights without a rule, RangeError for a zBox rule whose box is
 *   not known, TypeError for something that composites do not have
 */
export function chooseRules(
  graph: CompiledGraph,
  composite: Composite,
  from: number,
  bounds: readonly KnownBounds[] = graph.bounds,
): LayerWithRules[] {
  if (hasRuleLibrary) checkCompositeNames(composite);
  const place = positions(graph);
  const reached = new Set([from]);
  const chosen: LayerWithRules[] = [];
  for (const layer of [...graph.layers].reverse()) {
    if (!reached.has(layer.output)) continue;
    const { isFirst, isLast } = mustHave(place[layer.index], "position of a layer");
    const { node, name } = layer;
    const matched = { op: node.op, name, isFirst, isLast, onlyScales: layer.weights === "scale" };
    chosen.push({ layer, rules: withBox(graph, bounds, layer, rulesFor(composite, matched)) });
    for (const id of layer.inputs) reached.add(id);
  }
  return chosen;
}
