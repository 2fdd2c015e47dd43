import { ShapeError } from "../basics/errors.ts";
import { hasStreaming } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";
import { elementCount, formatShape, type Shape } from "../basics/tensor.ts";
import { type FeatureMap, noBorder } from "../memory/feature-map.ts";
import type { Kernels } from "../memory/kernels.ts";
import { type Modification, unmodified } from "../rules/rules.ts";
import type { Construction, LayerKind, LayerRuntime, NodeOf } from "./layer-kind.ts";
import { type DenseWeights, outputStride, residentDense, streamedDense } from "./linear/dense-weights.ts";
import { FoldedBatchNorm } from "./linear/folded-batch-norm.ts";
import type { LinearMap } from "./linear/linear-map.ts";
import { linearReadsFirst, linearVanishing, prepareLinearRelevance } from "./linear/linear-relevance.ts";
import { isPositivePart, ModifiedVectors } from "./linear/modified-weights.ts";

/** Number of inputs; a vector or an image of one pixel. */
function inFeatures(node: NodeOf<"dense">, input: Shape): number {
  const count = elementCount(input);
  if (input[0] !== count) {
    throw new ShapeError(
      `dense "${node.name}": needs a vector [F] or [F,1,1], got ${formatShape(input)}. Put a flatten before it.`,
    );
  }
  if (!Number.isSafeInteger(node.outFeatures) || node.outFeatures < 1) {
    throw new ShapeError(`dense "${node.name}": outFeatures must be a positive integer, got ${node.outFeatures}.`);
  }
  return count;
}

const free = Number.POSITIVE_INFINITY;

/** Runs a dense layer: y = clamp(W x + b), by the non-zero inputs, and W+ x beside it where an address is given. */
type Apply = (
  y: number,
  input: FeatureMap,
  modification: Modification,
  bias: number,
  clamp?: readonly [low: number, high: number],
  beside?: number,
) => void;

function applierOf({ call, arena }: Kernels, weights: DenseWeights, inputs: number): Apply {
  const indices = arena.allocate(4 * inputs);
  return (y, input, modification, bias, [low, high] = [-free, free], positive = 0) => {
    const count = call.nonZeroIndices(indices, input.address, inputs);
    weights.forward({ y, positive, x: input.address, indices, count, bias, low, high }, modification);
  };
}

/** W+ x of the last forward pass, where a rule asks for it: computed beside W x if one has asked since the forward pass before. */
interface PositiveSums {
  /** 0: nobody has asked yet. */
  address: number;
  isKnown: boolean;
  isAsked: boolean;
}

/** The layer as relevance rules see it. */
function mapOf(
  { kernels, layer, output }: Construction,
  x: FeatureMap,
  outputs: number,
  weights: DenseWeights,
  biases: ModifiedVectors,
  positive: PositiveSums,
  apply: Apply,
): LinearMap {
  const { arena } = kernels;
  const stride = outputStride(outputs);
  const { low = -free, high = free } = layer.activation ?? {};
  return {
    x,
    y: output,
    inputShape: [x.channels],
    outputShape: [outputs],
    isRectified: low === 0 && high === free,
    activation: layer.activation,
    isUnclamped: low === -free && high === free,
    gradientBorder: noBorder,
    gradientPadding: stride - outputs,
    prepare() {}, // the kernels modify dense weights as they read them
    bias: (modification) => biases.address(modification),
    expect(modification) {
      if (!isPositivePart(modification)) return;
      if (positive.address === 0) positive.address = arena.allocate(4 * stride);
      positive.isAsked = true;
    },
    apply(z, input, modification, bias) {
      const isExpected = positive.address !== 0 && input === x && bias === 0 && isPositivePart(modification);
      if (!isExpected) return apply(z.address, input, modification, bias);
      if (!positive.isKnown) apply(positive.address, input, modification, 0);
      positive.isKnown = true;
      positive.isAsked = true;
      arena.f32(z.address, stride).set(arena.f32(positive.address, stride));
    },
    transpose: (dx, s, modification, mask) =>
      weights.inputGrad(dx.address, s.address, mask?.address ?? 0, modification),
  };
}

function buildDense(construction: Construction, node: NodeOf<"dense">): LayerRuntime {
  const { kernels, layer, output, staging, lowMemory } = construction;
  const { arena } = kernels;
  const x = mustHave(construction.inputs[0], "input");
  const inputs = x.channels;
  const outputs = node.outFeatures;
  const batchNorm = layer.batchNorm ? new FoldedBatchNorm(layer.batchNorm, `dense "${node.name}"`, outputs) : undefined;
  const hasBias = node.bias !== undefined || batchNorm !== undefined;
  const weights =
    !hasStreaming || lowMemory === undefined
      ? residentDense(kernels, staging, inputs, outputs)
      : streamedDense(kernels, lowMemory.rows, node.weight, inputs, outputs, () => batchNorm?.factors());
  const biasAddress = hasBias ? arena.allocate(4 * outputStride(outputs)) : 0;
  const biases = new ModifiedVectors(kernels, biasAddress, outputStride(outputs));
  const bias = hasBias ? new Float32Array(outputs) : undefined;
  const { low = -free, high = free } = layer.activation ?? {};
  const positive: PositiveSums = { address: 0, isKnown: false, isAsked: false };
  const apply = applierOf(kernels, weights, inputs);
  const map = mapOf(construction, x, outputs, weights, biases, positive, apply);
  const setBias = (): void => {
    if (bias && batchNorm?.isComplete !== false)
      arena.f32(biasAddress, outputs).set(batchNorm?.foldedBias(bias) ?? bias);
  };
  return {
    forward() {
      apply(output.address, x, unmodified, biasAddress, [low, high], positive.isAsked ? positive.address : 0);
      positive.isKnown = positive.isAsked;
      positive.isAsked = false;
    },
    prepareRelevance: (context) => prepareLinearRelevance(map, context),
    ruleName: (rules) => rules.linear.name,
    setRows(name, firstRow, rows) {
      const isFactor = batchNorm?.setRows(name, firstRow, rows) === true;
      if (bias && name === node.bias) bias.set(rows, firstRow);
      if (isFactor || name === node.bias) setBias();
      positive.isKnown = false;
      if (name === node.weight) weights.setRows(firstRow, rows, batchNorm?.factors());
    },
  };
}

/** Fully connected layer. */
export const dense: LayerKind<"dense"> = {
  arity: "one",
  weights: "dense",
  absorbs: ["batchNorm", "clamp"],
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: () => "any",
  inputVanishing: linearVanishing,
  readsRelevanceFirst: linearReadsFirst,
  inputBorder: () => noBorder,
  streamed: (node) => [node.weight],
  outputShape(node, inputs) {
    inFeatures(node, mustHave(inputs[0], "input"));
    return [node.outFeatures];
  },
  parameters(node, layer, input) {
    const folded = layer.batchNorm
      ? new FoldedBatchNorm(layer.batchNorm, `dense "${node.name}"`, node.outFeatures).parameters
      : [];
    const bias = node.bias === undefined ? [] : [{ name: node.bias, shape: [node.outFeatures] }];
    return [...folded, ...bias, { name: node.weight, shape: [node.outFeatures, inFeatures(node, input)] }];
  },
  build: buildDense,
};
