import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, type Shape } from "../../engine/basics/tensor.ts";
import type { Pads, Pair } from "../../engine/graph/definition.ts";
import type { NetworkBuilder } from "../graphs/network-builder.ts";
import type { WeightFile } from "../tensors/weight-file.ts";

// What the layers of a Keras topology are, and what converting them adds to: the vocabulary of the converters.

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;
/** A layer's output: our node, its shape ([C,H,W] or [F]), and zeros around it that its reader takes over. */
export interface Value {
  readonly node: string;
  readonly shape: Shape;
  /** For vectors that were images: their [C,H,W]. Keras flattens H,W,C, this engine C,H,W. */
  readonly image?: Shape;
  readonly pads?: Pads;
}

/** A layer of the topology. */
export interface Layer {
  readonly name: string;
  readonly type: string;
  readonly config: Json;
  readonly inputs: readonly string[];
}

/** What converting layers adds to. */
export interface State extends NetworkBuilder {
  readonly what: string;
  readonly weights: WeightFile;
  readonly values: Map<string, Value>;
}

function checkElements(state: State, shape: Shape, from: string): void {
  const own = state.weights.tensors.get(from);
  if (own !== undefined && elementCount(own.shape) === elementCount(shape)) return;
  const got = own === undefined ? "it is missing" : `got ${formatShape(own.shape)}`;
  throw new FormatError(`${state.what}: tensor "${from}" must have ${elementCount(shape)} elements, ${got}.`);
}

/** Registers a tensor that is worked out from one of the file's. */
export function tensor(
  state: State,
  name: string,
  shape: Shape,
  from: string,
  change?: (values: Float32Array) => Float32Array,
): string {
  checkElements(state, shape, from);
  const compute = async (): Promise<Float32Array> => {
    const values = await state.weights.read(from);
    return change === undefined ? values : change(values);
  };
  return state.addTensor({ name, shape, compute });
}

/** Source rows that are turned at a time, in bytes. */
const turnedBytes = 4 << 20;

/** Sizes of a kernel as Keras keeps it: [h,w,c,out], or [h*w*c,out] where an image was flattened. */
export interface KernelSizes {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly out: number;
}

/**
 * Rows of a kernel [h,w,c,out] as [out,c,h,w]. The file keeps rows as columns, so all of it passes by, block by block; only the
 * rows that are asked for stay in memory.
 */
export async function kernelRows(
  weights: Pick<WeightFile, "tensors" | "readRows">,
  from: string,
  { height, width, channels, out }: KernelSizes,
  firstRow: number,
  rowCount: number,
): Promise<Float32Array> {
  const area = height * width;
  const inputs = area * channels;
  const result = new Float32Array(rowCount * inputs);
  const sourceRows = weights.tensors.get(from)?.shape[0] ?? 1;
  const perRow = inputs / sourceRows;
  const step = Math.max(1, Math.floor(turnedBytes / (4 * perRow * out)));
  for (let row = 0; row < sourceRows; row += step) {
    const block = await weights.readRows(from, row, Math.min(step, sourceRows - row));
    const count = block.length / out;
    for (let i = 0; i < count; i++) {
      const position = row * perRow + i;
      const channel = position % channels;
      let at = channel * area + (position - channel) / channels;
      for (let o = i * out + firstRow; o < i * out + firstRow + rowCount; o++, at += inputs) result[at] = block[o]!;
    }
  }
  return result;
}

/** Registers a kernel of the file's [h,w,c,out] as [out,c,h,w] or, for dense layers, [out,c*h*w]. */
export function kernel(state: State, name: string, shape: Shape, from: string, sizes: KernelSizes): string {
  checkElements(state, shape, from);
  const compute = (first: number, count: number): Promise<Float32Array> =>
    kernelRows(state.weights, from, sizes, first, count);
  return state.addTensor({ name, shape, compute });
}

/** Axes of a C-order array exchanged: axis i of the result is axis `order[i]` of the source. */
export function permute(values: Float32Array, shape: Shape, order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  const result = new Float32Array(values.length);
  let next = 0;
  const walk = (depth: number, at: number): void => {
    const axis = order[depth] ?? 0;
    const size = shape[axis] ?? 1;
    const stride = strides[axis] ?? 1;
    if (depth === order.length - 1) {
      for (let i = 0; i < size; i++) result[next++] = values[at + i * stride]!;
    } else {
      for (let i = 0; i < size; i++) walk(depth + 1, at + i * stride);
    }
  };
  if (result.length > 0) walk(0, 0);
  return result;
}

/** A value whose zero padding, if any, is written out. */
export function plain(state: State, value: Value): Value {
  if (value.pads === undefined) return value;
  const [channels = 1] = value.shape;
  return { node: state.addPadding(value.node, channels, value.pads), shape: value.shape };
}

/** A setting of one or two positive integers: rows, columns. @throws UnsupportedError when it is something else */
export function pair(config: Json, key: string, otherwise: Pair): Pair {
  const value = config[key] ?? otherwise;
  const [height, width] = Array.isArray(value) ? value : [value, value];
  if (!(Number.isSafeInteger(height) && Number.isSafeInteger(width) && height > 0 && width > 0)) {
    throw new UnsupportedError(`${key} must be one or two positive integers.`);
  }
  return [Number(height), Number(width)];
}

/** An input that must be an image. @throws UnsupportedError when it is a vector */
export function image(value: Value | undefined): Value {
  if (value?.shape.length !== 3) throw new UnsupportedError("its input must be an image.");
  return value;
}
