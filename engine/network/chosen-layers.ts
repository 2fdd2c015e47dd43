import { mustHave } from "../basics/must-have.ts";
import type { CompiledGraph, Layer } from "../graph/compiled-graph.ts";
import { clampSign } from "../layers/clamp.ts";
import { kindOf } from "../layers/index.ts";
import { chooseRules } from "../rules/choose-rules.ts";
import type { Composite } from "../rules/composite.ts";
import type { LayerRules } from "../rules/layer-rules.ts";
import type { BuiltLayer } from "./network-memory.ts";
import { valueBounds } from "./value-bounds.ts";

/** Values that can not be negative, by id. */
export function nonNegativeValues({ values, layers }: CompiledGraph): boolean[] {
  const result: boolean[] = values.map(() => false);
  for (const { node, inputs, output, activation } of layers) {
    const own = kindOf(node).sign(node as never);
    const isNonNegative = own === "nonNegative" || (own === "keeps" && inputs.every((id) => result[id]));
    const after = activation === undefined ? "keeps" : clampSign(activation);
    result[output] = after === "nonNegative" || (after === "keeps" && isNonNegative);
  }
  return result;
}

/** Whether relevance at a layer's inputs is 0 wherever these are 0. */
function inputVanishes({ node }: Layer, rules: LayerRules, outputVanishes: boolean): boolean {
  const vanishing = kindOf(node).inputVanishing(node as never, rules);
  return vanishing === "always" || (vanishing === "withOutput" && outputVanishes);
}

/** A layer that relevance passes, and what is known of it before any photo. */
export interface ChosenLayer {
  readonly built: BuiltLayer;
  readonly rules: LayerRules;
  /** Relevance of its output is 0 wherever the output is 0. */
  readonly vanishesWithOutput: boolean;
}

/**
 * The layers between a value and the input, from that value on.
 * @param layers of the network, in execution order
 * @param from id of the value where relevance starts
 * @throws as `chooseRules`
 */
export function chooseLayers(
  graph: CompiledGraph,
  layers: readonly BuiltLayer[],
  composite: Composite,
  from: number,
): ChosenLayer[] {
  const vanishes: (boolean | undefined)[] = graph.values.map(() => undefined);
  // A start at the logits may lie anywhere; one at a hidden layer is a part of its output.
  vanishes[from] = from !== graph.logits;
  const bounds = valueBounds(
    graph,
    layers.map(({ runtime }) => runtime),
  );
  return chooseRules(graph, composite, from, bounds).map(({ layer, rules }) => {
    const vanishesWithOutput = mustHave(vanishes[layer.output], "what is known of an output");
    for (const id of layer.inputs) {
      vanishes[id] = vanishes[id] !== false && inputVanishes(layer, rules, vanishesWithOutput);
    }
    return { built: mustHave(layers[layer.index], "built layer"), rules, vanishesWithOutput };
  });
}
