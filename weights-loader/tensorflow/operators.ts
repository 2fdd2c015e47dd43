import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { OnnxAttribute, OnnxNode } from "../onnx/model.ts";
import { float, int, ints, type Translate } from "./attributes.ts";
import { passBatched } from "./batched.ts";
import type { GraphNode } from "./translation.ts";
import { imageOperators } from "./windows.ts";

// TensorFlow's operators in terms of ONNX's. TensorFlow keeps images [N,H,W,C].

const plain =
  (
    op: OnnxNode["op"],
    attributes: (node: GraphNode) => Readonly<Record<string, OnnxAttribute>> = () => ({}),
  ): Translate =>
  (to, node) => {
    to.add(op, node.inputs, attributes(node), node.name);
  };

const reduction =
  (op: string): Translate =>
  (to, node) => {
    to.add(op, node.inputs, { keepdims: int(node.truth("keep_dims") === true ? 1 : 0) }, node.name);
  };

const concat: Translate = async (to, node) => {
  const [axis = 0] = await to.numbers(node.inputs.at(-1));
  to.add("Concat", node.inputs.slice(0, -1), { axis: int(axis) }, node.name);
};

function entry(list: readonly number[], k: number): number {
  const value = list[k];
  if (value === undefined) throw new UnsupportedError(`begin, end and strides need ${k + 1} entries.`);
  return value;
}

/** Begin, end and stride per axis; masks say which are left out. Axes behind an ellipsis count from the end. */
const stridedSlice: Translate = async (to, node) => {
  const [x = "", begin, end, strides] = node.inputs;
  const [from, until, steps] = [await to.numbers(begin), await to.numbers(end), await to.numbers(strides)];
  const has = (name: string, k: number): boolean => ((node.number(name, 0) >> k) & 1) === 1;
  if (node.number("new_axis_mask", 0) !== 0) throw new UnsupportedError("a new axis.");
  if (until.length !== from.length || steps.length !== from.length)
    throw new UnsupportedError("begin, end and strides of different lengths.");
  const ellipsis = from.findIndex((_, k) => has("ellipsis_mask", k));
  const kept = from.map((_, k) => k).filter((k) => k !== ellipsis);
  const axisOf = (k: number): number => (ellipsis >= 0 && k > ellipsis ? k - from.length : k);
  const far = 2 ** 31;
  const step = (k: number): number => steps[k] ?? 1;
  const isSingle = (k: number): boolean => has("shrink_axis_mask", k);
  const startOf = (k: number): number => (has("begin_mask", k) ? (step(k) > 0 ? 0 : far) : entry(from, k));
  const endOf = (k: number): number => {
    if (isSingle(k)) return startOf(k) === -1 ? far : startOf(k) + 1;
    return has("end_mask", k) ? (step(k) > 0 ? far : -far) : entry(until, k);
  };
  const lists = [kept.map(startOf), kept.map(endOf), kept.map(axisOf), kept.map(step)].map((list) => to.list(list));
  const part = to.add("Slice", [x, ...lists]);
  const single = kept.filter(isSingle).map(axisOf);
  if (single.length === 0) to.add("Identity", [part], {}, node.name);
  else to.add("Squeeze", [part, to.list(single)], {}, node.name);
};

const pack: Translate = (to, node) => {
  const axis = node.number("axis", 0);
  const parts = node.inputs.map((input) => to.add("Unsqueeze", [input, to.list([axis])]));
  to.add("Concat", parts, { axis: int(axis) }, node.name);
};

const split: Translate = async (to, node) => {
  const [axis, x = ""] = node.inputs;
  const [place = 0] = await to.numbers(axis);
  to.addMany(
    "Split",
    [x],
    { axis: int(place), num_outputs: int(node.number("num_split", 1)) },
    node.name,
    node.number("num_split", 1),
  );
};

const transpose: Translate = async (to, node) => {
  const [x = "", order] = node.inputs;
  to.add("Transpose", [x], { perm: ints(...(await to.numbers(order))) }, node.name);
};

const gather: Translate = async (to, node) => {
  const [x = "", index = "", axis] = node.inputs;
  const [place = 0] = axis === undefined ? [] : await to.numbers(axis);
  to.add("Gather", [x, index], { axis: int(place) }, node.name);
};

