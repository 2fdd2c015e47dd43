import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, type Shape, sameShape } from "../basics/tensor.ts";
import type { CompiledGraph, Layer } from "../graph/compiled-graph.ts";
import type { NetworkDefinition } from "../graph/definition.ts";
import type { ParameterSpec } from "../graph/parameters.ts";
import { kindOf } from "../layers/index.ts";
import type { Parameter } from "../layers/layer-kind.ts";
import { compileGraph } from "./compile.ts";

/** The tensors that a layer needs, in an order in which it can take them. */
export function parametersOf(layer: Layer, inputShapes: readonly Shape[]): readonly Parameter[] {
  return kindOf(layer.node).parameters(layer.node as never, layer, mustHave(inputShapes[0], "input"));
}

/**
 * Every tensor that the layers of a graph need, each once, in an order in which all layers can take them: a tensor of several layers
 * stands where the first of them needs a vector, and where the last of them needs weights, since a layer's weights are multiplied by
 * its batch norm as they come in.
 * @throws ShapeError when two layers share a tensor but not its shape
 */
export function parameterSpecs({ values, layers }: CompiledGraph): ParameterSpec[] {
  const parameters = new Map<string, ParameterSpec>();
  for (const layer of layers) {
    const inputShapes = layer.inputs.map((id) => mustHave(values[id], "value").shape);
    for (const { name, shape } of parametersOf(layer, inputShapes)) {
      const other = parameters.get(name);
      if (other !== undefined && !sameShape(other.shape, shape)) {
        throw new ShapeError(
          `${layer.node.op} "${layer.name}": shares the tensor "${name}" with "${other.node}", but needs ${formatShape(shape)} where that needs ${formatShape(other.shape)}.`,
        );
      }
      if (other !== undefined && shape.length === 1) continue;
      parameters.delete(name);
      parameters.set(name, other ?? { name, shape, node: layer.name });
    }
  }
  return [...parameters.values()];
}

/** Every tensor that a network needs from a weight file, without building the network. */
export function networkParameters(definition: NetworkDefinition): ParameterSpec[] {
  return parameterSpecs(compileGraph(definition));
}
