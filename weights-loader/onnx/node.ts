import { UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, type Shape } from "../../engine/basics/tensor.ts";
import type { Pair, Stage } from "../../engine/graph/definition.ts";
import { readRange } from "../bytes/source.ts";
import { isFloat } from "../tensors/dtype.ts";
import { type StoredTensor, storedWeights } from "../tensors/weight-file.ts";
import type { OnnxNode } from "./model.ts";
import type { OnnxImport, OnnxInts, OnnxValueState } from "./state.ts";

// What a node's inputs and attributes are, and how its output is set: the vocabulary of the converters.

/** Constants that are read while the graph is converted: shapes, pads, scales. Weights are larger and stay in the file. */
const maximumFolded = 1 << 20;

/** Integers in a shape calculation; these have as many as a tensor has axes, or twice that. */
export const maximumInts = 1024;

/** A value that depends on the photo. */
export type Data = OnnxValueState & { kind: "data" };
/** Turns one node of the file into nodes of the network, or into known values. @throws UnsupportedError saying why not */
export type Convert = (state: OnnxImport, node: OnnxNode) => void | Promise<void>;
/** The reason why a node cannot be converted; the import names the node. */
export const unsupported: (why: string) => UnsupportedError = (why) => new UnsupportedError(why);

/** What is known of an input; undefined where it is left out. */
export function valueAt(state: OnnxImport, node: OnnxNode, index: number): OnnxValueState | undefined {
  const name = node.inputs[index] ?? "";
  return name === "" ? undefined : state.values.get(name);
}

/** An input that must depend on the photo. */
export function dataAt(state: OnnxImport, node: OnnxNode, index: number): Data {
  const value = valueAt(state, node, index);
  if (value?.kind !== "data") throw unsupported(`input ${index} must depend on the photo.`);
  return value;
}

/** Data whose zero padding, if any, is written out. */
export function plainDataAt(state: OnnxImport, node: OnnxNode, index: number): Data {
  const data = dataAt(state, node, index);
  if (data.pads === undefined) return data;
  return { kind: "data", node: state.dataNode(data), shape: data.shape };
}

/** An input that must be rows and columns of channels. */
export function imageAt(state: OnnxImport, node: OnnxNode, index = 0): Data {
  const data = dataAt(state, node, index);
  if (data.shape.length !== 3) throw unsupported(`input ${index} must be [N,C,H,W], got [N,${data.shape.join(",")}].`);
  return data;
}

/** An input that must be a constant tensor. */
export function tensorAt(state: OnnxImport, node: OnnxNode, index: number): StoredTensor {
  const value = valueAt(state, node, index);
  if (value?.kind !== "constant") throw unsupported(`input ${index} must be constant.`);
  return value.tensor;
}

/** A constant as a vector of `length`; sizes of 1 around it do not count. */
export function vectorAt(state: OnnxImport, node: OnnxNode, index: number, length: number): string | undefined {
  if ((node.inputs[index] ?? "") === "") return undefined;
  const tensor = tensorAt(state, node, index);
  const isVector = elementCount(tensor.shape) === length && tensor.shape.filter((size) => size !== 1).length <= 1;
  if (!isVector || tensor.strides !== undefined) {
    throw unsupported(`input ${index} must have ${length} elements, got ${formatShape(tensor.shape)}.`);
  }
  return state.addTensor({ ...tensor, shape: [length] });
}

/** The numbers of a small constant. */
export async function readFloats(tensor: StoredTensor): Promise<Float32Array> {
  if (elementCount(tensor.shape) > maximumFolded) throw unsupported(`constant "${tensor.name}" is too large to fold.`);
  return storedWeights({ name: "constant", format: "onnx" }, [tensor]).read(tensor.name);
}

/** A list of integers as a value. */
export function ints(values: readonly number[]): OnnxInts {
  return { kind: "ints", shape: [values.length], values };
}