const squeeze: Translate = (to, node) => {
  const axes = node.ints("squeeze_dims");
  to.add("Squeeze", [...node.inputs.slice(0, 1), ...(axes.length > 0 ? [to.list(axes)] : [])], {}, node.name);
};

/** A constant of a shape, all of one value. */
const fill: Translate = async (to, node) => {
  const [shape = "", value = ""] = node.inputs;
  const [only, second] = await to.numbers(value);
  if (only !== undefined && second === undefined) to.filled.set(node.name, only);
  to.add("Expand", [value, shape], {}, node.name);
};

/** A constant of another value's shape. */
const like =
  (value: number): Translate =>
  (to, node) => {
    to.add("Expand", [to.scalar(value), to.add("Shape", node.inputs)], {}, node.name);
  };

const rsqrt: Translate = (to, node) => {
  to.add("Reciprocal", [to.add("Sqrt", node.inputs)], {}, node.name);
};

/** Every operator of TensorFlow's that can be part of a network here. */
export const operators: Readonly<Record<string, Translate>> = {
  ...imageOperators,
  Abs: plain("Abs"),
  Add: plain("Add"),
  AddN: plain("Sum"),
  AddV2: plain("Add"),
  BiasAdd: plain("Add"),
  Cast: plain("Cast", () => ({ to: int(1) })),
  ConcatV2: concat,
  Div: plain("Div"),
  DivNoNan: plain("Div"), // 0 where the divisor is 0; here not a number, which every output tells
  Elu: plain("Elu"),
  Erf: plain("Erf"),
  Exp: plain("Exp"),
  ExpandDims: passBatched(plain("Unsqueeze")),
  Fill: fill,
  FloorDiv: (to, node) => {
    to.add("Floor", [to.add("Div", node.inputs)], {}, node.name);
  },
  GatherV2: gather,
  Greater: plain("Greater"),
  GreaterEqual: plain("GreaterOrEqual"),
  Identity: plain("Identity"),
  LeakyRelu: plain("LeakyRelu", (node) => ({ alpha: float(node.number("alpha", 0.2)) })),
  Less: plain("Less"),
  LessEqual: plain("LessOrEqual"),
  Log: plain("Log"),
  LogSoftmax: plain("LogSoftmax", () => ({ axis: int(-1) })),
  Max: reduction("ReduceMax"),
  Maximum: plain("Max"),
  Mean: reduction("ReduceMean"),
  Min: reduction("ReduceMin"),
  Minimum: plain("Min"),
  Mul: plain("Mul"),
  Neg: plain("Neg"),
  OnesLike: like(1),
  Pack: pack,
  Pow: plain("Pow"),
  Prod: reduction("ReduceProd"),
  RealDiv: plain("Div"),
  Reciprocal: plain("Reciprocal"),
  Relu: plain("Relu"),
  Relu6: (to, node) => {
    to.add("Clip", [...node.inputs, to.scalar(0), to.scalar(6)], {}, node.name);
  },
  Reshape: plain("Reshape"),
  Rsqrt: rsqrt,
  SelectV2: plain("Where"),
  Selu: plain("Selu"),
  Shape: plain("Shape"),
  Sigmoid: plain("Sigmoid"),
  Sign: plain("Sign"),
  Snapshot: plain("Identity"),
  Softmax: plain("Softmax", () => ({ axis: int(-1) })),
  Softplus: plain("Softplus"),
  Softsign: plain("Softsign"),
  Split: split,
  Sqrt: plain("Sqrt"),
  Square: (to, node) => {
    const [x = ""] = node.inputs;
    to.add("Mul", [x, x], {}, node.name);
  },
  SquaredDifference: (to, node) => {
    const difference = to.add("Sub", node.inputs);
    to.add("Mul", [difference, difference], {}, node.name);
  },
  Squeeze: passBatched(squeeze),
  StopGradient: plain("Identity"),
  StridedSlice: stridedSlice,
  Sub: plain("Sub"),
  Sum: reduction("ReduceSum"),
  Tanh: plain("Tanh"),
  Tile: plain("Tile"),
  Transpose: transpose,
  ZerosLike: like(0),
};
