import { elementCount, type Shape, sameShape } from "../../engine/basics/tensor.ts";
import { affine, scaled } from "./affine.ts";
import { plain, reshaped, settled, shaped, standard, taken } from "./data.ts";
import { everywhere, functionAt, localResponseNorm, rectified, timesItself } from "./functions.ts";
import type { OnnxNode } from "./model.ts";
import {
  addLayer,
  anyDataAt,
  type Convert,
  constantAt,
  dataAt,
  engineShape,
  isData,
  setOutput,
  unsupported,
} from "./node.ts";
import { broadcastShape, mapNumbers } from "./numbers.ts";
import type { OnnxData, OnnxImport, OnnxNumbers } from "./state.ts";

// Arithmetic between data, and between data and constants.

/** Repeated to a shape, as NumPy broadcasts. */
export function broadcast(state: OnnxImport, wish: string, x: OnnxData, shape: Shape): OnnxData {
  const lead = shape.length - x.shape.length;
  let value = lead > 0 ? reshaped(state, x, [...Array<number>(lead).fill(1), ...x.shape]) : x;
  for (const [axis, size] of shape.entries()) {
    if (value.shape[axis] === size) continue;
    value = taken(state, `${wish}.repeated`, value, axis, Array<number>(size).fill(0));
  }
  return value;
}

/** Both in one layout, repeated to one shape. */
export function alike(state: OnnxImport, wish: string, values: readonly OnnxData[]): OnnxData[] {
  const shape = broadcastShape(values.map((value) => value.shape));
  const [first] = values;
  const isAlike = values.every(
    (value) =>
      first !== undefined &&
      sameShape(value.shape, first.shape) &&
      sameShape(value.at, first.at) &&
      value.order?.join() === first.order?.join() &&
      sameShape(value.base ?? [], first.base ?? []),
  );
  if (isAlike) return values.map((value) => plain(state, value));
  return values.map((value) => standard(state, broadcast(state, wish, value, shape)));
}

/** Sum of data. */
export function sum(state: OnnxImport, wish: string, values: readonly OnnxData[], signal?: number): OnnxData {
  const all = alike(state, wish, values);
  const [first] = all;
  if (first === undefined) throw unsupported("it has no input.");
  const { kind: _, node: __, isGate: ___, ...layout } = first;
  const isNonNegative = all.every((value) => value.isNonNegative === true);
  const inputs = all.map((value) => value.node);
  return addLayer(
    state,
    wish,
    inputs,
    { op: "add", ...(signal === undefined ? {} : { signal }) },
    { ...layout, isNonNegative },
  );
}

/** The node whose sign, or size, a node computes. */
function behind(state: OnnxImport, node: string, name: "sign" | "abs"): string | undefined {
  const made = state.stages.get(node);
  if (made?.stage.op === "relu" && name === "abs") return behind(state, made.inputs[0] ?? "", name);
  return made?.stage.op === "activation" && made.stage.function === name ? made.inputs[0] : undefined;
}

/** True where one is the sign and the other the size of the same value, as PyTorch writes Lp pooling. */
function isSignAndSize(state: OnnxImport, sign: OnnxData, size: OnnxData): boolean {
  const value = behind(state, sign.node, "sign");
  return value !== undefined && value === behind(state, size.node, "abs");
}

/** That value. */
function signedBack(state: OnnxImport, sign: OnnxData, size: OnnxData): OnnxData {
  const { isGate: _, ...layout } = sign;
  return { ...layout, node: behind(state, size.node, "abs") ?? sign.node, isNonNegative: false };
}

