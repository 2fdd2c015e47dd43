import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, type Shape } from "../../engine/basics/tensor.ts";
import type { Pads, Pair, Stage } from "../../engine/graph/definition.ts";
import type { Json } from "../bytes/json.ts";
import type { NetworkBuilder } from "../graphs/network-builder.ts";
import type { WeightFile } from "../tensors/weight-file.ts";

// What the layers of a Keras topology are, and what converting them adds to: the vocabulary of the converters.

/** A layer's output: our node, its shape ([C,H,W] or [F]), and zeros around it that its reader takes over. */
export interface Value {
  readonly node: string;
  readonly shape: Shape;
  /**
   * For vectors that hold images: the [C,H,W] (or [F]) of each part, one behind the other. Keras flattens H,W,C, this engine C,H,W.
   */
  readonly parts?: readonly Shape[];
  readonly pads?: Pads;
  /** True for a signal, [L,C] in Keras: here it is an image of one row, [C,1,L]. */
  readonly isSignal?: boolean;
  /** True for scores that stand for their log-softmax: nothing may read them. */
  readonly isEnd?: boolean;
}

/** A layer of the topology. */
export interface Layer {
  /** Its name, behind the names of the models that it lies in: `base/conv1`. */
  readonly name: string;
  readonly type: string;
  readonly config: Json;
}

/** What converting layers adds to. */
export interface State extends NetworkBuilder {
  readonly what: string;
  readonly weights: WeightFile;
}

/** Turns a layer into nodes. @throws UnsupportedError saying why not */
export type Convert = (state: State, layer: Layer, inputs: readonly Value[]) => Value;

/** The only input. */
export function inputOf(inputs: readonly Value[]): Value {
  const [x] = inputs;
  if (x === undefined) throw new UnsupportedError("it has no input.");
  return x;
}

/** Adds a node with an input's shape behind it. */
export function behind(state: State, name: string, x: Value, stage: Stage): Value {
  const from = plain(state, x);
  return { ...from, node: state.add(name, [from.node], stage) };
}

/**
 * The name of a layer's tensor in the file. Files call layers by their whole path, by the path in the model they lie in, or by their
 * name alone; TensorFlow.js adds the network's name before, or `_1` behind, when a network is loaded and saved again.
 * @param parts the names that Keras' versions gave it
 */
export function tensorName({ weights, what }: State, layer: string, parts: readonly string[]): string {
  const own = layer.slice(layer.lastIndexOf("/") + 1);
  for (const name of new Set([layer, own])) {
    for (const part of parts) if (weights.tensors.has(`${name}/${part}`)) return `${name}/${part}`;
  }
  const ends = (name: string): string[] =>
    Array.from(weights.tensors.keys()).filter((tensor) =>
      parts.some((part) => `/${tensor}`.endsWith(`/${name}/${part}`)),
    );
  for (const name of [layer, own, `${own}_1`]) {
    const found = ends(name);
    const [only, second] = found;
    if (second !== undefined) {
      throw new FormatError(`${what}: layer "${layer}" may own any of the tensors ${found.join(", ")}.`);
    }
    if (only !== undefined) return only;
  }
  return `${layer}/${parts[0] ?? ""}`;
}

/** @throws FormatError unless the file has the tensor, with as many elements as `shape` */
export function checkElements(state: State, shape: Shape, from: string): void {
  const own = state.weights.tensors.get(from);
  if (own !== undefined && elementCount(own.shape) === elementCount(shape)) return;
  const got = own === undefined ? "it is missing" : `got ${formatShape(own.shape)}`;
  throw new FormatError(`${state.what}: tensor "${from}" must have ${elementCount(shape)} elements, ${got}.`);
}

/** Registers a tensor once: layers that are used several times share theirs. */
function register(state: State, name: string, shape: Shape, compute: RowsOf): string {
  return state.tensors.has(name) ? name : state.addTensor({ name, shape, compute });
}
type RowsOf = (firstRow: number, rowCount: number) => Promise<Float32Array>;

/** Registers a tensor that is worked out from one of the file's. */
export function tensor(
  state: State,
  name: string,
  shape: Shape,
  from: string,
  change?: (values: Float32Array) => Float32Array,
): string {
  checkElements(state, shape, from);
  return register(state, name, shape, async () => {
    const values = await state.weights.read(from);
    return change === undefined ? values : change(values);
  });
}

/** Registers a vector that is worked out when it is read. */
export function vectorOf(state: State, name: string, length: number, compute: () => Promise<Float32Array>): string {
  return register(state, name, [length], compute);
}

/** Registers constants. */
export function constants(state: State, name: string, values: Float32Array): string {
  return vectorOf(state, name, values.length, async () => values);
}

/** Where the values of flattened images, [h,w,c] one behind the other, are in this engine's order. */
export function placesOf(parts: readonly Shape[]): Uint32Array {
  const places = new Uint32Array(parts.reduce((sum, part) => sum + elementCount(part), 0));
  let start = 0;
  for (const part of parts) {
    const [channels = 1, height = 1, width = 1] = part;
    const area = height * width;
    for (let i = 0; i < area * channels; i++) {
      const channel = i % channels;
      places[start + i] = start + channel * area + (i - channel) / channels;
    }
    start += area * channels;
  }
  return places;
}

