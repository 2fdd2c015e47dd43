import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { Stage } from "../../engine/graph/definition.ts";
import { isObject } from "../bytes/json.ts";
import { affine } from "./affine.ts";
import { behind, type Convert, image, inKerasOrder, inputOf } from "./state.ts";

// Functions of feature maps and constants, which Keras writes among the layers where a model was built with `x / 255 - 1`,
// `x[..., ::-1]` or an application's preprocess_input.

/** A function with the constants that it is given; undefined stands for a feature map. */
export type ConvertOperation = (operands: readonly unknown[]) => Convert;

/** A number, or one per channel, in whatever lists and tensors Keras put them. */
function numbersOf(operand: unknown, channels: number): Float32Array {
  const config = isObject(operand) ? operand["config"] : undefined;
  const value = isObject(config) ? config["value"] : operand;
  const values = (Array.isArray(value) ? value.flat(8) : [value]).map((each) =>
    typeof each === "number" ? each : Number.NaN,
  );
  if ((values.length !== 1 && values.length !== channels) || !values.every(Number.isFinite))
    throw new UnsupportedError("its constant must be one number, or one per channel.");
  return values.length === 1 ? new Float32Array(channels).fill(Number(values[0])) : Float32Array.from(values);
}

/** The constant of two operands, and whether it comes first. */
function constantOf(operands: readonly unknown[], channels: number): { values: Float32Array; isFirst: boolean } {
  const [a, b] = operands;
  if (operands.length !== 2 || (a === undefined) === (b === undefined))
    throw new UnsupportedError("one feature map and one constant are supported.");
  return { values: numbersOf(a ?? b, channels), isFirst: a !== undefined };
}

/** scale x + offset, both from the constant c. */
function linear(
  coefficients: (c: number, isFirst: boolean) => readonly [scale: number, offset: number],
): ConvertOperation {
  return (operands) => (state, layer, inputs) => {
    const x = inKerasOrder(state, inputOf(inputs));
    const [channels = 0] = x.shape;
    const { values, isFirst } = constantOf(operands, channels);
    const pairs = Array.from(values, (c) => coefficients(c, isFirst));
    const column = (k: 0 | 1): Float32Array => Float32Array.from(pairs, (pair) => pair[k]);
    return behind(state, layer.name, x, affine(state, layer.name, channels, { scale: column(0), bias: column(1) }));
  };
}

function limited(of: "maximum" | "minimum"): ConvertOperation {
  return (operands) => (state, layer, inputs) => {
    const x = inputOf(inputs);
    const [limit] = constantOf(operands, 1).values;
    if (limit === undefined) throw new UnsupportedError("its limit is missing.");
    const widest = 3.4028234663852886e38; // float32's largest
    const stage: Stage =
      of === "minimum"
        ? { op: "clip", low: -widest, high: limit }
        : limit === 0
          ? { op: "relu" }
          : { op: "clip", low: limit, high: widest };
    return behind(state, layer.name, x, stage);
  };
}

/** The channels that an index behind an ellipsis keeps: `x[..., 2]`, `x[..., ::-1]`. */
function channelsOf(index: unknown, count: number): number[] {
  const [ellipsis, last, more] = Array.isArray(index) ? index : [];
  const isEllipsis = isObject(ellipsis) && ellipsis["class_name"] === "__ellipsis__";
  if (!isEllipsis || last === undefined || more !== undefined)
    throw new UnsupportedError("an index other than one of the channels, [..., index].");
  if (typeof last === "number") return [last < 0 ? last + count : last];
  const slice = isObject(last) && isObject(last["config"]) ? last["config"] : last;
  if (!isObject(slice)) throw new UnsupportedError("an index that is neither a number nor a slice.");
  const step = typeof slice["step"] === "number" ? slice["step"] : 1;
  const at = (value: unknown, otherwise: number): number =>
    typeof value !== "number"
      ? otherwise
      : Math.min(Math.max(value < 0 ? value + count : value, step > 0 ? 0 : -1), count);
  const from = at(slice["start"], step > 0 ? 0 : count - 1);
  const to = at(slice["stop"], step > 0 ? count : -1);
  if (!Number.isSafeInteger(step) || step === 0) throw new UnsupportedError(`a step of ${step}.`);
  const kept: number[] = [];
  for (let c = from; step > 0 ? c < to : c > to; c += step) kept.push(c);
  return kept;
}

const getItem: ConvertOperation = (operands) => (state, layer, inputs) => {
  const x = inputOf(inputs);
  const [channels = 0, ...rest] = image(x).shape;
  const taken = channelsOf(operands[1], channels);
  if (taken.length === 0 || !taken.every((c) => Number.isSafeInteger(c) && c >= 0 && c < channels))
    throw new UnsupportedError(`channels [${taken.join(",")}] of ${channels}.`);
  const { node } = behind(state, layer.name, x, { op: "take", channels: taken });
  return { node, shape: [taken.length, ...rest] };
};

/** Functions of a feature map and constants, by their Keras 3 names. */
export const operations: Readonly<Record<string, ConvertOperation>> = {
  Add: linear((c) => [1, c]),
  Divide: linear((c, isFirst) => {
    if (isFirst) throw new UnsupportedError("a constant divided by a feature map.");
    return [1 / c, 0];
  }),
  GetItem: getItem,
  Maximum: limited("maximum"),
  Minimum: limited("minimum"),
  Multiply: linear((c) => [c, 0]),
  Subtract: linear((c, isFirst) => (isFirst ? [-1, c] : [1, -c])),
  TrueDivide: linear((c, isFirst) => {
    if (isFirst) throw new UnsupportedError("a constant divided by a feature map.");
    return [1 / c, 0];
  }),
};

/** What Keras 2 calls them: TensorFlow's functions. */
export const tensorflowFunctions: Readonly<Record<string, string>> = {
  "__operators__.add": "Add",
  "__operators__.getitem": "GetItem",
  "math.add": "Add",
  "math.divide": "Divide",
  "math.maximum": "Maximum",
  "math.minimum": "Minimum",
  "math.multiply": "Multiply",
  "math.subtract": "Subtract",
  "math.truediv": "TrueDivide",
  "nn.bias_add": "Add",
};

/** Single channels side by side, as `tf.stack` of x[..., 2], x[..., 1], x[..., 0] puts them. */
export const stack: Convert = (state, layer, inputs) => {
  const all = inputs.map(image);
  const [, height = 0, width = 0] = inputOf(all).shape;
  const isLast = layer.config["axis"] === -1 || layer.config["axis"] === 3;
  if (!isLast || !all.every(({ shape }) => shape[0] === 1 && shape[1] === height && shape[2] === width))
    throw new UnsupportedError("only single channels can be stacked, as the last axis.");
  const node = state.add(
    layer.name,
    all.map(({ node }) => node),
    { op: "concat" },
  );
  return { node, shape: [all.length, height, width] };
};