/** Product of data: what repeats is the gate, or what is known to scale. */
export function product(state: OnnxImport, wish: string, a: OnnxData, b: OnnxData): OnnxData {
  const isSame = sameShape(a.shape, b.shape);
  if (isSame && a.order?.join() === b.order?.join() && a.pads === undefined && b.pads === undefined) {
    for (const [x, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const fact = state.masks.get(other.node);
      const kept = fact?.isAbove === true ? rectified(state, wish, fact, x) : undefined;
      if (kept !== undefined) return kept;
      if (isSignAndSize(state, x, other)) return signedBack(state, x, other);
      const norm = localResponseNorm(state, x, other);
      if (norm !== undefined) return everywhere(state, wish, x, norm, { isNonNegative: x.isNonNegative === true });
      const known = timesItself(state, x, other);
      if (known === undefined) continue;
      const { factor, function: name, ...parameters } = known;
      return scaled(state, `${wish}.scaled`, functionAt(state, wish, x, name, parameters), factor);
    }
  }
  const isNonNegative = a.isNonNegative === true && b.isNonNegative === true;
  const gate =
    a.isGate === true && b.isGate !== true && elementCount(a.shape) === elementCount(b.shape) ? { gate: 0 } : {};
  const stage = { op: "multiply", ...gate } as const;
  if (isSame) {
    const [x, y] = alike(state, wish, [a, b]) as [OnnxData, OnnxData]; // two in, two out
    const { kind: _, node: __, isGate: ___, ...layout } = x;
    return addLayer(state, wish, [x.node, y.node], stage, { ...layout, isNonNegative });
  }
  const shape = broadcastShape([a.shape, b.shape]);
  const aligned = (x: OnnxData): OnnxData =>
    reshaped(state, settled(state, x), [...Array<number>(shape.length - x.shape.length).fill(1), ...x.shape]);
  const [x, y] =
    shape.length <= 3 ? [aligned(a), aligned(b)] : [broadcast(state, wish, a, shape), broadcast(state, wish, b, shape)];
  const at = (value: OnnxData): OnnxData => shaped(state, value, engineShape(value.shape));
  return addLayer(state, wish, [at(x).node, at(y).node], stage, { shape, at: engineShape(shape), isNonNegative });
}

/** The data and the constant beside it. */
function sides(state: OnnxImport, node: OnnxNode): { x: OnnxData; constant: OnnxNumbers; isFirst: boolean } {
  const isFirst = isData(state, node, 0);
  return { x: anyDataAt(state, node, isFirst ? 0 : 1), constant: constantAt(state, node, isFirst ? 1 : 0), isFirst };
}

const isBothData = (state: OnnxImport, node: OnnxNode): boolean =>
  node.inputs.every((_, index) => isData(state, node, index));

/** Sum of data and constants. */
export const add: Convert = async (state, node) => {
  const data = node.inputs.flatMap((_, index) => (isData(state, node, index) ? [anyDataAt(state, node, index)] : []));
  const [first] = data;
  if (first === undefined) throw unsupported("it has no input.");
  if (data.some((x) => (x.isBare === true) !== (first.isBare === true)))
    throw unsupported("data with and without a batch.");
  let value = data.length === 1 ? first : sum(state, node.name, data);
  for (const [index] of node.inputs.entries()) {
    if (isData(state, node, index)) continue;
    const constant = constantAt(state, node, index);
    value = await affine(state, node.name, widened(state, node, value, constant), undefined, constant);
  }
  setOutput(state, node, value);
};

/** Mean of data, place by place. */
export const mean: Convert = (state, node) => {
  const data = node.inputs.map((_, index) => dataAt(state, node, index));
  const [first] = data;
  if (first === undefined) throw unsupported("it has no input.");
  const total = data.length === 1 ? first : sum(state, `${node.name}.sum`, data);
  setOutput(state, node, scaled(state, node.name, total, 1 / data.length));
};

/** Data repeated where a constant is larger than they are. */
export function widened(state: OnnxImport, node: OnnxNode, x: OnnxData, constant: OnnxNumbers): OnnxData {
  const shape = constant.shape.length > x.shape.length ? constant.shape.slice(-x.shape.length) : constant.shape;
  if (shape.length > 0 && constant.shape.length > x.shape.length + 1)
    throw unsupported("a constant of more axes than data.");
  const whole = broadcastShape([x.shape, shape]);
  return sameShape(whole, x.shape) ? x : broadcast(state, node.name, x, whole);
}

export const subtract: Convert = async (state, node) => {
  if (isBothData(state, node)) {
    const [a, b] = [dataAt(state, node, 0), dataAt(state, node, 1)];
    setOutput(state, node, sum(state, node.name, [a, scaled(state, `${node.name}.negative`, b, -1)]));
    return;
  }
  const { x, constant, isFirst } = sides(state, node);
  const value = widened(state, node, x, constant);
  if (isFirst) {
    setOutput(
      state,
      node,
      await affine(
        state,
        node.name,
        value,
        undefined,
        mapNumbers([constant], false, (v) => -v),
      ),
    );
    return;
  }
  const minus = mapNumbers([constant], false, () => -1);
  setOutput(state, node, await affine(state, node.name, value, minus, constant));
};

export const multiply: Convert = async (state, node) => {
  if (isBothData(state, node)) {
    setOutput(state, node, product(state, node.name, dataAt(state, node, 0), dataAt(state, node, 1)));
    return;
  }
  const { x, constant } = sides(state, node);
  setOutput(state, node, await affine(state, node.name, widened(state, node, x, constant), constant, undefined));
};

export const divide: Convert = async (state, node) => {
  if (isBothData(state, node)) {
    const divisor = functionAt(state, `${node.name}.reciprocal`, dataAt(state, node, 1), "reciprocal");
    setOutput(state, node, product(state, node.name, dataAt(state, node, 0), divisor));
    return;
  }
  const { x, constant, isFirst } = sides(state, node);
  const value = widened(state, node, x, constant);
  if (isFirst) {
    setOutput(
      state,
      node,
      await affine(
        state,
        node.name,
        value,
        mapNumbers([constant], false, (v) => 1 / v),
        undefined,
      ),
    );
    return;
  }
  const divisor = functionAt(state, `${node.name}.reciprocal`, value, "reciprocal");
  setOutput(state, node, await affine(state, node.name, divisor, constant, undefined));
};

export const negate: Convert = (state, node) =>
  setOutput(state, node, scaled(state, node.name, dataAt(state, node, 0), -1));

/** x to a constant power. */
export const power: Convert = async (state, node) => {
  const exponent = constantAt(state, node, 1);
  if (elementCount(exponent.shape) !== 1) throw unsupported("a power that differs from value to value.");
  const [alpha = 1] = await exponent.load();
  const x = dataAt(state, node, 0);
  setOutput(
    state,
    node,
    alpha === 1
      ? x
      : alpha === -1
        ? functionAt(state, node.name, x, "reciprocal")
        : functionAt(state, node.name, x, "power", { alpha }),
  );
};
