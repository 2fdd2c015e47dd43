import type { NetworkDefinition, NodeDefinition } from "../../../engine/graph/definition.ts";
import { batchNormAffine } from "../elementwise.ts";
import { inferShapes, type Parameters64, parameter, parameterShapes } from "../graph.ts";
import { count } from "../tensor64.ts";
import { isLoneBatchNorm } from "./composites.ts";

/** A network without batch norms and its parameters, equal to the one it was made from. */
export interface Folded {
  readonly definition: NetworkDefinition;
  readonly parameters: Parameters64;
}

/**
 * Rewrites every batch norm: into the convolution or dense layer before it where only the batch norm reads that layer, else
 * into a 1x1 depthwise convolution of its own. Relevance is defined on the result (zennit calls this canonising).
 */
export function foldBatchNorm(definition: NetworkDefinition, given: Parameters64): Folded {
  const parameters = new Map<string, ArrayLike<number>>(given);
  const shapes = inferShapes(definition);
  const sizes = parameterShapes(definition);
  const readers = (name: string): number => definition.nodes.filter((node) => node.inputs.includes(name)).length;
  const nodes = new Map<string, NodeDefinition>(definition.nodes.map((node) => [node.name, node]));
  for (const node of definition.nodes) {
    if (node.op !== "batchNorm") continue;
    const channels = shapes.get(node.name)![0]!;
    const maybe = (name: string | undefined): ArrayLike<number> | undefined =>
      name === undefined ? undefined : parameter(parameters, name);
    const affine = Array.from({ length: channels }, (_, c) =>
      batchNormAffine(
        {
          epsilon: node.epsilon,
          mean: parameter(parameters, node.mean),
          variance: parameter(parameters, node.variance),
          scale: maybe(node.scale),
          bias: maybe(node.bias),
        },
        c,
      ),
    );
    const weight = `${node.name}: folded weight`;
    const bias = `${node.name}: folded bias`;
    const before = nodes.get(node.inputs[0]!);
    const isLinear = before?.op === "dense" || (before?.op === "conv2d" && !isLoneBatchNorm(before));
    if (isLinear && readers(before.name) === 1 && before.name !== definition.output) {
      const perChannel = count(sizes.get(before.weight)!) / channels;
      const oldBias = maybe(before.bias);
      parameters.set(
        weight,
        Float64Array.from(
          parameter(parameters, before.weight),
          (w, k) => w * affine[Math.floor(k / perChannel)]!.factor,
        ),
      );
      parameters.set(
        bias,
        affine.map(({ factor, offset }, c) => factor * (oldBias?.[c] ?? 0) + offset),
      );
      nodes.delete(before.name);
      nodes.set(node.name, { ...before, name: node.name, weight, bias });
    } else {
      parameters.set(
        weight,
        affine.map(({ factor }) => factor),
      );
      parameters.set(
        bias,
        affine.map(({ offset }) => offset),
      );
      nodes.set(node.name, {
        name: node.name,
        inputs: node.inputs,
        op: "conv2d",
        outChannels: channels,
        kernelShape: [1, 1],
        group: channels,
        weight,
        bias,
      });
    }
  }
  return { definition: { ...definition, nodes: [...nodes.values()] }, parameters };
}
