import { elementCount } from "../../engine/basics/tensor.ts";
import { axisIn, type Fold, fixed } from "./constant-inputs.ts";
import type { OnnxNode } from "./model.ts";
import { float, int, intsAt, setOutput, unsupported } from "./node.ts";
import { mapNumbers, numbers, reducedNumbers } from "./numbers.ts";
import type { OnnxNumbers } from "./state.ts";

// Constants that are worked with: weights that the graph computes, as weight normalisation and standardisation do.

const truth = (value: boolean): number => (value ? 1 : 0);
/** Integer division cuts off towards 0. */
const divide = (isInteger: boolean) => (a: number, b: number) => (isInteger ? Math.trunc(a / b) : a / b);

function map(apply: (...values: number[]) => number, isInteger?: boolean): Fold {
  return (state, node, inputs) =>
    setOutput(state, node, mapNumbers(inputs, isInteger ?? inputs.every((input) => input.isInteger), apply));
}

function reduce(apply: (values: readonly number[]) => number): Fold {
  return async (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const given = await intsAt(state, node, 1, "axes");
    const axes = (given?.length ? given : x.shape.map((_, k) => k)).map((axis) => axisIn(x.shape, axis));
    setOutput(state, node, reducedNumbers(x, axes, int(node, "keepdims", 1) !== 0, apply));
  };
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Weights that mix others, as switchable norms have them. Before opset 13 all axes from `axis` on are one vector. */
const softmax: Fold = (state, node, inputs) => {
  const x = fixed(inputs, 0);
  const isOld = state.opset < 13;
  const axis = axisIn(x.shape, int(node, "axis", isOld ? 1 : -1));
  const axes = x.shape.map((_, k) => k).filter((k) => (isOld ? k >= axis : k === axis));
  const largest = reducedNumbers(x, axes, true, (values) => values.reduce((a, b) => Math.max(a, b)));
  const powers = mapNumbers([x, largest], false, (value, most) => Math.exp(value - most));
  setOutput(
    state,
    node,
    mapNumbers([powers, reducedNumbers(powers, axes, true, total)], false, (a, b) => a / b),
  );
};

/** (x - zero point) * scale, with one of each or one per place along `axis`. */
export function dequantized(node: OnnxNode, inputs: readonly OnnxNumbers[]): OnnxNumbers {
  const [x, scale, zero] = [fixed(inputs, 0), fixed(inputs, 1), inputs[2]];
  if (int(node, "block_size", 0) !== 0) throw unsupported("scales per block.");
  const axis = elementCount(scale.shape) === 1 ? 0 : axisIn(x.shape, int(node, "axis", 1));
  const along = (vector: OnnxNumbers): OnnxNumbers =>
    elementCount(vector.shape) === 1
      ? { ...vector, shape: [] }
      : { ...vector, shape: x.shape.map((n, k) => (k === axis ? n : 1)) };
  return zero === undefined
    ? mapNumbers([x, along(scale)], false, (a, s) => a * s)
    : mapNumbers([x, along(scale), along(zero)], false, (a, s, z) => (a - z) * s);
}

/** The operators that compute numbers of constants. */
export const constantArithmetic: Readonly<Record<string, Fold>> = {
  Abs: map(Math.abs),
  Add: map((a, b) => a + b),
  And: map((a, b) => truth(a !== 0 && b !== 0), true),
  Cast: (state, node, inputs) => {
    const [x, to] = [fixed(inputs, 0), int(node, "to", 1)];
    const isFloat = [1, 10, 11, 16].includes(to);
    const convert = isFloat ? (v: number) => v : to === 9 ? (v: number) => truth(v !== 0) : Math.trunc;
    setOutput(state, node, mapNumbers([x], !isFloat, convert));
  },
  // Weight standardisation: the weights' own statistics, channel by channel, where `training_mode` says so.
  BatchNormalization: (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const [channels = 1] = x.shape.slice(1);
    const epsilon = float(node, "epsilon", 1e-5);
    const value = numbers(x.shape, false, async () => {
      const data = await x.load();
      const [scale, bias, mean, variance] = [
        await fixed(inputs, 1).load(),
        await fixed(inputs, 2).load(),
        await fixed(inputs, 3).load(),
        await fixed(inputs, 4).load(),
      ];
      const inner = elementCount(x.shape.slice(2));
      const channelOf = (i: number): number => Math.floor(i / inner) % channels;
      const [m, v] = [Float64Array.from(mean), Float64Array.from(variance)];
      if (int(node, "training_mode", 0) !== 0) {
        const count = data.length / channels;
        m.fill(0);
        v.fill(0);
        for (const [i, each] of data.entries()) m[channelOf(i)]! += each / count;
        for (const [i, each] of data.entries()) v[channelOf(i)]! += (each - m[channelOf(i)]!) ** 2 / count;
      }
      return data.map((each, i) => {
        const c = channelOf(i);
        return ((each - m[c]!) / Math.sqrt(v[c]! + epsilon)) * scale[c]! + bias[c]!;
      });
    });
    setOutput(state, node, value);
  },
  CastLike: (state, node, inputs) => {
    const [x, { isInteger }] = [fixed(inputs, 0), fixed(inputs, 1)];
    setOutput(state, node, mapNumbers([x], isInteger, isInteger ? Math.trunc : (value) => value));
  },
  Ceil: map(Math.ceil),
  Clip: async (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const limit = async (index: number, name: string, otherwise: number): Promise<number> =>
      (await inputs[index]?.load())?.[0] ?? node.attributes.get(name)?.f ?? otherwise;
    const low = await limit(1, "min", Number.NEGATIVE_INFINITY);
    const high = await limit(2, "max", Number.POSITIVE_INFINITY);
    setOutput(
      state,
      node,
      mapNumbers([x], x.isInteger, (value) => Math.min(Math.max(value, low), high)),
    );
  },
  DequantizeLinear: (state, node, inputs) => setOutput(state, node, dequantized(node, inputs)),
  Div: (state, node, inputs) => map(divide(inputs.every((input) => input.isInteger)))(state, node, inputs),
  Equal: map((a, b) => truth(a === b), true),
  Exp: map(Math.exp, false),
  Floor: map(Math.floor),
  Greater: map((a, b) => truth(a > b), true),
  GreaterOrEqual: map((a, b) => truth(a >= b), true),
  Less: map((a, b) => truth(a < b), true),
  LessOrEqual: map((a, b) => truth(a <= b), true),
  Log: map(Math.log, false),
  MatMul: (state, node, inputs) => {
    const [a, b] = [fixed(inputs, 0), fixed(inputs, 1)];
    const [rows, inner] = a.shape.length === 1 ? [1, a.shape[0] ?? 1] : [a.shape[0] ?? 1, a.shape[1] ?? 1];
    const columns = b.shape.length === 1 ? 1 : (b.shape[1] ?? 1);
    if (a.shape.length > 2 || b.shape.length > 2 || b.shape[0] !== inner || rows * columns * inner > 1 << 30)
      throw unsupported(`a product of [${a.shape.join(",")}] and [${b.shape.join(",")}].`);
    const shape = [...a.shape.slice(0, -1), ...b.shape.slice(1)];
    const value = numbers(shape, false, async () => {
      const [left, right] = [await a.load(), await b.load()];
      return Float64Array.from({ length: rows * columns }, (_, k) => {
        const [row, column] = [Math.floor(k / columns), k % columns];
        let sum = 0;
        for (let i = 0; i < inner; i++) sum += left[row * inner + i]! * right[i * columns + column]!;
        return sum;
      });
    });
    setOutput(state, node, value);
  },
  Max: map(Math.max),
  Min: map(Math.min),
  Mod: map((a, b) => a - b * Math.floor(a / b)),
  Mul: map((a, b) => a * b),
  Neg: map((a) => -a),
  Not: map((a) => truth(a === 0), true),
  Or: map((a, b) => truth(a !== 0 || b !== 0), true),
  Pow: map((a, b) => a ** b),
  Reciprocal: map((a) => 1 / a, false),
  ReduceL2: reduce((values) => Math.sqrt(total(values.map((value) => value * value)))),
  ReduceMax: reduce((values) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)),
  ReduceMean: reduce((values) => total(values) / values.length),
  ReduceMin: reduce((values) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)),
  ReduceProd: reduce((values) => values.reduce((a, b) => a * b, 1)),
  ReduceSum: reduce(total),
  ReduceSumSquare: reduce((values) => total(values.map((value) => value * value))),
  Relu: map((a) => Math.max(a, 0)),
  Sigmoid: map((a) => 1 / (1 + Math.exp(-a)), false),
  Sign: map(Math.sign),
  Softmax: softmax,
  Softplus: map((a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))), false),
  Sqrt: map(Math.sqrt, false),
  Sub: map((a, b) => a - b),
  Sum: map((...values) => total(values)),
  Tanh: map(Math.tanh, false),
  Where: map((condition, a, b) => (condition !== 0 ? a : b)),
};
