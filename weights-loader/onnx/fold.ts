import { elementCount, type Shape, stridesOf } from "../../engine/basics/tensor.ts";
import type { OnnxNode } from "./model.ts";
import { float, int, intsAt, setOutput, setOutputs, unsupported, valueAt } from "./node.ts";
import {
  broadcastShape,
  ints,
  mapNumbers,
  movedNumbers,
  numbers,
  numbersOf,
  readInts,
  reducedNumbers,
  takenNumbers,
} from "./numbers.ts";
import { slicePlaces, splitSizes } from "./places.ts";
import type { OnnxImport, OnnxNumbers } from "./state.ts";

// Nodes all of whose inputs are constant: shape calculations, and weights worked out in the graph.

type Fold = (state: OnnxImport, node: OnnxNode, inputs: readonly OnnxNumbers[]) => void | Promise<void>;

const truth = (value: boolean): number => (value ? 1 : 0);
/** Integer division cuts off towards 0. */
const divide = (isInteger: boolean) => (a: number, b: number) => (isInteger ? Math.trunc(a / b) : a / b);

function map(apply: (...values: number[]) => number, isInteger?: boolean): Fold {
  return (state, node, inputs) =>
    setOutput(state, node, mapNumbers(inputs, isInteger ?? inputs.every((input) => input.isInteger), apply));
}

function fixed(inputs: readonly OnnxNumbers[], index: number): OnnxNumbers {
  const value = inputs[index];
  if (value === undefined) throw unsupported(`input ${index} is missing.`);
  return value;
}

