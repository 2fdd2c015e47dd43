import { withBatch, withoutBatch } from "./data.ts";
import type { OnnxAttribute, OnnxNode } from "./model.ts";
import { type Convert, constantAt, unsupported, valueAt } from "./node.ts";
import { instanceNormalizationOfBatch } from "./normalisation.ts";
import { ints, readInts } from "./numbers.ts";
import type { OnnxImport, OnnxValueState } from "./state.ts";

// Some graphs use the batch's axis for something else while a single photo is in it: several networks' scores are stacked on a new first
// axis and averaged over it, groups of channels are made a batch of their own. Such values have all of the graph's axes here and a batch
// of one before them; nodes that care for no more than places along axes are converted with their axes counted one on.

/** Nodes that work value by value, aligned at the last axis. */
const valueByValue = new Set(
  "Abs Add Cast Celu Clip Div Dropout Elu Erf Exp Gelu HardSigmoid HardSwish Identity LeakyRelu Log MatMul Max Mean Min Mish Mul Neg Pow PRelu Reciprocal Relu Selu Sigmoid Softplus Softsign Sqrt Sub Sum Swish Tanh".split(
    " ",
  ),
);

/** Where a node says its axes: an attribute, with its default, or an input from some opset on. */
const axesOf: Readonly<
  Record<string, { readonly attribute: string; readonly input?: number; readonly otherwise?: number }>
> = {
  Concat: { attribute: "axis" },
  Gather: { attribute: "axis", otherwise: 0 },
  ReduceL1: { attribute: "axes", input: 1 },
  ReduceL2: { attribute: "axes", input: 1 },
  ReduceLogSumExp: { attribute: "axes", input: 1 },
  ReduceMax: { attribute: "axes", input: 1 },
  ReduceMean: { attribute: "axes", input: 1 },
  ReduceMin: { attribute: "axes", input: 1 },
  ReduceSum: { attribute: "axes", input: 1 },
  ReduceSumSquare: { attribute: "axes", input: 1 },
  Slice: { attribute: "axes", input: 3 },
  Softmax: { attribute: "axis", otherwise: -1 },
  Split: { attribute: "axis", otherwise: 0 },
  Squeeze: { attribute: "axes", input: 1 },
  Unsqueeze: { attribute: "axes", input: 1 },
};

/** Pools over the whole of an image, as means and maxima along axes. */
const pools: Readonly<Record<string, string>> = { GlobalAveragePool: "ReduceMean", GlobalMaxPool: "ReduceMax" };

const movable = new Set([...valueByValue, ...Object.keys(axesOf), ...Object.keys(pools), "InstanceNormalization"]);

const onward = (axis: number): number => (axis < 0 ? axis : axis + 1);
const attributeOf = (values: readonly number[], isList: boolean): OnnxAttribute => {
  const [i] = values;
  return isList || i === undefined ? { ints: values, floats: [] } : { i, ints: [], floats: [] };
};

/** The axes that a node names; undefined where it names none. */
async function namedAxes(state: OnnxImport, node: OnnxNode): Promise<readonly number[] | undefined> {
  const place = axesOf[node.op];
  if (place === undefined) return undefined;
  const value = place.input === undefined ? undefined : valueAt(state, node, place.input);
  if (value !== undefined) return value.kind === "data" ? undefined : readInts(value, "the axes");
  const attribute = node.attributes.get(place.attribute);
  if (attribute !== undefined && place.attribute === "axes") return attribute.ints;
  if (attribute?.i !== undefined) return [attribute.i];
  return place.otherwise === undefined ? undefined : [place.otherwise];
}

const isBare = (value: OnnxValueState | undefined): boolean => value?.kind === "data" && value.isBare === true;

/** The first axis by its number from the end, of data with the batch as an axis. */
function firstFromEnd(state: OnnxImport, node: OnnxNode): number {
  const ranks = node.inputs.flatMap((input) => {
    const value = state.values.get(input);
    return value?.kind === "data" ? [withBatch(value).shape.length] : [];
  });
  return -Math.max(0, ...ranks) - (node.op === "Unsqueeze" ? 1 : 0);
}

/** Whether a node has to be converted by `withBatchAsAxis`: its input is without a batch, or it makes an axis before the batch. */
export async function usesBatchAxis(state: OnnxImport, node: OnnxNode): Promise<boolean> {
  const values = node.inputs.map((input) => state.values.get(input));
  const isMovable = movable.has(node.op);
  if (values.some(isBare)) return isMovable;
  const depends = values.map((value) => value?.kind === "data");
  const makesAxis = node.op === "Concat" ? depends.every(Boolean) : /^(Uns|S)queeze$/.test(node.op) && depends[0];
  if (makesAxis !== true) return false;
  const axes = await namedAxes(state, node);
  const first = firstFromEnd(state, node);
  return axes?.some((axis) => axis === 0 || axis === first) === true;
}

/** The node with its axes counted one on, as its own attributes or inputs have them. */
async function shifted(state: OnnxImport, node: OnnxNode): Promise<OnnxNode> {
  const op = pools[node.op];
  if (op !== undefined) {
    const rank = -firstFromEnd(state, node);
    const axes = Array.from({ length: Math.max(0, rank - 2) }, (_, k) => k + 3);
    return shiftedTo(state, { ...node, op, inputs: node.inputs.slice(0, 1) }, axes);
  }
  const axes = await namedAxes(state, node);
  if (axes !== undefined) return shiftedTo(state, node, axes.map(onward));
  if (node.op === "Slice") {
    const [count = 0] = constantAt(state, node, 1).shape;
    return shiftedTo(
      state,
      node,
      Array.from({ length: count }, (_, k) => k + 1),
    );
  }
  if (node.op.startsWith("Reduce") || node.op === "Squeeze") throw unsupported("photos of a batch would be mixed.");
  return node;
}

function shiftedTo(state: OnnxImport, node: OnnxNode, axes: readonly number[]): OnnxNode {
  const place = axesOf[node.op];
  if (place === undefined) return node;
  const { attribute, input } = place;
  const isInput = input !== undefined && valueAt(state, node, input) !== undefined;
  const isNewInput = node.op === "Slice" || (node.op.startsWith("Reduce") && state.opset >= 18);
  if (input === undefined || (!isInput && !isNewInput))
    return { ...node, attributes: new Map([...node.attributes, [attribute, attributeOf(axes, attribute === "axes")]]) };
  const name = `${node.name}/axes`;
  state.values.set(name, ints(axes));
  const inputs = [...node.inputs];
  while (inputs.length < input) inputs.push("");
  inputs[input] = name;
  return { ...node, inputs };
}

/** Converts a node whose data have all the graph's axes. */
export async function withBatchAsAxis(
  state: OnnxImport,
  node: OnnxNode,
  converterOf: (op: string) => Convert | undefined,
): Promise<void> {
  const moved = await shifted(state, node);
  const lifted = moved.inputs.map((input, k) => {
    const value = state.values.get(input);
    if (value?.kind !== "data") return input;
    const { isBare: _, ...whole } = withBatch(value);
    const name = `${node.name}/input ${k}`;
    state.values.set(name, whole);
    return name;
  });
  const convert = node.op === "InstanceNormalization" ? instanceNormalizationOfBatch : converterOf(moved.op);
  await convert?.(state, { ...moved, inputs: lifted });
  for (const output of node.outputs) {
    const value = state.values.get(output);
    if (value?.kind === "data") state.values.set(output, withoutBatch({ ...value, isBare: true }));
  }
}