/** Source rows that are turned at a time, in bytes. */
const turnedBytes = 4 << 20;

/**
 * Rows of a kernel [inputs, out] as [out, inputs]. The file keeps rows as columns, so all of it passes by, block by block; only the
 * rows that are asked for stay in memory.
 * @param places where each of the kernel's inputs goes
 */
export async function kernelRows(
  weights: Pick<WeightFile, "tensors" | "readRows">,
  from: string,
  places: Uint32Array,
  out: number,
  firstRow: number,
  rowCount: number,
): Promise<Float32Array> {
  const inputs = places.length;
  const result = new Float32Array(rowCount * inputs);
  const sourceRows = weights.tensors.get(from)?.shape[0] ?? 1;
  const perRow = inputs / sourceRows;
  const step = Math.max(1, Math.floor(turnedBytes / (4 * perRow * out)));
  for (let row = 0; row < sourceRows; row += step) {
    const block = await weights.readRows(from, row, Math.min(step, sourceRows - row));
    const count = block.length / out;
    for (let i = 0; i < count; i++) {
      let at = places[row * perRow + i]!;
      for (let o = i * out + firstRow; o < i * out + firstRow + rowCount; o++, at += inputs) result[at] = block[o]!;
    }
  }
  return result;
}

/** Registers a kernel of the file's [h,w,c,out] as [out,c,h,w] or, for dense layers, [out,c*h*w]. */
export function kernel(
  state: State,
  name: string,
  shape: Shape,
  from: string,
  parts: readonly Shape[],
  out: number,
): string {
  checkElements(state, shape, from);
  const places = placesOf(parts);
  return register(state, name, shape, (first, count) => kernelRows(state.weights, from, places, out, first, count));
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
  const { pads, ...rest } = value;
  if (pads === undefined) return value;
  const [channels = 1] = value.shape;
  return { ...rest, node: state.addPadding(value.node, channels, pads) };
}

/** A vector in Keras' own order, for layers that see the places of its values. */
export function inKerasOrder(state: State, raw: Value): Value {
  const value = plain(state, raw);
  const { parts, shape } = value;
  if (parts === undefined) return value;
  const isSame = parts.every(([channels = 1, height = 1, width = 1]) => channels === 1 || height * width === 1);
  if (isSame) return { node: value.node, shape };
  const [only, second] = parts;
  if (only?.length !== 3 || second !== undefined) throw new UnsupportedError("its input joins flattened images.");
  const stage = { op: "permute", view: only, order: [1, 2, 0], shape } as const;
  return { node: state.add(`${value.node}.order`, [value.node], stage), shape };
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

/** The sizes that a reshaping wants: a layer's, or those of `keras.ops.reshape`, the batch's open size before them. */
export function targetOf({ newshape, target_shape: target }: Json): readonly unknown[] {
  const isBatchFirst = Array.isArray(newshape) && (newshape[0] === -1 || newshape[0] === null);
  const sizes: unknown = isBatchFirst ? newshape.slice(1) : target;
  return Array.isArray(sizes) ? sizes : [];
}

/** A setting of two pairs of non-negative integers: before and behind the rows, and the columns. */
export function margins(config: Json, key: string): Pads {
  const given = config[key];
  const [vertical, horizontal] = Array.isArray(given) ? given : [given, given];
  const both = (value: unknown): number[] =>
    Array.isArray(value) ? value.map(Number) : [Number(value), Number(value)];
  const [top = 0, bottom = 0] = both(vertical);
  const [left = 0, right = 0] = both(horizontal);
  if (![top, bottom, left, right].every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new UnsupportedError(`${key} must be non-negative integers.`);
  }
  return [top, left, bottom, right];
}

/** A number of the configuration. @throws UnsupportedError when it is something else */
export function number(config: Json, key: string, otherwise: number): number {
  const value = config[key] ?? otherwise;
  if (typeof value !== "number" || !Number.isFinite(value)) throw new UnsupportedError(`${key} must be a number.`);
  return value;
}

/** A positive integer of the configuration. @throws UnsupportedError when it is something else */
export function count(config: Json, key: string, otherwise?: number): number {
  const value = config[key] ?? otherwise;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
    throw new UnsupportedError(`${key} must be a positive integer.`);
  }
  return value;
}

/** Refuses an axis other than the channels, which Keras keeps last. A list of one axis counts as that axis. */
export function checkLastAxis(config: Json, { shape, isSignal }: Value): void {
  const given = config["axis"] ?? -1;
  const axis: unknown = Array.isArray(given) && given.length === 1 ? given[0] : given;
  if (axis !== -1 && axis !== (isSignal === true ? 2 : shape.length)) {
    throw new UnsupportedError(`axis ${JSON.stringify(given)}; only the last, the channels, is supported.`);
  }
}

/** An input that must be an image. @throws UnsupportedError when it is a vector */
export function image(value: Value | undefined): Value {
  if (value?.shape.length !== 3) throw new UnsupportedError("its input must be an image.");
  return value;
}
