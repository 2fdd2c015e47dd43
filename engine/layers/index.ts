import { ShapeError } from "../basics/errors.ts";
import type { Shape } from "../basics/tensor.ts";
import type { NodeDefinition, Op } from "../graph/definition.ts";
import { averagePool2d } from "./average-pool2d.ts";
import { batchNorm } from "./batch-norm.ts";
import { conv2d } from "./conv2d.ts";
import { dense } from "./dense.ts";
import { add, clip, leakyRelu, relu } from "./elementwise.ts";
import { globalAveragePool2d, globalMaxPool2d } from "./global-pool2d.ts";
import type { OpKind } from "./layer-kind.ts";
import { lrn } from "./lrn.ts";
import { maxPool2d } from "./max-pool2d.ts";
import { concat, flatten, reshape, softmax } from "./structure.ts";

/** Ops that disappear when a graph is compiled. */
export type VanishingOp = "dropout" | "identity";

/** Every layer kind that runs. */
const ops = {
  add,
  averagePool2d,
  batchNorm,
  clip,
  concat,
  conv2d,
  dense,
  flatten,
  globalAveragePool2d,
  globalMaxPool2d,
  leakyRelu,
  lrn,
  maxPool2d,
  relu,
  reshape,
  softmax,
} satisfies { readonly [O in Exclude<Op, VanishingOp>]: OpKind<O> };

/** The kind of a node's op, typed for any node. The table's rows match their keys, which TypeScript cannot follow. */
export function opKind(node: NodeDefinition): OpKind<Op> | undefined {
  const kind: unknown = node.op === "dropout" || node.op === "identity" ? undefined : ops[node.op];
  return kind as OpKind<Op> | undefined;
}

const anyNumberOfInputs: readonly Op[] = ["concat", "add"];

/**
 * Shape of a node's output.
 * @throws ShapeError when the number or shapes of its inputs, or its attributes, do not fit
 */
export function outputShape(node: NodeDefinition, inputs: readonly Shape[]): Shape {
  if (!anyNumberOfInputs.includes(node.op) && inputs.length !== 1) {
    throw new ShapeError(`${node.op} "${node.name}": needs one input, got ${inputs.length}.`);
  }
  const kind = opKind(node);
  return kind === undefined ? (inputs[0] ?? []) : kind.outputShape(node, inputs);
}
