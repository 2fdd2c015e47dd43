import type { Shape } from "../../engine/basics/tensor.ts";
import { type Window, windowPositions } from "../../engine/graph/window.ts";
import { joinPads } from "../graphs/network-builder.ts";
import { scaled } from "./affine.ts";
import { plain, reshaped } from "./data.ts";
import { functionAt } from "./functions.ts";
import type { OnnxNode } from "./model.ts";
import { imageOf } from "./movement.ts";
import {
  addLayer,
  type Convert,
  constantAt,
  dataAt,
  float,
  int,
  isData,
  pair,
  parameterAt,
  setOutput,
  unsupported,
  vectorAt,
} from "./node.ts";
import type { OnnxData, OnnxImport } from "./state.ts";
import { requireAxes, windowOf } from "./window.ts";

// Operators that slide a window over an image, or take all of it. A signal of one axis is an image of one row.

/** [C,H,W] of the network's output as the graph counts its axes. */
export function likeInput(x: OnnxData, shape: Shape): Shape {
  return x.shape.length === 2 ? [shape[0] ?? 1, shape[2] ?? 1] : shape;
}

export function refuseVolumes(shape: Shape): void {
  if (shape.length > 3)
    throw unsupported(
      "it slides over three axes: networks for video and volumes are not explained here, only for images and signals.",
    );
}

/** The weights of a convolution as [M,C/group,kh,kw]. */
export function kernelOf(shape: Shape): [number, number, number, number] {
  const [outer = 0, inner = 0, height = 0, width] = shape;
  if (shape.length === 3) return [outer, inner, 1, height];
  if (shape.length !== 4 || width === undefined)
    throw unsupported(`weights must be [M,C/group,kh,kw], got [${shape.join(",")}].`);
  return [outer, inner, height, width];
}

/** y = w * x + b over a window. */
export const conv: Convert = (state, node) => {
  const data = dataAt(state, node, 0);
  refuseVolumes(data.shape);
  requireAxes(node, data.shape);
  const x = imageOf(state, data.padsWith === undefined ? data : plain(state, data));
  if (isData(state, node, 1))
    throw unsupported(
      "its kernel is worked out from the photo (a dynamic convolution): no relevance rule here covers that.",
    );
  const weights = constantAt(state, node, 1);
  const shape = kernelOf(weights.shape);
  const [outChannels, inChannels, height, width] = shape;
  const group = int(node, "group", 1);
  if (!(group > 0) || inChannels * group !== x.at[0] || outChannels % group !== 0) {
    throw unsupported(`weights [${shape.join(",")}] in ${group} groups do not fit ${x.at[0]} channels.`);
  }
  const { kernelShape, strides, dilations, pads } = windowOf(node, [height, width], x.at);
  const [kh, kw] = pair(node, "kernel_shape", kernelShape);
  if (kh !== height || kw !== width) throw unsupported(`kernel_shape [${kh},${kw}] differs from the weights'.`);
  const output = windowPositions(
    { kernelShape, strides, dilations, pads, ceilMode: false },
    x.at[1] ?? 1,
    x.at[2] ?? 1,
  );
  const bias = vectorAt(state, node, 2, outChannels);
  const stage = {
    op: "conv2d",
    outChannels,
    kernelShape,
    strides,
    pads: x.pads === undefined ? pads : joinPads(x.pads, pads), // both are zeros, so one padding does
    dilations,
    group,
    weight: parameterAt(state, node, 1, shape),
    ...(bias === undefined ? {} : { bias }),
  } as const;
  const at = [outChannels, ...output];
  setOutput(state, node, addLayer(state, node.name, [x.node], stage, { shape: likeInput(x, at), at }));
};

/** Where a window counts differently with pads that are the image's own: when its last one may stick out. */
function takesPads({ ceilMode }: Window): boolean {
  return !ceilMode;
}

/** The largest value of a window. */
export const maxPool: Convert = (state, node) => {
  const data = dataAt(state, node, 0);
  refuseVolumes(data.shape);
  requireAxes(node, data.shape);
  const raw = imageOf(state, data);
  const window = windowOf(node, pair(node, "kernel_shape", [0, 0]), raw.at);
  const { kernelShape } = window;
  // A padded zero can win, an ignored position cannot: the same only where nothing is below zero and a window sees the image.
  const isSeen = raw.pads?.every((pad, i) => pad + (window.pads[i] ?? 0) < kernelShape[i % 2]!) === true;
  const isExact = isSeen && takesPads(window) && (raw.padsWith === "lowest" || raw.isNonNegative === true);
  const x = isExact ? raw : imageOf(state, plain(state, raw));
  const { strides, dilations, ceilMode } = window;
  const pads = x.pads === undefined ? window.pads : joinPads(x.pads, window.pads);
  const stage = { op: "maxPool2d", kernelShape, strides, pads, dilations, ceilMode } as const;
  const at = [x.at[0] ?? 1, ...windowPositions(window, x.at[1] ?? 1, x.at[2] ?? 1)];
  const isNonNegative = raw.isNonNegative === true;
  setOutput(state, node, addLayer(state, node.name, [x.node], stage, { shape: likeInput(x, at), at, isNonNegative }));
};

