import { formatShape } from "../../engine/basics/tensor.ts";
import { windowPositions } from "../../engine/graph/window.ts";
import { joinPads } from "../graphs/network-builder.ts";
import {
  axisOf,
  type Convert,
  emit,
  imageAt,
  int,
  intsOf,
  pair,
  plainDataAt,
  setOutput,
  tensorAt,
  unsupported,
  valueAt,
  vectorAt,
} from "./node.ts";
import { windowOf } from "./window.ts";

// Operators that slide a window over an image, or take all of it.

/** y = w * x + b over a window. */
export const conv: Convert = (state, node) => {
  const x = imageAt(state, node);
  const w = tensorAt(state, node, 1);
  const [outChannels = 0, inChannels = 0, height = 0, width = 0] = w.shape;
  const group = int(node, "group", 1);
  if (w.shape.length !== 4) throw unsupported(`weights must be [M,C/group,kh,kw], got ${formatShape(w.shape)}.`);
  if (!(group > 0) || inChannels * group !== x.shape[0] || outChannels % group !== 0) {
    throw unsupported(`weights ${formatShape(w.shape)} in ${group} groups do not fit ${x.shape[0]} channels.`);
  }
  const { kernelShape, strides, dilations, pads } = windowOf(node, [height, width], x.shape);
  const [, rows = 0, columns = 0] = x.shape;
  const [kh, kw] = pair(node, "kernel_shape", kernelShape);
  if (kh !== height || kw !== width) throw unsupported(`kernel_shape [${kh},${kw}] differs from the weights'.`);
  const output = windowPositions({ kernelShape, strides, dilations, pads, ceilMode: false }, rows, columns);
  const bias = vectorAt(state, node, 2, outChannels);
  const layer = {
    op: "conv2d",
    outChannels,
    kernelShape,
    strides,
    pads: x.pads === undefined ? pads : joinPads(x.pads, pads), // both are zeros, so one padding does
    dilations,
    group,
    weight: state.addTensor(w),
    ...(bias === undefined ? {} : { bias }),
  } as const;
  emit(state, node, [x.node], layer, [outChannels, ...output]);
};

/** The largest value of a window. */
export const maxPool: Convert = (state, node) => {
  const raw = imageAt(state, node);
  const kernelShape = pair(node, "kernel_shape", [0, 0]);
  const window = windowOf(node, kernelShape, raw.shape);
  // A padded zero can win, an ignored position cannot: the same only where nothing is below zero and a window sees the image.
  const isExact = raw.isNonNegative && raw.pads?.every((pad, i) => pad + (window.pads[i] ?? 0) < kernelShape[i % 2]!);
  const x = raw.pads !== undefined && isExact ? raw : plainDataAt(state, node, 0);
  const [channels = 0, rows = 0, columns = 0] = x.shape;
  const { strides, dilations, ceilMode } = window;
  const pads = x.pads === undefined ? window.pads : joinPads(x.pads, window.pads);
  const layer = { op: "maxPool2d", kernelShape, strides, pads, dilations, ceilMode } as const;
  emit(state, node, [x.node], layer, [channels, ...windowPositions(window, rows, columns)], raw.isNonNegative);
};

/** The mean of a window. */
export const averagePool: Convert = (state, node) => {
  const raw = imageAt(state, node);
  const window = windowOf(node, pair(node, "kernel_shape", [0, 0]), raw.shape);
  if (window.dilations.some((step) => step !== 1)) throw unsupported("dilated average pooling.");
  // Zeros of a Pad node count in the mean, exactly as count_include_pad counts them.
  const isExact = raw.pads !== undefined && window.pads.every((pad) => pad === 0);
  const x = isExact ? raw : plainDataAt(state, node, 0);
  const [channels = 0, rows = 0, columns = 0] = x.shape;
  const isIdentity =
    [...window.kernelShape, ...window.strides].every((n) => n === 1) && !(x.pads ?? window.pads).some(Boolean);
  if (isIdentity) {
    setOutput(state, node, x); // PyTorch's adaptive pooling where the sizes agree already
    return;
  }
  const layer = {
    op: "averagePool2d",
    kernelShape: window.kernelShape,
    strides: window.strides,
    pads: x.pads ?? window.pads,
    ceilMode: window.ceilMode,
    countIncludePad: x.pads !== undefined || int(node, "count_include_pad", 0) !== 0,
  } as const;
  emit(state, node, [x.node], layer, [channels, ...windowPositions(window, rows, columns)], raw.isNonNegative);
};

/** The mean or the largest value of the whole image. */
export function globalPool(op: "globalAveragePool2d" | "globalMaxPool2d"): Convert {
  return (state, node) => {
    imageAt(state, node);
    const x = plainDataAt(state, node, 0);
    emit(state, node, [x.node], { op }, [x.shape[0] ?? 0, 1, 1], x.isNonNegative);
  };
}

/** The mean over rows and columns is a global average pool. */
export const reduceMean: Convert = async (state, node) => {
  imageAt(state, node);
  const x = plainDataAt(state, node, 0);
  const given = valueAt(state, node, 1);
  const axes = given === undefined ? (node.attributes.get("axes")?.ints ?? []) : await intsOf(given, "axes");
  const sorted = axes.map((axis) => axisOf(axis, x.shape)).sort();
  if (sorted.join() !== "2,3")
    throw unsupported(`a mean over axes [${axes.join(",")}]; only rows and columns together.`);
  const [channels = 0] = x.shape;
  if (int(node, "keepdims", 1) !== 0) {
    emit(state, node, [x.node], { op: "globalAveragePool2d" }, [channels, 1, 1], x.isNonNegative);
    return;
  }
  const name = state.add(`${node.name}.mean`, [x.node], { op: "globalAveragePool2d" });
  emit(state, node, [name], { op: "flatten" }, [channels], x.isNonNegative);
};
