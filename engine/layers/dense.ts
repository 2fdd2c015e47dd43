import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { elementCount, formatShape, type Shape } from "../basics/tensor.ts";
import { type FeatureMap, noBorder } from "../memory/feature-map.ts";
import { type Modification, unmodified } from "../rules/rules.ts";
import type { Construction, LayerKind, LayerRuntime, NodeOf } from "./layer-kind.ts";
import { outputStride, residentDense, streamedDense } from "./linear/dense-weights.ts";
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

function buildDense(construction: Construction, node: NodeOf<"dense">): LayerRuntime {
  const { kernels, layer, output, staging, lowMemory } = construction;
  const { call, arena } = kernels;
  const x = mustHave(construction.inputs[0], "input");
  const inputs = x.channels;
  const outputs = node.outFeatures;
  const batchNorm = layer.batchNorm ? new FoldedBatchNorm(layer.batchNorm, `dense "${node.name}"`, outputs) : undefined;
  const hasBias = node.bias !== undefined || batchNorm !== undefined;
  const weights =
    lowMemory === undefined
      ? residentDense(kernels, staging, inputs, outputs)
      : streamedDense(kernels, lowMemory.rows, node.weight, inputs, outputs, () => batchNorm?.factors());
  const biasAddress = hasBias ? arena.allocate(4 * outputStride(outputs)) : 0;
  const biases = new ModifiedVectors(kernels, biasAddress, outputStride(outputs));
  const indices = arena.allocate(4 * inputs);
  const bias = hasBias ? new Float32Array(outputs) : undefined;
  const low = layer.activation?.low ?? Number.NEGATIVE_INFINITY;
  const high = layer.activation?.high ?? Number.POSITIVE_INFINITY;

  // W+ x of the last forward pass, where a rule asks for it: computed beside W x if one has asked since the forward pass before.
  let positive = 0;
  let isPositiveKnown = false;
  let isPositiveAsked = false;

  /** y = clamp(W x + b), by the non-zero inputs; W+ x beside it. */
  function apply(
    y: number,
    input: FeatureMap,
    modification: Modification,
    address: number,
    clamp: [number, number],
    beside = 0,
  ): void {
    const count = call.nonZeroIndices(indices, input.address, inputs);
    const [low, high] = clamp;
    weights.forward({ y, positive: beside, x: input.address, indices, count, bias: address, low, high }, modification);
  }

  const free = Number.POSITIVE_INFINITY;
  const map: LinearMap = {
    x,
    y: output,
    inputShape: [inputs],
    outputShape: [outputs],
    isRectified: low === 0 && high === free,
    activation: layer.activation,
    isUnclamped: low === -free && high === free,
    gradientBorder: noBorder,
    gradientPadding: outputStride(outputs) - outputs,
    prepare() {}, // the kernels modify dense weights as they read them
    bias: (modification) => biases.address(modification),
    expect(modification) {
      if (!isPositivePart(modification)) return;
      if (positive === 0) positive = arena.allocate(4 * outputStride(outputs));
      isPositiveAsked = true;
    },
    apply(z, input, modification, address) {
      const isExpected = positive !== 0 && input === x && address === 0 && isPositivePart(modification);
      if (!isExpected) return apply(z.address, input, modification, address, [-free, free]);
      if (!isPositiveKnown) apply(positive, input, modification, 0, [-free, free]);
      isPositiveKnown = true;
      isPositiveAsked = true;
      arena.f32(z.address, outputStride(outputs)).set(arena.f32(positive, outputStride(outputs)));
    },
    transpose: (dx, s, modification, mask) =>
      weights.inputGrad(dx.address, s.address, mask?.address ?? 0, modification),
  };

  const setBias = (): void => {
    if (bias && batchNorm?.isComplete !== false)
      arena.f32(biasAddress, outputs).set(batchNorm?.foldedBias(bias) ?? bias);
  };
  return {
    forward() {
      apply(output.address, x, unmodified, biasAddress, [low, high], isPositiveAsked ? positive : 0);
      isPositiveKnown = isPositiveAsked;
      isPositiveAsked = false;
    },
    prepareRelevance: (context) => prepareLinearRelevance(map, context),
    ruleName: (rules) => rules.linear.name,
    setRows(name, firstRow, rows) {
      const isFactor = batchNorm?.setRows(name, firstRow, rows) === true;
      if (bias && name === node.bias) bias.set(rows, firstRow);
      if (isFactor || name === node.bias) setBias();
      isPositiveKnown = false;
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