function meanOf(state: OnnxImport, node: OnnxNode, data: OnnxData, wish: string): { y: OnnxData; area: number } {
  refuseVolumes(data.shape);
  requireAxes(node, data.shape);
  const raw = imageOf(state, data);
  const window = windowOf(node, pair(node, "kernel_shape", [0, 0]), raw.at);
  if (window.dilations.some((step) => step !== 1)) throw unsupported("dilated average pooling.");
  // Zeros of a Pad node count in the mean, exactly as count_include_pad counts them.
  const isExact =
    raw.pads !== undefined && raw.padsWith === undefined && takesPads(window) && window.pads.every((pad) => pad === 0);
  const x = isExact ? raw : imageOf(state, plain(state, raw));
  const isIdentity =
    [...window.kernelShape, ...window.strides].every((n) => n === 1) && !(x.pads ?? window.pads).some(Boolean);
  const area = window.kernelShape[0] * window.kernelShape[1];
  if (isIdentity) return { y: data, area }; // PyTorch's adaptive pooling where the sizes agree already
  const stage = {
    op: "averagePool2d",
    kernelShape: window.kernelShape,
    strides: window.strides,
    pads: x.pads ?? window.pads,
    ceilMode: window.ceilMode,
    countIncludePad: x.pads !== undefined || int(node, "count_include_pad", 0) !== 0,
  } as const;
  const at = [x.at[0] ?? 1, ...windowPositions(window, x.at[1] ?? 1, x.at[2] ?? 1)];
  const isNonNegative = raw.isNonNegative === true;
  return { y: addLayer(state, wish, [x.node], stage, { shape: likeInput(x, at), at, isNonNegative }), area };
}

/** A pool over three axes that takes one place along the last two, as a pool over two: PyTorch's local response norm has one. */
function flatPool(state: OnnxImport, node: OnnxNode): boolean {
  const x = dataAt(state, node, 0);
  const list = (name: string, otherwise: number, count: number): readonly number[] =>
    node.attributes.get(name)?.ints ?? Array<number>(count).fill(otherwise);
  const [kernel, strides, pads] = [list("kernel_shape", 0, 3), list("strides", 1, 3), list("pads", 0, 6)];
  const isFlat =
    x.shape.length === 4 &&
    kernel.length === 3 &&
    [1, 2].every((k) => kernel[k] === 1 && strides[k] === 1 && !pads[k] && !pads[k + 3]);
  if (!isFlat) return false;
  const [channels = 1, depth = 1, height = 1, width = 1] = x.shape;
  const attributes = new Map(node.attributes);
  const attribute = (name: string, ints: readonly number[]): void => void attributes.set(name, { ints, floats: [] });
  attribute("kernel_shape", [kernel[0] ?? 1, 1]);
  attribute("strides", [strides[0] ?? 1, 1]);
  attribute("pads", [pads[0] ?? 0, 0, pads[3] ?? 0, 0]);
  attributes.delete("dilations");
  const { y } = meanOf(
    state,
    { ...node, attributes },
    reshaped(state, x, [channels, depth, height * width]),
    node.name,
  );
  setOutput(state, node, reshaped(state, y, [channels, y.shape[1] ?? 1, height, width]));
  return true;
}

/** The mean of a window. */
export const averagePool: Convert = (state, node) => {
  if (flatPool(state, node)) return;
  setOutput(state, node, meanOf(state, node, dataAt(state, node, 0), node.name).y);
};

/** (sum of |x|^p over a window)^(1/p). */
export const lpPool: Convert = (state, node) => {
  const p = int(node, "p", 2);
  const window = {
    ...node,
    attributes: new Map([...node.attributes, ["count_include_pad", { i: 1, ints: [], floats: [] }] as const]),
  };
  const powers = functionAt(
    state,
    `${node.name}.powers`,
    functionAt(state, `${node.name}.abs`, dataAt(state, node, 0), "abs"),
    "power",
    { alpha: p },
  );
  if (int(node, "ceil_mode", 0) !== 0) throw unsupported("ceil_mode.");
  const { y, area } = meanOf(state, window, powers, `${node.name}.mean`);
  const sums = scaled(state, `${node.name}.sum`, y, area);
  setOutput(state, node, functionAt(state, node.name, sums, "power", { alpha: 1 / p }));
};

/** The mean or the largest value of the whole image, with axes of size 1 left. */
export function wholeImage(
  state: OnnxImport,
  wish: string,
  data: OnnxData,
  op: "globalAveragePool2d" | "globalMaxPool2d",
): OnnxData {
  const x = imageOf(state, plain(state, data));
  const channels = x.at[0] ?? 1;
  const shape = [channels, ...x.shape.slice(1).map(() => 1)];
  return addLayer(
    state,
    wish,
    [x.node],
    { op },
    { shape, at: [channels, 1, 1], isNonNegative: x.isNonNegative === true },
  );
}

export function globalPool(op: "globalAveragePool2d" | "globalMaxPool2d"): Convert {
  return (state, node) => {
    const data = dataAt(state, node, 0);
    refuseVolumes(data.shape);
    setOutput(state, node, wholeImage(state, node.name, data, op));
  };
}

export const lrn: Convert = (state, node) => {
  const x = imageOf(state, plain(state, dataAt(state, node, 0)));
  const size = int(node, "size", 0);
  if (!(size > 0) || size % 2 === 0) throw unsupported(`size must be odd, got ${size}.`);
  const [alpha, beta, bias] = [float(node, "alpha", 1e-4), float(node, "beta", 0.75), float(node, "bias", 1)];
  const { kind: _, node: from, ...layout } = x;
  setOutput(state, node, addLayer(state, node.name, [from], { op: "lrn", size, alpha, beta, bias }, layout));
};
