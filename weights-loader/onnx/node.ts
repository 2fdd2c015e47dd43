import { UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, isHoldable, type Shape } from "../../engine/basics/tensor.ts";
import type { Pair, Stage } from "../../engine/graph/definition.ts";
import { isFloat } from "../tensors/dtype.ts";
import type { OnnxNode } from "./model.ts";
import { numbersOf, readInts } from "./numbers.ts";
import type { OnnxData, OnnxImport, OnnxValueState } from "./state.ts";

// What a node's inputs and attributes are, and how its output is set: the vocabulary of the converters.

/** Turns one node of the file into nodes of the network, or into known values. @throws UnsupportedError saying why not */
export type Convert = (state: OnnxImport, node: OnnxNode) => void | Promise<void>;
/** The reason why a node cannot be converted; the import names the node. */
export const unsupported: (why: string) => UnsupportedError = (why) => new UnsupportedError(why);

/** What is known of an input; undefined where it is left out. */
export function valueAt(state: OnnxImport, node: OnnxNode, index: number): OnnxValueState | undefined {
  const name = node.inputs[index] ?? "";
  return name === "" ? undefined : state.values.get(name);
}

/** True where an input is there and depends on the photo. */
export function isData(state: OnnxImport, node: OnnxNode, index: number): boolean {
  return valueAt(state, node, index)?.kind === "data";
}

/** An input that must depend on the photo, with or without an axis of the batch. */
export function anyDataAt(state: OnnxImport, node: OnnxNode, index: number): OnnxData {
  const value = valueAt(state, node, index);
  if (value?.kind !== "data") throw unsupported(`input ${index} must depend on the photo.`);
  return value;
}

/** An input that must depend on the photo. */
export function dataAt(state: OnnxImport, node: OnnxNode, index: number): OnnxData {
  const value = anyDataAt(state, node, index);
  if (value.isBare === true) throw unsupported(`a reshape mixed the photos of a batch in input ${index}.`);
  return value;
}

/** An input that must be constant: its shape and how its numbers are read. */
export function constantAt(state: OnnxImport, node: OnnxNode, index: number): ReturnType<typeof numbersOf> {
  const value = valueAt(state, node, index);
  if (value === undefined || value.kind === "data") throw unsupported(`input ${index} must be constant.`);
  return numbersOf(value);
}

/** A constant as a parameter of the network, in `shape`; stored tensors stay in the file. @returns its name there */
export function parameterAt(state: OnnxImport, node: OnnxNode, index: number, shape?: Shape): string {
  const value = valueAt(state, node, index);
  const wanted = shape ?? (value?.kind === "data" ? undefined : value && numbersOf(value).shape);
  if (value?.kind === "constant" && wanted !== undefined && isFloat(value.tensor.dtype)) {
    const { tensor } = value;
    if (tensor.strides === undefined) return state.addTensor({ ...tensor, shape: wanted });
    if (formatShape(tensor.shape) === formatShape(wanted)) return state.addTensor(tensor);
  }
  const numbers = constantAt(state, node, index);
  const name = node.inputs[index] ?? node.name;
  return state.addTensor({
    name,
    shape: wanted ?? numbers.shape,
    compute: async () => Float32Array.from(await numbers.load()),
  });
}

/** A constant as a vector of `length`; sizes of 1 around it do not count. */
export function vectorAt(state: OnnxImport, node: OnnxNode, index: number, length: number): string | undefined {
  if ((node.inputs[index] ?? "") === "") return undefined;
  const { shape } = constantAt(state, node, index);
  if (elementCount(shape) !== length || shape.filter((size) => size !== 1).length > 1) {
    throw unsupported(`input ${index} must have ${length} elements, got ${formatShape(shape)}.`);
  }
  return parameterAt(state, node, index, [length]);
}