/** An axis counted from the end; here no axis is the batch. */
function axisIn(shape: Shape, axis: number): number {
  const own = axis < 0 ? axis + shape.length : axis;
  if (!(own >= 0 && own < Math.max(1, shape.length))) throw unsupported(`axis ${axis} of [${shape.join(",")}].`);
  return own;
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

/** The target of a reshape, its -1 and 0 filled in. */
export function reshapeTarget(shape: Shape, given: readonly number[], isZeroKept: boolean): number[] {
  const sizes = given.map((size, axis) => (size === 0 && !isZeroKept ? (shape[axis] ?? 0) : size));
  const open = sizes.indexOf(-1);
  const known = sizes.reduce((product, size, axis) => (axis === open ? product : product * size), 1);
  if (open >= 0) sizes[open] = elementCount(shape) / known;
  if (!sizes.every((size) => Number.isSafeInteger(size) && size >= 0) || elementCount(sizes) !== elementCount(shape)) {
    throw unsupported(`[${shape.join(",")}] cannot become [${given.join(",")}].`);
  }
  return sizes;
}

const same: Fold = (state, node, inputs) => setOutput(state, node, fixed(inputs, 0));

const folds: Readonly<Record<string, Fold>> = {
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
  Concat: (state, node, inputs) => {
    const first = fixed(inputs, 0);
    const axis = axisIn(first.shape, int(node, "axis", 0));
    const size = inputs.reduce((sum, { shape }) => sum + (shape[axis] ?? 1), 0);
    const shape = first.shape.map((n, k) => (k === axis ? size : n));
    const outer = elementCount(first.shape.slice(0, axis));
    const value = numbers(
      shape,
      inputs.every((input) => input.isInteger),
      async () => {
        const result: number[] = [];
        const lists: Float64Array[] = [];
        for (const input of inputs) lists.push(await input.load());
        for (let o = 0; o < outer; o++) {
          for (const list of lists) {
            const length = list.length / outer;
            for (let i = 0; i < length; i++) result.push(list[o * length + i]!);
          }
        }
        return Float64Array.from(result);
      },
    );
    setOutput(state, node, value);
  },
  ConstantOfShape: async (state, node, inputs) => {
    const shape = Array.from(await fixed(inputs, 0).load());
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0))
      throw unsupported(`shape [${shape.join(",")}].`);
    const { t } = node.attributes.get("value") ?? {};
    const filler = t === undefined ? undefined : numbersOf({ kind: "constant", tensor: t });
    const value = filler === undefined ? 0 : ((await filler.load())[0] ?? 0);
    setOutput(
      state,
      node,
      numbers(shape, filler?.isInteger ?? false, async () => new Float64Array(elementCount(shape)).fill(value)),
    );
  },
  DequantizeLinear: (state, node, inputs) => setOutput(state, node, dequantized(node, inputs)),
  Div: (state, node, inputs) => map(divide(inputs.every((input) => input.isInteger)))(state, node, inputs),
  Dropout: same,
  Equal: map((a, b) => truth(a === b), true),
  Exp: map(Math.exp, false),
  Expand: async (state, node, inputs) => {
    const [x, size] = [fixed(inputs, 0), await readInts(fixed(inputs, 1), "the shape")];
    const shape = broadcastShape([x.shape, size]);
    const lead = shape.length - x.shape.length;
    const own = stridesOf(x.shape);
    setOutput(
      state,
      node,
      movedNumbers(
        x,
        shape,
        shape.map((_, k) => (k < lead || x.shape[k - lead] === 1 ? 0 : own[k - lead]!)),
      ),
    );
  },
  Flatten: (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const axis = int(node, "axis", 1) + (int(node, "axis", 1) < 0 ? x.shape.length : 0);
    setOutput(state, node, { ...x, shape: [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))] });
  },
  Floor: map(Math.floor),
  Gather: async (state, node, inputs) => {
    const [x, index] = [fixed(inputs, 0), fixed(inputs, 1)];
    const axis = axisIn(x.shape, int(node, "axis", 0));
    const size = x.shape[axis] ?? 1;
    const places = Array.from(await index.load(), (place) => (place < 0 ? place + size : place));
    if (!places.every((place) => Number.isSafeInteger(place) && place >= 0 && place < size)) {
      throw unsupported(`index [${places.slice(0, 4).join(",")}] into ${size}.`);
    }
    setOutput(state, node, takenNumbers(x, axis, places, index.shape));
  },
  Greater: map((a, b) => truth(a > b), true),
  GreaterOrEqual: map((a, b) => truth(a >= b), true),
  Identity: same,
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
  Range: async (state, node, inputs) => {
    const [start = 0, limit = 0, step = 1] = [
      (await fixed(inputs, 0).load())[0],
      (await fixed(inputs, 1).load())[0],
      (await fixed(inputs, 2).load())[0],
    ];
    const count = Math.max(0, Math.ceil((limit - start) / step));
    if (!(count <= 1 << 20)) throw unsupported(`a range of ${count} numbers.`);
    const isInteger = inputs.every((input) => input.isInteger);
    setOutput(
      state,
      node,
      numbers([count], isInteger, async () => Float64Array.from({ length: count }, (_, i) => start + i * step)),
    );
  },
  Reciprocal: map((a) => 1 / a, false),
  ReduceL2: reduce((values) => Math.sqrt(total(values.map((value) => value * value)))),
  ReduceMax: reduce((values) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)),
  ReduceMean: reduce((values) => total(values) / values.length),
  ReduceMin: reduce((values) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)),
  ReduceProd: reduce((values) => values.reduce((a, b) => a * b, 1)),
  ReduceSum: reduce(total),
  ReduceSumSquare: reduce((values) => total(values.map((value) => value * value))),
  Reshape: async (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const target = await readInts(fixed(inputs, 1), "the shape");
    setOutput(state, node, { ...x, shape: reshapeTarget(x.shape, target, int(node, "allowzero", 0) !== 0) });
  },
  Shape: (state, node, inputs) => {
    const { shape } = fixed(inputs, 0);
    setOutput(state, node, ints(shape.slice(int(node, "start", 0), node.attributes.get("end")?.i)));
  },
  Sigmoid: map((a) => 1 / (1 + Math.exp(-a)), false),
  Sign: map(Math.sign),
  Size: (state, node, inputs) => setOutput(state, node, ints([elementCount(fixed(inputs, 0).shape)], [])),
  Slice: async (state, node, inputs) => {
    let x = fixed(inputs, 0);
    for (const { axis, places } of await slicePlaces(state, node, x.shape)) x = takenNumbers(x, axis, places);
    setOutput(state, node, x);
  },
  Split: async (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const axis = axisIn(x.shape, int(node, "axis", 0));
    let begin = 0;
    const parts = (await splitSizes(state, node, x.shape[axis] ?? 1)).map((size) => {
      begin += size;
      return takenNumbers(
        x,
        axis,
        Array.from({ length: size }, (_, i) => begin - size + i),
      );
    });
    setOutputs(state, node, parts);
  },
  Sqrt: map(Math.sqrt, false),
  Squeeze: async (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const axes = (await intsAt(state, node, 1, "axes"))?.map((axis) => axisIn(x.shape, axis));
    setOutput(state, node, {
      ...x,
      shape: x.shape.filter((size, k) => (axes === undefined ? size !== 1 : !axes.includes(k))),
    });
  },
  Sub: map((a, b) => a - b),
  Sum: map((...values) => total(values)),
  Tanh: map(Math.tanh, false),
  Tile: async (state, node, inputs) => {
    let x = fixed(inputs, 0);
    for (const [axis, count] of (await readInts(fixed(inputs, 1), "repeats")).entries()) {
      const size = x.shape[axis] ?? 1;
      if (!(count >= 1 && size * count <= 1 << 24)) throw unsupported(`${count} repeats.`);
      if (count > 1)
        x = takenNumbers(
          x,
          axis,
          Array.from({ length: size * count }, (_, i) => i % size),
        );
    }
    setOutput(state, node, x);
  },
  Transpose: (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const order = node.attributes.get("perm")?.ints ?? x.shape.map((_, k) => x.shape.length - 1 - k);
    const strides = stridesOf(x.shape);
    setOutput(
      state,
      node,
      movedNumbers(
        x,
        order.map((axis) => x.shape[axis] ?? 1),
        order.map((axis) => strides[axis] ?? 1),
      ),
    );
  },
  Unsqueeze: async (state, node, inputs) => {
    const x = fixed(inputs, 0);
    const given = (await intsAt(state, node, 1, "axes")) ?? [];
    const rank = x.shape.length + given.length;
    if (rank > 16) throw unsupported(`${rank} axes.`);
    const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
    const rest = [...x.shape];
    setOutput(state, node, {
      ...x,
      shape: Array.from({ length: rank }, (_, k) => (axes.includes(k) ? 1 : (rest.shift() ?? 1))),
    });
  },
  Where: map((condition, a, b) => (condition !== 0 ? a : b)),
};

