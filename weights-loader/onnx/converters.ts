import { elementCount, formatShape, sameShape } from "../../engine/basics/tensor.ts";
import type { Stage } from "../../engine/graph/definition.ts";
import { readRange } from "../bytes/source.ts";
import { type StoredTensor, storedWeights } from "../tensors/weight-file.ts";
import { add, broadcast, divide, multiply, subtract } from "./arithmetic.ts";
import type { OnnxNode } from "./model.ts";
import {
  alias,
  axisOf,
  type Convert,
  emit,
  float,
  imageAt,
  int,
  intsOf,
  plainDataAt,
  scalarAt,
  setOutput,
  tensorAt,
  unsupported,
  valueAt,
  vectorAt,
} from "./node.ts";
import {
  concat,
  constant,
  constantOfShape,
  flatten,
  gather,
  reshape,
  shapeOf,
  slice,
  squeeze,
  transpose,
  unsqueeze,
} from "./shapes.ts";
import type { OnnxImport } from "./state.ts";
import { averagePool, conv, globalPool, maxPool, reduceMean } from "./windows.ts";

const lrn: Convert = (state, node) => {
  imageAt(state, node);
  const x = plainDataAt(state, node, 0);
  const size = int(node, "size", 0);
  if (!(size > 0) || size % 2 === 0) throw unsupported(`size must be odd, got ${size}.`);
  const [alpha, beta, bias] = [float(node, "alpha", 1e-4), float(node, "beta", 0.75), float(node, "bias", 1)];
  emit(state, node, [x.node], { op: "lrn", size, alpha, beta, bias }, x.shape, x.isNonNegative);
};

function activation(layer: (node: OnnxNode) => Stage, isNonNegative: boolean): Convert {
  return (state, node) => {
    const x = plainDataAt(state, node, 0);
    emit(state, node, [x.node], layer(node), x.shape, isNonNegative);
  };
}

/** Largest float32: what ONNX takes where a limit is absent. */
const largest = 3.4028234663852886e38;

const clip: Convert = async (state, node) => {
  const x = plainDataAt(state, node, 0);
  const low = (await scalarAt(state, node, 1, "min")) ?? -largest;
  const high = (await scalarAt(state, node, 2, "max")) ?? largest;
  emit(state, node, [x.node], { op: "clip", low, high }, x.shape, Math.min(low, high) >= 0);
};

/** y = W x + b from weights [K,N] or, transposed, [N,K]. */
function dense(
  state: OnnxImport,
  node: OnnxNode,
  isTransposed: boolean,
  scale: number,
  bias: string | undefined,
): void {
  const x = plainDataAt(state, node, 0);
  const w = tensorAt(state, node, 1);
  const [rows = 0, columns = 0] = w.shape;
  const [outFeatures, inFeatures] = isTransposed ? [rows, columns] : [columns, rows];
  if (w.shape.length !== 2 || !sameShape(x.shape, [inFeatures])) {
    throw unsupported(`weights ${formatShape(w.shape)} do not fit a vector of ${formatShape(x.shape)}.`);
  }
  const [rowStride, columnStride] = w.strides ?? [columns, 1];
  const oriented: StoredTensor = isTransposed
    ? w
    : { ...w, shape: [outFeatures, inFeatures], strides: [columnStride ?? 1, rowStride ?? 1] };
  const weight =
    scale === 1
      ? state.addTensor(oriented)
      : state.addTensor({
          name: oriented.name,
          shape: oriented.shape,
          compute: async () => {
            const file = storedWeights({ name: node.name, format: "onnx" }, [oriented]);
            return (await file.read(oriented.name)).map((value) => value * scale);
          },
        });
  const layer = { op: "dense", outFeatures, weight, ...(bias === undefined ? {} : { bias }) } as const;
  emit(state, node, [x.node], layer, [outFeatures]);
}

const gemm: Convert = async (state, node) => {
  if (int(node, "transA", 0) !== 0) throw unsupported("transA.");
  const w = tensorAt(state, node, 1);
  const isTransposed = int(node, "transB", 0) !== 0;
  const outFeatures = (isTransposed ? w.shape[0] : w.shape[1]) ?? 0;
  const beta = float(node, "beta", 1);
  let bias: string | undefined;
  if ((node.inputs[2] ?? "") !== "" && beta !== 0) {
    const c = tensorAt(state, node, 2);
    if (beta === 1 && elementCount(c.shape) === outFeatures) {
      bias = vectorAt(state, node, 2, outFeatures);
    } else {
      const values = await broadcast(c, [outFeatures]);
      bias = state.addVector(
        c.name,
        values.map((value) => value * beta),
      );
    }
  }
  dense(state, node, isTransposed, float(node, "alpha", 1), bias);
};

