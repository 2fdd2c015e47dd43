import { elementCount, formatShape, type Shape, sameShape } from "../../engine/basics/tensor.ts";
import type { OnnxNode } from "./model.ts";
import {
  axisOf,
  type Convert,
  dataAt,
  emit,
  int,
  ints,
  intsOf,
  intTensorOf,
  maximumInts,
  plainDataAt,
  setOutput,
  unsupported,
  valueAt,
} from "./node.ts";
import type { OnnxImport } from "./state.ts";

// Nodes that join or reshape data, and those that only calculate shapes: a shape is known here, so these fold away.

/** Data along the channels, or lists of sizes. */
export const concat: Convert = async (state, node) => {
  const values = node.inputs.map((_, index) => valueAt(state, node, index));
  if (values.every((value) => value?.kind !== "data")) {
    const lists: number[] = [];
    for (const value of values) for (const number of await intsOf(value, "every input")) lists.push(number);
    setOutput(state, node, ints(lists));
    return;
  }
  const all = node.inputs.map((_, index) => plainDataAt(state, node, index));
  const [first] = all;
  const axis = axisOf(int(node, "axis", 1), first?.shape ?? []);
  if (axis !== 1) throw unsupported(`concatenation along axis ${axis}; only channels (1) are supported.`);
  if (first === undefined || !all.every(({ shape }) => sameShape(shape.slice(1), first.shape.slice(1)))) {
    throw unsupported(`the shapes ${all.map(({ shape }) => formatShape(shape)).join(" and ")} differ beyond channels.`);
  }
  if (all.length === 1) {
    setOutput(state, node, first);
    return;
  }
  const channels = all.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const inputs = all.map((value) => value.node);
  emit(
    state,
    node,
    inputs,
    { op: "concat" },
    [channels, ...first.shape.slice(1)],
    all.every((x) => x.isNonNegative),
  );
};

/** To a shape without the batch: nothing, a flatten, or a reshape. */
export function reshapeTo(state: OnnxImport, node: OnnxNode, shape: Shape): void {
  const x = plainDataAt(state, node, 0);
  if (elementCount(shape) !== elementCount(x.shape) || shape.length === 0) {
    throw unsupported(`[N,${x.shape.join(",")}] cannot become [N,${shape.join(",")}].`);
  }
  if (sameShape(shape, x.shape)) setOutput(state, node, x);
  else if (shape.length === 1) emit(state, node, [x.node], { op: "flatten" }, shape, x.isNonNegative);
  else emit(state, node, [x.node], { op: "reshape", shape }, shape, x.isNonNegative);
}

/** All axes of a photo as one. */
export const flatten: Convert = (state, node) => {
  const x = dataAt(state, node, 0);
  const axis = axisOf(int(node, "axis", 1), x.shape);
  if (axis !== 1) throw unsupported(`flattening from axis ${axis}; only 1 keeps photos apart.`);
  reshapeTo(state, node, [elementCount(x.shape)]);
};

/** To a constant shape that keeps photos apart. */
export const reshape: Convert = async (state, node) => {
  const sizesOnly = valueAt(state, node, 0);
  if (sizesOnly?.kind !== "data") {
    const { values } = await intTensorOf(sizesOnly, "input 0");
    const target = [...(await intsOf(valueAt(state, node, 1), "the shape"))];
    const open = target.indexOf(-1);
    if (open >= 0)
      target[open] = values.length / target.reduce((product, size, i) => (i === open ? product : product * size), 1);
    if (elementCount(target) !== values.length || !target.every((size) => size > 0)) {
      throw unsupported(`${values.length} sizes cannot become [${target.join(",")}].`);
    }
    setOutput(state, node, { kind: "ints", shape: target, values });
    return;
  }
  const x = dataAt(state, node, 0);
  const full = [1, ...x.shape];
  const given = await intsOf(valueAt(state, node, 1), "the shape");
  const isZeroKept = int(node, "allowzero", 0) !== 0;
  const sizes = given.map((size, axis) => (size === 0 && !isZeroKept ? (full[axis] ?? 0) : size));
  const open = sizes.indexOf(-1);
  const known = sizes.reduce((product, size, axis) => (axis === open ? product : product * size), 1);
  if (open >= 0) sizes[open] = elementCount(x.shape) / known;
  if (sizes[0] !== 1) throw unsupported(`shape [${given.join(",")}] would mix photos of a batch.`);
  reshapeTo(state, node, sizes.slice(1));
};

/** Axes of `Squeeze` and `Unsqueeze`: an attribute before opset 13, an input since. */
export async function axesAt(state: OnnxImport, node: OnnxNode): Promise<readonly number[] | undefined> {
  const value = valueAt(state, node, 1);
  return value === undefined ? node.attributes.get("axes")?.ints : intsOf(value, "axes");
}

/** Axes of size 1 removed. */
export const squeeze: Convert = async (state, node) => {
  const value = valueAt(state, node, 0);
  if (value?.kind !== "data") {
    const { values } = await intTensorOf(value, "input 0");
    setOutput(state, node, { kind: "ints", shape: values.length === 1 ? [] : [values.length], values });
    return;
  }
  const axes = (await axesAt(state, node))?.map((axis) => axisOf(axis, value.shape));
  if (axes?.includes(0)) throw unsupported("the batch would be squeezed away.");
  const isGone = (size: number, axis: number): boolean => (axes === undefined ? size === 1 : axes.includes(axis + 1));
  reshapeTo(
    state,
    node,
    value.shape.filter((size, axis) => !isGone(size, axis)),
  );
};

