import { mustHave } from "../basics/must-have.ts";
import { elementCount, type Shape } from "../basics/tensor.ts";
import type { CompiledGraph } from "../graph/compiled-graph.ts";
import { parametersOf } from "./parameter-specs.ts";

/** One layer of a network as people ask for it. */
export interface LayerRow {
  /** From 1, in the order in which layers run. */
  readonly number: number;
  readonly name: string;
  readonly kind: string;
  /** [C,H,W] or [F]. */
  readonly outputShape: Shape;
  /** Products of a weight and an input value, for one photo; 0 for layers without weights. */
  readonly multiplications: number;
  /** Names by which its output can be asked for: its own, or those of what it also computes. */
  readonly names: readonly string[];
}

/** Every layer of a compiled graph. */
export function layerTable(graph: CompiledGraph): LayerRow[] {
  return graph.layers.map((layer) => {
    const shapes = layer.inputs.map((id) => mustHave(graph.values[id], "value").shape);
    const outputShape = mustHave(graph.values[layer.output], "value").shape;
    // A weight [M, ...] gives each output as many products as it has elements per row.
    const perOutput = parametersOf(layer, shapes)
      .filter(({ shape }) => shape.length > 1)
      .reduce((sum, { shape }) => sum + elementCount(shape.slice(1)), 0);
    const names = [...graph.fates].flatMap(([name, fate]) => (fate.value === layer.output ? [name] : []));
    return {
      number: layer.index + 1,
      name: layer.name,
      kind: layer.node.op === "activation" ? layer.node.function : layer.node.op,
      outputShape,
      multiplications: perOutput * elementCount(outputShape),
      names,
    };
  });
}
