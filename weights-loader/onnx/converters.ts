import { add, divide, extremum, multiply, negate, power, subtract } from "./arithmetic.ts";
import { shaped, standard } from "./data.ts";
import { gemm, matMul } from "./dense.ts";
import { constant } from "./fold.ts";
import { activation, clip, gelu, prelu, rectifier, selu } from "./functions.ts";
import type { OnnxNode } from "./model.ts";
import {
  concat,
  depthToSpace,
  expand,
  flatten,
  gather,
  pad,
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
import { addLayer, alias, axisOf, type Convert, dataAt, float, int, setOutput, unsupported, valueAt } from "./node.ts";
import { batchNormalization, groupNormalization, instanceNormalization, layerNormalization } from "./normalisation.ts";
import { numbersOf } from "./numbers.ts";
import { convInteger, dequantize, dynamicQuantize, matMulInteger, quantize } from "./quantised.ts";
import {
  globalLpPool,
  reduceL1,
  reduceL2,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceSum,
  reduceSumSquare,
} from "./reduce.ts";
import { resize } from "./resize.ts";
import { averagePool, conv, convTranspose, globalPool, lpPool, lrn, maxPool } from "./windows.ts";

const softmax: Convert = (state, node) => {
  const data = dataAt(state, node, 0);
  const axis = axisOf(int(node, "axis", state.opset >= 13 ? -1 : 1), data.shape);
  // Axes of size 1 do not count; before opset 13 all axes from `axis` on are one vector.
  const isVector = data.shape.every((size, k) => size === 1 || k === axis - 1);
  const x = isVector ? shaped(state, data, [data.shape[axis - 1] ?? 1]) : standard(state, data);
  if (!isVector && (axis !== 1 || state.opset < 13)) {
    throw unsupported(`softmax over axis ${axis} of [N,${data.shape.join(",")}]; only channels (1) are supported.`);
  }
  setOutput(
    state,
    node,
    addLayer(state, node.name, [x.node], { op: "softmax" }, { shape: data.shape, at: x.at, isNonNegative: true }),
  );
};

/** Data stay float32: half, single and double precision are computed alike, and integers only where nothing is cut off. */
const cast: Convert = async (state, node) => {
  const to = int(node, "to", 1);
  if (![1, 10, 11, 16].includes(to)) throw unsupported(`data of type ${to}; they must stay real numbers.`);
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
  Elu: activation("elu", alphaOf(1)),
  Erf: activation("erf"),
  Exp: activation("exp"),
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  Gelu: gelu,
  Gemm: gemm,
  GlobalAveragePool: globalPool("globalAveragePool2d"),
  GlobalLpPool: globalLpPool,
  GlobalMaxPool: globalPool("globalMaxPool2d"),
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
  Log: activation("log"),
  LpPool: lpPool,
  MatMul: matMul,
  MatMulInteger: matMulInteger,
  Max: extremum("maximum"),
  MaxPool: maxPool,
  Min: extremum("minimum"),
  Mish: activation("mish"),
  Mul: multiply,
  MultiHeadAttention: attention,
  Neg: negate,
  PRelu: prelu,
  Pad: pad,
  Pow: power,
  QuantizeLinear: quantize,
  RMSNormalization: layerNormalization(false),
  Reciprocal: activation("reciprocal"),
  ReduceL1: reduceL1,
  ReduceL2: reduceL2,
  ReduceMax: reduceMax,
  ReduceMean: reduceMean,
  ReduceMin: reduceMin,
  ReduceSum: reduceSum,
  ReduceSumSquare: reduceSumSquare,
  Relu: rectifier(() => ({ op: "relu" }), true),
  Reshape: reshape,
  Resize: resize,
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
};

/** Nodes at the end of a graph that make decisions of scores, not scores: the network ends before them. */
export const endings: readonly string[] = ["ArgMax", "LogSoftmax", "TopK", "Hardmax"];
