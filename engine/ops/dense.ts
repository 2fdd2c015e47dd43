import { type Activation, noBorder } from "../activation.ts";
import { FoldedBatchNorm } from "../batch-norm.ts";
import { ShapeError } from "../errors.ts";
import type { LinearMap } from "../linear-map.ts";
import { prepareLinearRelevance } from "../linear-relevance.ts";
import { ModifiedVectors } from "../modified-weights.ts";
import { type Modification, unmodified } from "../rules.ts";
import { elementCount, formatShape, type Shape } from "../tensor.ts";
import type { Construction, LayerRuntime, NodeOf, OpKind } from "./op.ts";

const lanes = 4;

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

/** How the kernels are told of a modification: [kind, positive factor, negative factor]. */
function kernelModification(modification: Modification): [kind: number, p: number, n: number] {
  switch (modification.kind) {
    case "signed": {
      const { positive, negative } = modification;
      return positive === 1 && negative === 1 ? [0, 1, 1] : [1, positive, negative];
    }
    case "squared":
      return [2, 1, 1];
    case "ones":
      return [3, 1, 1];
    default:
      return modification satisfies never;
  }
}

function buildDense(construction: Construction, node: NodeOf<"dense">): LayerRuntime {
  const { kernels, layer, output, staging } = construction;
  const { call, split, arena } = kernels;
  const x = construction.inputs[0];
  if (x === undefined) throw new ShapeError(`dense "${node.name}": has no input.`);
  const inputs = x.channels;
  const outputs = node.outFeatures;
  const outStride = Math.ceil(outputs / lanes) * lanes;
  const batchNorm = layer.batchNorm ? new FoldedBatchNorm(layer.batchNorm, outputs) : undefined;
  const hasBias = node.bias !== undefined || batchNorm !== undefined;
  const weights = arena.allocate(4 * inputs * outStride);
  const biasAddress = hasBias ? arena.allocate(4 * outStride) : 0;
  const biases = new ModifiedVectors(kernels, biasAddress, outStride);
  const indices = arena.allocate(4 * inputs);
  const scratch = arena.allocate(1024);
  const bias = hasBias ? new Float32Array(outputs) : undefined;
  const low = layer.activation?.low ?? Number.NEGATIVE_INFINITY;
  const high = layer.activation?.high ?? Number.POSITIVE_INFINITY;

  function apply(
    y: Activation,
    input: Activation,
    modification: Modification,
    address: number,
    floor: number,
    ceiling: number,
  ): void {
    const [kind, p, n] = kernelModification(modification);
    const count = call.nonZeroIndices(indices, input.address, inputs);
    // biome-ignore format: one group of arguments a line
    split("denseForward", outStride / lanes,y.address, indices, count, input.address, weights, address, outStride,
      kind, p, n, floor, ceiling);
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
    gradientPadding: outStride - outputs,
    prepare() {}, // the kernels modify dense weights as they read them
    bias: (modification) => biases.address(modification),
    apply: (z, input, modification, address) => apply(z, input, modification, address, -free, free),
    transpose(dx, s, modification, mask) {
      const [kind, p, n] = kernelModification(modification);
      // biome-ignore format: one group of arguments a line
      split("denseInputGrad", inputs,dx.address, s.address, weights, mask?.address ?? 0, outStride, kind, p, n);
    },
  };

  const setBias = (): void => {
    if (bias) arena.f32(biasAddress, outputs).set(batchNorm?.foldedBias(bias) ?? bias);
  };
  return {
    forward: () => apply(output, x, unmodified, biasAddress, low, high),
    prepareRelevance: (context) => prepareLinearRelevance(map, context),
    ruleName: (rules) => rules.linear.name,
    setRows(name, firstRow, rows) {
      if (batchNorm?.setRows(name, firstRow, rows)) setBias();
      if (name === node.bias && bias) {
        bias.set(rows, firstRow);
        setBias();
      }
      if (name === node.weight) {
        const factors = batchNorm?.factors();
        staging.pass(rows, inputs, firstRow, (address, first, count) => {
          for (let done = 0; done < count; done += 256) {
            const part = Math.min(256, count - done);
            if (factors) arena.f32(scratch, part).set(factors.subarray(first + done, first + done + part));
            // biome-ignore format: one group of arguments a line
            call.densePack(weights, address + 4 * done * inputs, factors ? scratch : 0, first + done, part, inputs, outStride);
          }
        });
      }
    },
  };
}

/** Fully connected layer. */
export const dense: OpKind<"dense"> = {
  sign: "any",
  outputShape(node, inputs) {
    inFeatures(node, inputs[0] ?? []);
    return [node.outFeatures];
  },
  parameters(node, layer, input) {
    const folded = layer.batchNorm ? new FoldedBatchNorm(layer.batchNorm, node.outFeatures).parameters : [];
    const bias = node.bias === undefined ? [] : [{ name: node.bias, shape: [node.outFeatures] }];
    return [...folded, ...bias, { name: node.weight, shape: [node.outFeatures, inFeatures(node, input)] }];
  },
  build: buildDense,
};