const batchNormalization: Convert = (state, node) => {
  const x = plainDataAt(state, node, 0);
  const [channels = 0] = x.shape;
  if (int(node, "training_mode", 0) !== 0) throw unsupported("training mode.");
  if (int(node, "spatial", 1) === 0) throw unsupported("statistics per position.");
  const vector = (index: number): string => {
    const name = vectorAt(state, node, index, channels);
    if (name === undefined) throw unsupported(`input ${index} is missing.`);
    return name;
  };
  const layer = { op: "batchNorm", scale: vector(1), bias: vector(2), mean: vector(3), variance: vector(4) } as const;
  emit(state, node, [x.node], { ...layer, epsilon: float(node, "epsilon", 1e-5) }, x.shape);
};

const pad: Convert = async (state, node) => {
  const x = plainDataAt(state, node, 0);
  const mode = node.attributes.get("mode")?.s ?? "constant";
  const value = (await scalarAt(state, node, 2, "value")) ?? 0;
  if (mode !== "constant" || value !== 0)
    throw unsupported(`padding with ${mode === "constant" ? value : mode}; only zeros.`);
  const given = valueAt(state, node, 1);
  const numbers = given === undefined ? (node.attributes.get("pads")?.ints ?? []) : await intsOf(given, "pads");
  const rank = x.shape.length + 1;
  const axesValue = valueAt(state, node, 3);
  const axes = axesValue === undefined ? Array.from({ length: rank }, (_, i) => i) : await intsOf(axesValue, "axes");
  const begins = Array<number>(rank).fill(0);
  const ends = Array<number>(rank).fill(0);
  for (const [i, axis] of axes.entries()) {
    begins[axisOf(axis, x.shape)] = numbers[i] ?? 0;
    ends[axisOf(axis, x.shape)] = numbers[i + axes.length] ?? 0;
  }
  const all = [...begins, ...ends];
  if (numbers.length !== 2 * axes.length || !all.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw unsupported(`pads [${numbers.join(",")}] must be non-negative, two per axis.`);
  }
  if (all.every((n) => n === 0)) {
    setOutput(state, node, x);
    return;
  }
  if (rank !== 4 || begins[0] || ends[0] || begins[1] || ends[1])
    throw unsupported("padding of other axes than rows and columns.");
  const [, , top = 0, left = 0] = begins;
  const [, , bottom = 0, right = 0] = ends;
  const [channels = 0, height = 0, width = 0] = x.shape;
  const shape = [channels, height + top + bottom, width + left + right];
  setOutput(state, node, { ...x, shape, pads: [top, left, bottom, right] });
};

const softmax: Convert = (state, node) => {
  const x = plainDataAt(state, node, 0);
  const axis = axisOf(int(node, "axis", state.opset >= 13 ? -1 : 1), x.shape);
  // Before opset 13 all axes from `axis` on are one vector; that is the softmax over channels where they are the only ones.
  if (axis !== 1 || (state.opset < 13 && elementCount(x.shape) !== x.shape[0])) {
    throw unsupported(`softmax over axis ${axis} of [N,${x.shape.join(",")}]; only channels (1) are supported.`);
  }
  emit(state, node, [x.node], { op: "softmax" }, x.shape, true);
};

const cast: Convert = async (state, node) => {
  const value = valueAt(state, node, 0);
  if (value?.kind === "data" && int(node, "to", 1) !== 1) throw unsupported("data must stay float32.");
  await alias(state, node);
};

const dropout: Convert = async (state, node) => {
  const mode = valueAt(state, node, 2);
  if (mode !== undefined) {
    const isTraining =
      mode.kind !== "constant" ||
      ((await readRange(mode.tensor.source, mode.tensor.offset, 1, "training_mode"))[0] ?? 1) !== 0;
    if (isTraining) throw unsupported("training mode.");
  }
  await alias(state, node);
};

/** Every ONNX operator that can be part of a network here. */
export const converters: Readonly<Record<string, Convert>> = {
  Add: add,
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Cast: cast,
  Clip: clip,
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Conv: conv,
  Div: divide,
  Dropout: dropout,
  Flatten: flatten,
  Gather: gather,
  Gemm: gemm,
  GlobalAveragePool: globalPool("globalAveragePool2d"),
  GlobalMaxPool: globalPool("globalMaxPool2d"),
  Identity: alias,
  LRN: lrn,
  LeakyRelu: activation((node) => ({ op: "leakyRelu", slope: float(node, "alpha", 0.01) }), false),
  MatMul: (state, node) => dense(state, node, false, 1, undefined),
  MaxPool: maxPool,
  Mul: multiply,
  Pad: pad,
  ReduceMean: reduceMean,
  Relu: activation(() => ({ op: "relu" }), true),
  Reshape: reshape,
  Shape: shapeOf,
  Slice: slice,
  Softmax: softmax,
  Squeeze: squeeze,
  Sub: subtract,
  Sum: add,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