/** A short constant tensor of integers. */
export async function intTensorOf(value: OnnxValueState | undefined, what: string): Promise<OnnxInts> {
  if (value?.kind === "ints") return value;
  if (value?.kind !== "constant") throw unsupported(`${what} must be constant.`);
  const { dtype, shape, source, offset, strides } = value.tensor;
  const count = elementCount(shape);
  const width = dtype === "i64" ? 8 : 4;
  if ((dtype !== "i64" && dtype !== "i32") || count > maximumInts || strides !== undefined) {
    throw unsupported(`${what} must be a short list of integers, got ${dtype} ${formatShape(shape)}.`);
  }
  const bytes = count === 0 ? new Uint8Array(0) : await readRange(source, offset, count * width, what);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = Array.from({ length: count }, (_, i) =>
    width === 8 ? Number(view.getBigInt64(8 * i, true)) : view.getInt32(4 * i, true),
  );
  return { kind: "ints", shape, values };
}

/** A short constant list of integers, or one. */
export async function intsOf(value: OnnxValueState | undefined, what: string): Promise<readonly number[]> {
  const { shape, values } = await intTensorOf(value, what);
  if (shape.length > 1) throw unsupported(`${what} must be a list of integers, got ${formatShape(shape)}.`);
  return values;
}

/** A scalar float input or attribute (`Clip`, `Pad`). */
export async function scalarAt(
  state: OnnxImport,
  node: OnnxNode,
  index: number,
  attribute: string,
): Promise<number | undefined> {
  const value = valueAt(state, node, index);
  if (value === undefined) return node.attributes.get(attribute)?.f;
  if (value.kind !== "constant" || elementCount(value.tensor.shape) !== 1 || !isFloat(value.tensor.dtype)) {
    throw unsupported(`input ${index} must be one constant number.`);
  }
  return (await readFloats(value.tensor))[0];
}

/** An integer attribute. */
export function int(node: OnnxNode, name: string, otherwise: number): number {
  return node.attributes.get(name)?.i ?? otherwise;
}

/** A number attribute. */
export function float(node: OnnxNode, name: string, otherwise: number): number {
  return node.attributes.get(name)?.f ?? otherwise;
}

/** An attribute of two positive integers: rows, columns. */
export function pair(node: OnnxNode, name: string, otherwise: Pair): Pair {
  const ints = node.attributes.get(name)?.ints ?? [];
  if (ints.length === 0) return otherwise;
  const [height, width] = ints;
  if (height === undefined || width === undefined || ints.length !== 2 || !(height > 0) || !(width > 0)) {
    throw unsupported(`${name} must be two positive integers, got [${ints.join(",")}].`);
  }
  return [height, width];
}

/** An axis counted from the end, as one that includes the batch. */
export function axisOf(axis: number, shape: Shape): number {
  return axis < 0 ? axis + shape.length + 1 : axis;
}

/** Adds a layer to the network; its output is the node's first output. */
export function emit(
  state: OnnxImport,
  node: OnnxNode,
  inputs: readonly string[],
  layer: Stage,
  shape: Shape,
  isNonNegative = false,
): void {
  if (!shape.every((size) => Number.isSafeInteger(size) && size > 0) || !Number.isSafeInteger(elementCount(shape))) {
    throw unsupported(`its output would have shape ${formatShape(shape)}.`);
  }
  setOutput(state, node, { kind: "data", node: state.add(node.name, inputs, layer), shape, isNonNegative });
}

/** Says what the node's first output is. */
export function setOutput(state: OnnxImport, node: OnnxNode, value: OnnxValueState): void {
  state.values.set(node.outputs[0] ?? "", value);
}

/** The output is the input: nothing happens at inference. */
export const alias: Convert = (state, node) => {
  const value = valueAt(state, node, 0);
  if (value === undefined) throw unsupported("it has no input.");
  setOutput(state, node, value);
};
