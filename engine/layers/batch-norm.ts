import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { imageSize, noBorder } from "../memory/feature-map.ts";
import { buildConv2d } from "./conv2d.ts";
import type { LayerKind } from "./layer-kind.ts";
import { FoldedBatchNorm } from "./linear/folded-batch-norm.ts";
import { linearReadsFirst, linearVanishing } from "./linear/linear-relevance.ts";

/**
 * Batch norm that has no layer to be folded into: a 1x1 depthwise convolution. (Where a convolution or dense layer comes before
 * it, the compiler has folded it and this layer does not exist.)
 */
export const batchNorm: LayerKind<"batchNorm"> = {
  arity: "one",
  weights: "scale",
  absorbs: [],
  absorbedAs: (node) => ({ what: "batchNorm", node }),
  endsInProbabilities: () => undefined,
  sign: () => "any",
  bounds: () => "byWeights",
  inputVanishing: linearVanishing,
  readsRelevanceFirst: linearReadsFirst,
  inputBorder: () => noBorder,
  streamed: () => [],
  outputShape(node, inputs) {
    if (!(node.epsilon >= 0)) {
      throw new ShapeError(`batchNorm "${node.name}": epsilon must not be negative, got ${node.epsilon}.`);
    }
    return mustHave(inputs[0], "input");
  },
  parameters: (node, _layer, input) =>
    new FoldedBatchNorm(node, `batchNorm "${node.name}"`, imageSize(input).channels).parameters,
  build(construction, node) {
    const { channels, height, width } = imageSize(construction.outputShape);
    const weight = `${node.name} (unit weights)`;
    const runtime = buildConv2d(
      {
        ...construction,
        lowMemory: undefined, // its weights are made here, not read
        inputShapes: [[channels, height, width]],
        outputShape: [channels, height, width],
        layer: { ...construction.layer, batchNorm: node },
      },
      {
        op: "conv2d",
        name: node.name,
        inputs: node.inputs,
        outChannels: channels,
        kernelShape: [1, 1],
        group: channels,
        weight,
      },
    );
    const vectors = new FoldedBatchNorm(node, `batchNorm "${node.name}"`, channels);
    return {
      ...runtime,
      setRows(name, firstRow, rows) {
        runtime.setRows?.(name, firstRow, rows);
        vectors.setRows(name, firstRow, rows);
        if (vectors.isComplete) runtime.setRows?.(weight, 0, new Float32Array(channels).fill(1));
      },
      bounds([input]) {
        const { low, high } = mustHave(input, "bounds");
        const factors = vectors.factors();
        const offsets = vectors.foldedBias(new Float32Array(channels));
        const ends = low.map((value, c) => [value, high[c]!].map((end) => end * factors[c]! + offsets[c]!));
        return { low: ends.map((pair) => Math.min(...pair)), high: ends.map((pair) => Math.max(...pair)) };
      },
    };
  },
};