/** A list of constant integers, an input or, where that is absent, an attribute. */
export async function intsAt(
  state: OnnxImport,
  node: OnnxNode,
  index: number,
  attribute?: string,
): Promise<readonly number[] | undefined> {
  const value = valueAt(state, node, index);
  if (value === undefined) return attribute === undefined ? undefined : node.attributes.get(attribute)?.ints;
  if (value.kind === "data") throw unsupported(`input ${index} must be constant.`);
  return readInts(value, attribute ?? `input ${index}`);
}

/** A scalar number, an input or, where that is absent, an attribute. */
export async function scalarAt(
  state: OnnxImport,
  node: OnnxNode,
  index: number,
  attribute: string,
): Promise<number | undefined> {
  const value = valueAt(state, node, index);
  if (value === undefined) return node.attributes.get(attribute)?.f;
  if (value.kind === "data") throw unsupported(`input ${index} must be one constant number.`);
  const numbers = numbersOf(value);
  if (elementCount(numbers.shape) !== 1) throw unsupported(`input ${index} must be one constant number.`);
  return (await numbers.load())[0];
}

/** An integer attribute. */
export function int(node: OnnxNode, name: string, otherwise: number): number {
  return node.attributes.get(name)?.i ?? otherwise;
}

/** A number attribute. */
export function float(node: OnnxNode, name: string, otherwise: number): number {
  return node.attributes.get(name)?.f ?? otherwise;
}

/** An attribute of one or two positive integers; of one, for signals of one axis, the rows are 1. */
export function pair(node: OnnxNode, name: string, otherwise: Pair): Pair {
  const ints = node.attributes.get(name)?.ints ?? [];
  if (ints.length === 0) return otherwise;
  const [height, width] = ints.length === 1 ? [1, ints[0]] : ints;
  if (height === undefined || width === undefined || ints.length > 2 || !(height > 0) || !(width > 0)) {
    throw unsupported(`${name} must be two positive integers, got [${ints.join(",")}].`);
  }
  return [height, width];
}

/**
 * An axis counted from the end, as one that includes the batch.
 * @throws UnsupportedError for one that does not exist
 */
export function axisOf(axis: number, shape: Shape): number {
  const own = axis < 0 ? axis + shape.length + 1 : axis;
  if (!(own >= 0 && own <= shape.length)) throw unsupported(`axis ${axis} of [N,${shape.join(",")}].`);
  return own;
}

/** [F] or [C,H,W] for a value of any number of axes: the first is the channels, the last the columns. */
export function engineShape(shape: Shape): Shape {
  const [first = 1, ...rest] = shape;
  if (rest.length === 0) return [first];
  const last = rest.at(-1) ?? 1;
  return [first, elementCount(rest.slice(0, -1)), last];
}

/** Adds a layer to the network and says what its output is. */
export function addLayer(
  state: OnnxImport,
  wish: string,
  inputs: readonly string[],
  stage: Stage,
  value: Omit<OnnxData, "kind" | "node">,
): OnnxData {
  const { shape, at } = value;
  if (![...shape, ...at].every((size) => Number.isSafeInteger(size) && size > 0) || !isHoldable(at)) {
    throw unsupported(`its output would have shape ${formatShape(shape)}.`);
  }
  const name = state.add(wish, inputs, stage);
  state.stages.set(name, { inputs, stage });
  const { via: _, ...rest } = value;
  return { ...rest, kind: "data", node: name };
}

/** Says what the node's outputs are. */
export function setOutputs(state: OnnxImport, node: OnnxNode, values: readonly OnnxValueState[]): void {
  for (const [index, value] of values.entries()) {
    const name = node.outputs[index] ?? "";
    if (name !== "") state.values.set(name, value);
  }
}

/** Says what the node's first output is. */
export function setOutput(state: OnnxImport, node: OnnxNode, value: OnnxValueState): void {
  setOutputs(state, node, [value]);
}

/** The output is the input: nothing happens at inference. */
export const alias: Convert = (state, node) => {
  const value = valueAt(state, node, 0);
  if (value === undefined) throw unsupported("it has no input.");
  setOutput(state, node, value);
};
