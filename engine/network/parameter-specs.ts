import { ShapeError } from "../basics/errors.ts";
import { formatShape, sameShape } from "../basics/tensor.ts";
import type { CompiledGraph } from "../graph/compiled-graph.ts";
import type { NetworkDefinition } from "../graph/definition.ts";
import type { ParameterSpec } from "../graph/parameters.ts";
import { opKind } from "../layers/index.ts";
import { compileGraph } from "./compile.ts";

/**
 * Every tensor that the layers of a graph need, each once, in the order of the layers.
 * @throws ShapeError when two layers share a tensor but not its shape
 */
export function parameterSpecs({ values, layers }: CompiledGraph): ParameterSpec[] {
  const parameters: ParameterSpec[] = [];
  for (const layer of layers) {
    const input = values[layer.inputs[0] ?? -1]?.shape ?? [];
    for (const { name, shape } of opKind(layer.node)?.parameters?.(layer.node as never, layer, input) ?? []) {
      const other = parameters.find((parameter) => parameter.name === name);
      if (other === undefined) {
        parameters.push({ name, shape, node: layer.name });
      } else if (!sameShape(other.shape, shape)) {
        throw new ShapeError(
          `${layer.node.op} "${layer.name}": shares the tensor "${name}" with "${other.node}", but needs ${formatShape(shape)} where that needs ${formatShape(other.shape)}.`,
        );
      }
    }
  }
  return parameters;
}

/** Every tensor that a network needs from a weight file, without building the network. */
export function networkParameters(definition: NetworkDefinition): ParameterSpec[] {
  return parameterSpecs(compileGraph(definition));
}
