import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import type { Shape } from "../basics/tensor.ts";
import type { NodeDefinition, Op } from "../graph/definition.ts";
import { activation } from "./activation.ts";
import { averagePool2d } from "./average-pool2d.ts";
import { batchNorm } from "./batch-norm.ts";
import { concat } from "./concat.ts";
import { conv2d } from "./conv2d.ts";
import { dense } from "./dense.ts";
import { add, clip, leakyRelu, relu } from "./elementwise.ts";
import { extremum } from "./extremum.ts";
import { globalAveragePool2d, globalMaxPool2d } from "./global-pool2d.ts";
import { permute, take } from "./index-map.ts";
import type { Arity, LayerKind } from "./layer-kind.ts";
import { lrn } from "./lrn.ts";
import { maxPool2d } from "./max-pool2d.ts";
import { multiply } from "./multiply.ts";
import { normalise } from "./normalise.ts";
import { prelu } from "./prelu.ts";
import { resample2d } from "./resample2d.ts";
import { flatten, reshape } from "./reshape.ts";
import { softmax } from "./softmax.ts";

/** Nothing at inference: its output is its input, and no layer runs. */
const alias = "alias";

/** Every op. */
const kinds = {
  activation,
  add,
  averagePool2d,
  batchNorm,
  clip,
  concat,
  conv2d,
  dense,
  dropout: alias,
  extremum,
  flatten,
  globalAveragePool2d,
  globalMaxPool2d,
  identity: alias,
  leakyRelu,
  lrn,
  maxPool2d,
  multiply,
  normalise,
  permute,
  prelu,
  relu,
  resample2d,
  reshape,
  softmax,
  take,
} satisfies { readonly [O in Op]: LayerKind<O> | typeof alias };

/**
 * The kind of a node's op, typed for any node; undefined for one that no layer runs for. The table's rows match their keys, which
 * TypeScript cannot follow.
 */
export function layerKind(node: NodeDefinition): LayerKind<Op> | undefined {
  const kind: unknown = kinds[node.op];
  return kind === alias ? undefined : (kind as LayerKind<Op>);
}

/** The kind of a layer's node: every node that became a layer has one. */
export function kindOf(node: NodeDefinition): LayerKind<Op> {
  return mustHave(layerKind(node), `kind of ${node.op} "${node.name}"`);
}

const arities = {
  one: { fits: (count) => count === 1, words: "one input" },
  oneOrMore: { fits: (count) => count >= 1, words: "at least one input" },
  two: { fits: (count) => count === 2, words: "two inputs" },
  twoOrMore: { fits: (count) => count >= 2, words: "at least two inputs" },
} satisfies Record<Arity, { fits(count: number): boolean; words: string }>;

/**
 * Shape of a node's output.
 * @throws ShapeError when the number or shapes of its inputs, or its attributes, do not fit
 */
export function outputShape(node: NodeDefinition, inputs: readonly Shape[]): Shape {
  const kind = layerKind(node);
  const { fits, words } = arities[kind?.arity ?? "one"];
  if (!fits(inputs.length)) {
    throw new ShapeError(`${node.op} "${node.name}": needs ${words}, got ${inputs.length}.`);
  }
  return kind === undefined ? mustHave(inputs[0], "input") : kind.outputShape(node, inputs);
}