/** True for an operator that can be worked out from constants. */
export function isFoldable({ op }: OnnxNode): boolean {
  return Object.hasOwn(folds, op);
}

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

/**
 * Works out a node all of whose inputs are constant.
 * @returns false where some input depends on the photo
 * @throws UnsupportedError for an operator that cannot be worked out
 */
export async function fold(state: OnnxImport, node: OnnxNode): Promise<boolean> {
  const inputs: OnnxNumbers[] = [];
  if (node.inputs.length === 0) return false;
  for (const [index] of node.inputs.entries()) {
    const value = valueAt(state, node, index);
    if (value?.kind === "data") return false;
    if (value !== undefined) inputs[index] = numbersOf(value);
  }
  const known = isFoldable(node) ? folds[node.op] : undefined;
  if (known === undefined) throw unsupported("it cannot be worked out from constants.");
  // A stored tensor that is only reshaped or passed on stays in the file.
  const first = valueAt(state, node, 0);
  if (
    first?.kind === "constant" &&
    (node.op === "Identity" || node.op === "Reshape") &&
    first.tensor.strides === undefined
  ) {
    const shape =
      node.op === "Identity"
        ? first.tensor.shape
        : reshapeTarget(
            first.tensor.shape,
            await readInts(fixed(inputs, 1), "the shape"),
            int(node, "allowzero", 0) !== 0,
          );
    setOutput(state, node, { kind: "constant", tensor: { ...first.tensor, shape } });
    return true;
  }
  await known(state, node, inputs);
  return true;
}

/** A constant in the graph itself. */
export function constant(state: OnnxImport, node: OnnxNode): void {
  const given = (name: string): ReturnType<typeof node.attributes.get> => node.attributes.get(name);
  const t = given("value")?.t;
  if (t !== undefined) {
    setOutput(state, node, { kind: "constant", tensor: { ...t, name: t.name || (node.outputs[0] ?? node.name) } });
  } else if (given("value_int") !== undefined) setOutput(state, node, ints([int(node, "value_int", 0)], []));
  else if (given("value_ints") !== undefined) setOutput(state, node, ints(given("value_ints")?.ints ?? []));
  else if (given("value_float") !== undefined) {
    const value = float(node, "value_float", 0);
    setOutput(
      state,
      node,
      numbers([], false, async () => Float64Array.of(value)),
    );
  } else if (given("value_floats") !== undefined) {
    const values = given("value_floats")?.floats ?? [];
    setOutput(
      state,
      node,
      numbers([values.length], false, async () => Float64Array.from(values)),
    );
  } else throw unsupported("a constant that is neither a tensor nor numbers.");
}
