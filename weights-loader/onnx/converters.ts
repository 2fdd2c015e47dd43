import { add, divide, mean, multiply, negate, power, subtract } from "./arithmetic.ts";
import { convTranspose } from "./conv-transpose.ts";
import { gemm, matMul } from "./dense.ts";
import { einsum } from "./einsum.ts";
import { extremum } from "./extremum.ts";
import { constant } from "./fold.ts";
import { activation, clip, gelu, prelu, rectifier, selu } from "./functions.ts";
import { gather, gatherNd, scatterNd } from "./indexing.ts";
import { and, comparison, not, or, where } from "./masks.ts";
import type { OnnxNode } from "./model.ts";
import {
  concat,
  depthToSpace,
  expand,
  flatten,
  reshape,
  shapeOf,
  sizeOf,
  slice,
  spaceToDepth,
  split,
  squeeze,
  tile,
  transpose,
  unsqueeze,
} from "./movement.ts";
import { alias, type Convert, float, int, unsupported, valueAt } from "./node.ts";
import { batchNormalization, groupNormalization, instanceNormalization, layerNormalization } from "./normalisation.ts";
import { numbersOf } from "./numbers.ts";
import { pad } from "./pad.ts";
import { convInteger, dequantize, dynamicQuantize, matMulInteger, quantize } from "./quantised.ts";
import {
  globalLpPool,
  logSoftmax,
  lpNormalization,
  reduceL1,
  reduceL2,
  reduceLogSumExp,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceSum,
  reduceSumSquare,
} from "./reduce.ts";
import { resize } from "./resize.ts";
import { softmax } from "./softmax.ts";
import { averagePool, conv, globalPool, lpPool, lrn, maxPool } from "./windows.ts";

/** Data stay float32: half, single and double precision are computed alike, and integers only where nothing is cut off. */
const cast: Convert = async (state, node) => {
  const to = int(node, "to", 1);
  const value = valueAt(state, node, 0);
  // What is true or false is 1 or 0 as any type.
  const isMask = value?.kind === "data" && state.masks.has(value.node);
  if (!isMask && ![1, 10, 11, 16].includes(to)) throw unsupported(`data of type ${to}; they must stay real numbers.`);
  await alias(state, node);
};

const dropout: Convert = async (state, node) => {
  const mode = valueAt(state, node, 2);
  if (mode !== undefined) {
    if (mode.kind === "data" || ((await numbersOf(mode).load())[0] ?? 1) !== 0) throw unsupported("training mode.");
  }
  await alias(state, node);
};

const attention: Convert = () => {
  throw unsupported(
    "it is attention: transformers are not explained here, only convolutional networks. For transformers see AttnLRP (the package LXT).",
  );
};

const alphaOf =
  (otherwise: number) =>
  (node: OnnxNode): { alpha: number } => ({ alpha: float(node, "alpha", otherwise) });

/** Every ONNX operator that can be part of a network here. */
export const converters: Readonly<Record<string, Convert>> = {
  Abs: activation("abs"),
  Add: add,
  And: and,
  Attention: attention,
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Cast: cast,
  CastLike: alias,
  Celu: activation("celu", alphaOf(1)),
  Clip: clip,
  Concat: concat,
  Constant: constant,
  Conv: conv,
  ConvInteger: convInteger,
  ConvTranspose: convTranspose,
  DepthToSpace: depthToSpace,
  DequantizeLinear: dequantize,
  Div: divide,
  Dropout: dropout,
  DynamicQuantizeLinear: dynamicQuantize,
  Einsum: einsum,
  Elu: activation("elu", alphaOf(1)),
  Erf: activation("erf"),
  Exp: activation("exp"),
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  GatherND: gatherNd,
  Gelu: gelu,
  Gemm: gemm,
  GlobalAveragePool: globalPool("globalAveragePool2d"),
  GlobalLpPool: globalLpPool,
  GlobalMaxPool: globalPool("globalMaxPool2d"),
  Greater: comparison(0, false),
  GreaterOrEqual: comparison(0, true),
  GroupNormalization: groupNormalization,
  HardSigmoid: activation("hardSigmoid", (node) => ({
    alpha: float(node, "alpha", 0.2),
    beta: float(node, "beta", 0.5),
  })),
  HardSwish: activation("hardSwish"),
  Identity: alias,
  InstanceNormalization: instanceNormalization,
  LRN: lrn,
  LayerNormalization: layerNormalization(true),
  LeakyRelu: rectifier((node) => ({ op: "leakyRelu", slope: float(node, "alpha", 0.01) }), false),
  Less: comparison(1, false),
  LessOrEqual: comparison(1, true),
  Log: activation("log"),
  LogSoftmax: logSoftmax,
  LpNormalization: lpNormalization,
  LpPool: lpPool,
  MatMul: matMul,
  MatMulInteger: matMulInteger,
  Max: extremum("maximum"),
  MaxPool: maxPool,
  Min: extremum("minimum"),
  Mish: activation("mish"),
  Mean: mean,
  Mul: multiply,
  MultiHeadAttention: attention,
  Neg: negate,
  Not: not,
  Or: or,
  PRelu: prelu,
  Pad: pad,
  Pow: power,
  QuantizeLinear: quantize,
  RMSNormalization: layerNormalization(false),
  Reciprocal: activation("reciprocal"),
  ReduceL1: reduceL1,
  ReduceL2: reduceL2,
  ReduceLogSumExp: reduceLogSumExp,
  ReduceMax: reduceMax,
  ReduceMean: reduceMean,
  ReduceMin: reduceMin,
  ReduceSum: reduceSum,
  ReduceSumSquare: reduceSumSquare,
  Relu: rectifier(() => ({ op: "relu" }), true),
  Reshape: reshape,
  Resize: resize,
  ScatterND: scatterNd,
  Selu: selu,
  Shape: shapeOf,
  Sign: activation("sign"),
  Sigmoid: activation("sigmoid"),
  Size: sizeOf,
  Slice: slice,
  Softmax: softmax,
  Softplus: activation("softplus"),
  Softsign: activation("softsign"),
  SpaceToDepth: spaceToDepth,
  Split: split,
  Sqrt: activation("sqrt"),
  Squeeze: squeeze,
  Sub: subtract,
  Sum: add,
  Swish: activation("silu", alphaOf(1)),
  Tanh: activation("tanh"),
  ThresholdedRelu: activation("threshold", alphaOf(1)),
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Upsample: resize,
  Where: where,
};

/** Operators of networks that are not explained here, and why. */
export const strangers: Readonly<Record<string, string>> = {
  Conv3d: "networks for video and volumes are not explained here, only for images and signals.",
  Cos: "no relevance rule here covers a periodic function.",
  DFT: "a Fourier transform has no relevance rule here.",
  DeformConv: "it samples its input at places that depend on the photo: no relevance rule here covers that.",
  GRU: "recurrent networks are not explained here, only convolutional ones.",
  GridSample: "it samples its input at places of a grid: no relevance rule here covers that.",
  LSTM: "recurrent networks are not explained here, only convolutional ones.",
  Loop: "loops are not explained here: which layers there are must be known beforehand.",
  NonMaxSuppression: "detectors are not explained here, only classifiers.",
  RNN: "recurrent networks are not explained here, only convolutional ones.",
  RoiAlign: "detectors are not explained here, only classifiers.",
  Scan: "loops are not explained here: which layers there are must be known beforehand.",
  Sin: "no relevance rule here covers a periodic function.",
  TopK: "it sorts values inside the network: no relevance rule here covers that.",
};
