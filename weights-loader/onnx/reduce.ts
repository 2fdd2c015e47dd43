import { elementCount, type Shape, sameShape } from "../../engine/basics/tensor.ts";
import { scaled } from "./affine.ts";
import { product, sum as total } from "./arithmetic.ts";
import { plain, reshaped, settled, shaped, transposed } from "./data.ts";
import { functionAt } from "./functions.ts";
import type { OnnxNode } from "./model.ts";
import { addLayer, axisOf, type Convert, dataAt, int, intsAt, setOutput, unsupported } from "./node.ts";
import type { OnnxData, OnnxImport } from "./state.ts";

// One value for all along some axes: a pool over the whole of an image whose rows and columns are those axes.

/** Axes to reduce, without the batch. */
async function reducedAxes(state: OnnxImport, node: OnnxNode, x: OnnxData): Promise<readonly number[]> {
  const given = await intsAt(state, node, 1, "axes");
  if ((given === undefined || given.length === 0) && int(node, "noop_with_empty_axes", 0) !== 0) return [];
  const axes = (given?.length ? given : [...x.shape.map((_, k) => k + 1), 0]).map((axis) => axisOf(axis, x.shape));
  if (axes.includes(0)) throw unsupported("photos of a batch would be mixed.");
  return axes.map((axis) => axis - 1).sort((a, b) => a - b);
}

/** The mean or largest value along axes. */
export function pooled(
  state: OnnxImport,
  wish: string,
  x: OnnxData,
  axes: readonly number[],
  keepsAxes: boolean,
  op: "globalAveragePool2d" | "globalMaxPool2d",
): OnnxData {
  const kept = x.shape.map((_, k) => k).filter((k) => !axes.includes(k));
  const whole = x.shape.map((size, k) => (axes.includes(k) ? 1 : size));
  const shape: Shape = keepsAxes ? whole : kept.map((k) => x.shape[k]!);
  const front = settled(state, transposed(state, x, [...kept, ...axes]));
  const channels = elementCount(kept.map((k) => x.shape[k]!));
  const sizes = axes.map((k) => x.shape[k]!);
  // Rows and columns as they are, or all reduced axes as one.
  const image = [channels, elementCount(sizes.slice(0, -1)), sizes.at(-1) ?? 1];
  const input = sameShape(front.at, image) ? front : shaped(state, front, image);
  const isNonNegative = x.isNonNegative === true;
  const value = addLayer(state, wish, [input.node], { op }, { shape: [channels], at: [channels, 1, 1], isNonNegative });
  return reshaped(state, value, shape.length === 0 ? [1] : shape);
}

/** A converter: the mean of `before` along axes, `after`wards made what the operator wants; `after` is told how many were taken together. */
function reduction(
  before: (state: OnnxImport, wish: string, x: OnnxData) => OnnxData,
  after: (state: OnnxImport, wish: string, y: OnnxData, count: number) => OnnxData,
  op: "globalAveragePool2d" | "globalMaxPool2d" = "globalAveragePool2d",
): Convert {
  return async (state, node) => {
    const x = dataAt(state, node, 0);
    const axes = await reducedAxes(state, node, x);
    const count = elementCount(axes.map((k) => x.shape[k]!));
    const input = before(state, `${node.name}.values`, x);
    const isNothing = axes.length === 0;
    const mean = isNothing ? input : pooled(state, node.name, input, axes, int(node, "keepdims", 1) !== 0, op);
    setOutput(state, node, after(state, `${node.name}.result`, mean, count));
  };
}

const same = (_state: OnnxImport, _wish: string, x: OnnxData): OnnxData => x;
const negative = (state: OnnxImport, wish: string, x: OnnxData): OnnxData => scaled(state, wish, x, -1);
const squared = (state: OnnxImport, wish: string, x: OnnxData): OnnxData =>
  functionAt(state, wish, x, "power", { alpha: 2 });
const sum = (state: OnnxImport, wish: string, y: OnnxData, count: number): OnnxData => scaled(state, wish, y, count);