/** Axes of size 1 added. */
export const unsqueeze: Convert = async (state, node) => {
  const value = valueAt(state, node, 0);
  if (value?.kind !== "data") {
    setOutput(state, node, ints(await intsOf(value, "input 0")));
    return;
  }
  const axes = (await axesAt(state, node)) ?? [];
  const rank = value.shape.length + 1 + axes.length;
  const places = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  if (rank > 8 || places.includes(0)) throw unsupported(`axes [${axes.join(",")}].`);
  const rest = [...value.shape];
  const shape = Array.from({ length: rank - 1 }, (_, axis) => (places.includes(axis + 1) ? 1 : (rest.shift() ?? 1)));
  reshapeTo(state, node, shape);
};

/** A tensor or integers in the graph itself. */
export const constant: Convert = (state, node) => {
  const {
    t,
    i,
    ints: list,
  } = node.attributes.get("value") ??
    node.attributes.get("value_int") ??
    node.attributes.get("value_ints") ?? { ints: [] };
  const what = `value of constant "${node.name}"`;
  if (t !== undefined)
    setOutput(state, node, { kind: "constant", tensor: { ...t, name: t.name || (node.outputs[0] ?? what) } });
  else if (i !== undefined || list.length > 0) {
    setOutput(state, node, i === undefined ? ints(list) : { kind: "ints", shape: [], values: [i] });
  } else throw unsupported("a constant that is neither a tensor nor integers.");
};

/** The sizes of data, with a batch of one. */
export const shapeOf: Convert = (state, node) => {
  const { shape } = dataAt(state, node, 0);
  const full = [1, ...shape]; // a batch is one photo here
  const from = int(node, "start", 0);
  const to = node.attributes.get("end")?.i;
  setOutput(state, node, ints(full.slice(from, to)));
};

/** Some of a list of sizes. */
export const gather: Convert = async (state, node) => {
  const list = await intsOf(valueAt(state, node, 0), "input 0");
  const indexValue = valueAt(state, node, 1);
  const { shape, values: indices } = await intTensorOf(indexValue, "the index");
  if (int(node, "axis", 0) !== 0) throw unsupported("an index along another axis than 0.");
  const values = indices.map((index) => list.at(index));
  const found = values.filter((value) => value !== undefined);
  if (found.length !== indices.length) throw unsupported(`index [${indices.join(",")}] into ${list.length} sizes.`);
  setOutput(state, node, { kind: "ints", shape, values: found });
};

/** Part of a small tensor of sizes along axis 0, perhaps reversed. */
export const slice: Convert = async (state, node) => {
  const { shape, values } = await intTensorOf(valueAt(state, node, 0), "input 0");
  const part = async (index: number, attribute: string): Promise<number | undefined> => {
    const value = valueAt(state, node, index);
    return value === undefined ? node.attributes.get(attribute)?.ints[0] : (await intsOf(value, attribute))[0];
  };
  const step = (await part(4, "steps")) ?? 1;
  const axis = (await part(3, "axes")) ?? 0;
  const [rows = 1, ...rest] = shape;
  if (axis !== 0 || (step !== 1 && step !== -1)) throw unsupported(`axis ${axis} with step ${step}.`);
  const inside = (at: number): number => Math.min(Math.max(at < 0 ? at + rows : at, step > 0 ? 0 : -1), rows);
  const from = Math.min(inside((await part(1, "starts")) ?? 0), step > 0 ? rows : rows - 1);
  const to = inside((await part(2, "ends")) ?? rows);
  const width = elementCount(rest);
  const kept: number[] = [];
  for (let row = from; step > 0 ? row < to : row > to; row += step) {
    for (const value of values.slice(row * width, (row + 1) * width)) kept.push(value);
  }
  setOutput(state, node, { kind: "ints", shape: [kept.length / width, ...rest], values: kept });
};

/** A small matrix of sizes with rows and columns exchanged. */
export const transpose: Convert = async (state, node) => {
  const { shape, values } = await intTensorOf(valueAt(state, node, 0), "input 0");
  const [rows = 1, columns = 1] = shape;
  if (shape.length !== 2 || (node.attributes.get("perm")?.ints ?? [1, 0]).join() !== "1,0") {
    throw unsupported("only a matrix of sizes can be transposed.");
  }
  const turned = values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)] ?? 0);
  setOutput(state, node, { kind: "ints", shape: [columns, rows], values: turned });
};

/** A list of one repeated integer. */
export const constantOfShape: Convert = async (state, node) => {
  const sizes = await intsOf(valueAt(state, node, 0), "the shape");
  const { t } = node.attributes.get("value") ?? {};
  const [value = 0] = t === undefined ? [] : await intsOf({ kind: "constant", tensor: t }, "the value");
  const [length = 1] = sizes;
  if (sizes.length !== 1 || !(length >= 0 && length <= maximumInts))
    throw unsupported(`a shape of [${sizes.join(",")}].`);
  setOutput(state, node, ints(Array<number>(length).fill(value)));
};