export const reduceMean: Convert = reduction(same, same);
export const reduceSum: Convert = reduction(same, sum);
export const reduceMax: Convert = reduction(same, same, "globalMaxPool2d");
export const reduceMin: Convert = reduction(negative, negative, "globalMaxPool2d");
export const reduceSumSquare: Convert = reduction(squared, sum);
export const reduceL1: Convert = reduction((state, wish, x) => functionAt(state, wish, x, "abs"), sum);
export const reduceL2: Convert = reduction(squared, (state, wish, y, count) =>
  functionAt(state, `${wish}.root`, sum(state, wish, y, count), "sqrt"),
);
/** x over its length along an axis: |x| added up (p 1), or the root of the sum of squares (2). */
export const lpNormalization: Convert = (state, node) => {
  const x = plain(state, dataAt(state, node, 0));
  const axis = axisOf(int(node, "axis", -1), x.shape) - 1;
  const p = int(node, "p", 2);
  if (axis < 0) throw unsupported("photos of a batch would be mixed.");
  if (p !== 1 && p !== 2) throw unsupported(`p ${p}.`);
  const parts = p === 1 ? functionAt(state, `${node.name}.abs`, x, "abs") : squared(state, `${node.name}.squares`, x);
  const mean = pooled(state, `${node.name}.mean`, parts, [axis], true, "globalAveragePool2d");
  const added = sum(state, `${node.name}.sum`, mean, x.shape[axis] ?? 1);
  const length = p === 1 ? added : functionAt(state, `${node.name}.root`, added, "sqrt");
  setOutput(
    state,
    node,
    product(state, node.name, x, functionAt(state, `${node.name}.reciprocal`, length, "reciprocal")),
  );
};

/** ln sum e^x along axes, by its definition m + ln sum e^(x - m) with m the largest; `centred` is x - m, `largest` m and `logarithm` the rest. */
function logSumExp(
  state: OnnxImport,
  wish: string,
  x: OnnxData,
  axes: readonly number[],
  keepsAxes: boolean,
): { centred: OnnxData; largest: OnnxData; logarithm: OnnxData } {
  const count = elementCount(axes.map((k) => x.shape[k]!));
  const largest = pooled(state, `${wish}.max`, x, axes, true, "globalMaxPool2d");
  const centred = total(state, `${wish}.difference`, [x, negative(state, `${wish}.negative`, largest)], 0);
  const powers = functionAt(state, `${wish}.exp`, centred, "exp");
  const mean = pooled(state, `${wish}.mean`, powers, axes, keepsAxes, "globalAveragePool2d");
  const logarithm = functionAt(state, `${wish}.log`, sum(state, `${wish}.sum`, mean, count), "log");
  return { centred, largest, logarithm };
}

export const reduceLogSumExp: Convert = async (state, node) => {
  const x = plain(state, dataAt(state, node, 0));
  const axes = await reducedAxes(state, node, x);
  const keepsAxes = int(node, "keepdims", 1) !== 0;
  const { largest, logarithm } = logSumExp(state, node.name, x, axes, keepsAxes);
  setOutput(state, node, total(state, node.name, [logarithm, reshaped(state, largest, logarithm.shape)]));
};

/** x - ln sum e^x along an axis, inside a network. */
export const logSoftmax: Convert = (state, node) => {
  const x = plain(state, dataAt(state, node, 0));
  const axis = axisOf(int(node, "axis", state.opset >= 13 ? -1 : 1), x.shape);
  if (axis === 0) throw unsupported("photos of a batch would be mixed.");
  // Before opset 13 all axes from `axis` on are one vector.
  const axes = x.shape.map((_, k) => k).filter((k) => (state.opset < 13 ? k >= axis - 1 : k === axis - 1));
  const { centred, logarithm } = logSumExp(state, node.name, x, axes, true);
  setOutput(state, node, total(state, node.name, [centred, negative(state, `${node.name}.normaliser`, logarithm)], 0));
};

/** The root of the sum of squares over the whole image. */
export const globalLpPool: Convert = (state, node) => {
  const p = int(node, "p", 2);
  const x = dataAt(state, node, 0);
  const axes = x.shape.map((_, k) => k).slice(1);
  const count = elementCount(x.shape.slice(1));
  const powers = functionAt(state, `${node.name}.powers`, functionAt(state, `${node.name}.abs`, x, "abs"), "power", {
    alpha: p,
  });
  const total = sum(
    state,
    `${node.name}.sum`,
    pooled(state, `${node.name}.mean`, powers, axes, true, "globalAveragePool2d"),
    count,
  );
  setOutput(state, node, functionAt(state, node.name, total, "power", { alpha: 1 / p }));
};
