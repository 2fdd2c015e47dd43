import { UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, type Shape, stridesOf } from "../../engine/basics/tensor.ts";
import { readRange } from "../bytes/source.ts";
import { isFloat } from "../tensors/dtype.ts";
import { storedWeights } from "../tensors/stored-weights.ts";
import type { StoredTensor } from "../tensors/weight-file.ts";
import type { OnnxData, OnnxNumbers, OnnxValueState } from "./state.ts";

// Numbers that do not depend on the photo: how they are read, and how they are worked with.

/** Integers in a shape calculation; these have as many as a tensor has axes, or some more. */
const maximumInts = 1 << 16;

/** Elements of one constant at most: 1 GiB as float64. */
const maximumElements = 1 << 27;

/** How often a constant of more than 2^20 elements is worked out at most. */
const maximumLoads = 64;

/** A list of integers as a value. */
export function ints(values: readonly number[], shape: Shape = [values.length]): OnnxNumbers {
  return numbers(shape, true, async () => Float64Array.from(values));
}

/** Numbers that are worked out when they are first needed, and then kept where they are few. */
export function numbers(shape: Shape, isInteger: boolean, load: () => Promise<Float64Array>): OnnxNumbers {
  const count = elementCount(shape);
  if (!(count <= maximumElements))
    throw new UnsupportedError(`a constant of shape ${formatShape(shape)} is too large.`);
  let kept: Promise<Float64Array> | undefined;
  const once = (): Promise<Float64Array> => {
    kept ??= load();
    return kept;
  };
  // Large ones are not kept; a graph that works one out of itself again and again would never end.
  let loads = 0;
  const few = (): Promise<Float64Array> => {
    if (++loads > maximumLoads)
      throw new UnsupportedError(`a constant of shape ${formatShape(shape)} is used too often.`);
    return load();
  };
  return { kind: "numbers", shape, isInteger, load: count <= 1 << 20 ? once : few };
}

const integerBytes = { u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, u64: 8, i64: 8, bool: 1 } as const;

async function readInteger(tensor: StoredTensor): Promise<Float64Array> {
  const { dtype, shape, source, offset, strides } = tensor;
  const count = elementCount(shape);
  if (!(dtype in integerBytes) || strides !== undefined || isFloat(dtype)) {
    throw new UnsupportedError(`constant "${tensor.name}": ${dtype} ${formatShape(shape)} cannot be read.`);
  }
  const width = integerBytes[dtype as keyof typeof integerBytes]; // checked above
  const bytes = count === 0 ? new Uint8Array(0) : await readRange(source, offset, count * width, tensor.name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read: Record<keyof typeof integerBytes, (at: number) => number> = {
    u8: (at) => view.getUint8(at),
    bool: (at) => view.getUint8(at),
    i8: (at) => view.getInt8(at),
    u16: (at) => view.getUint16(at, true),
    i16: (at) => view.getInt16(at, true),
    u32: (at) => view.getUint32(at, true),
    i32: (at) => view.getInt32(at, true),
    u64: (at) => Number(view.getBigUint64(at, true)),
    i64: (at) => Number(view.getBigInt64(at, true)),
  };
  const one = read[dtype as keyof typeof integerBytes]; // checked above
  return Float64Array.from({ length: count }, (_, i) => one(width * i));
}

/** A constant's numbers, whether the file stores them or they are worked out. */
export function numbersOf(value: Exclude<OnnxValueState, OnnxData>): OnnxNumbers {
  if (value.kind === "numbers") return value;
  const { tensor } = value;
  if (!isFloat(tensor.dtype)) return numbers(tensor.shape, true, () => readInteger(tensor));
  return numbers(tensor.shape, false, async () => {
    const file = storedWeights({ name: "constant", format: "onnx" }, [tensor]);
    return Float64Array.from(await file.read(tensor.name));
  });
}

/** A short constant list of integers, or one. */
export async function readInts(value: Exclude<OnnxValueState, OnnxData>, what: string): Promise<readonly number[]> {
  const constant = numbersOf(value);
  if (!constant.isInteger || constant.shape.length > 1 || elementCount(constant.shape) > maximumInts) {
    throw new UnsupportedError(
      `${what} must be a short list of integers, got ${constant.isInteger ? "" : "floats "}${formatShape(constant.shape)}.`,
    );
  }
  return Array.from(await constant.load());
}

/** The common shape of several, as NumPy broadcasts. @throws UnsupportedError where they do not fit */
export function broadcastShape(shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, k) => {
    const sizes = shapes.map((shape) => shape[k - rank + shape.length] ?? 1);
    const size = sizes.find((each) => each !== 1) ?? 1;
    if (sizes.some((each) => each !== 1 && each !== size)) {
      throw new UnsupportedError(`shapes ${shapes.map(formatShape).join(" and ")} do not fit each other.`);
    }
    return size;
  });
}

/** Calls `visit` with, for every element of `shape` in C order, the offset of its source; strides are those of the source. */
export function forEachOffset(
  shape: Shape,
  strides: readonly number[],
  visit: (offset: number, index: number) => void,
): void {
  const count = elementCount(shape);
  const place = shape.map(() => 0);
  let offset = 0;
  for (let index = 0; index < count; index++) {
    visit(offset, index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += strides[axis]!;
      place[axis]!++;
      if (place[axis]! < shape[axis]!) break;
      offset -= strides[axis]! * shape[axis]!;
      place[axis] = 0;
    }
  }
}

/** Numbers repeated to a shape, as NumPy broadcasts. */
export function expanded(values: Float64Array, from: Shape, to: Shape): Float64Array {
  const lead = to.length - from.length;
  const own = stridesOf(from);
  const strides = to.map((_, k) => (k < lead || from[k - lead] === 1 ? 0 : own[k - lead]!));
  const result = new Float64Array(elementCount(to));
  forEachOffset(to, strides, (offset, index) => {
    result[index] = values[offset]!;
  });
  return result;
}

/** One value for each pair (or more) of numbers. */
export function mapNumbers(
  inputs: readonly OnnxNumbers[],
  isInteger: boolean,
  apply: (...values: number[]) => number,
): OnnxNumbers {
  const shape = broadcastShape(inputs.map((input) => input.shape));
  return numbers(shape, isInteger, async () => {
    const lists: Float64Array[] = [];
    for (const input of inputs) lists.push(expanded(await input.load(), input.shape, shape));
    return Float64Array.from({ length: elementCount(shape) }, (_, i) => apply(...lists.map((list) => list[i]!)));
  });
}

/** The same numbers in another order, some of them, or repeated: element i of the result is element offset(i). */
export function movedNumbers(x: OnnxNumbers, shape: Shape, strides: readonly number[], start = 0): OnnxNumbers {
  return numbers(shape, x.isInteger, async () => {
    const values = await x.load();
    const result = new Float64Array(elementCount(shape));
    forEachOffset(shape, strides, (offset, index) => {
      result[index] = values[start + offset]!;
    });
    return result;
  });
}

/** A part, for each kept place, of axis `axis`. */
export function takenNumbers(
  x: OnnxNumbers,
  axis: number,
  places: readonly number[],
  placesShape?: Shape,
): OnnxNumbers {
  const inner = elementCount(x.shape.slice(axis + 1));
  const outer = elementCount(x.shape.slice(0, axis));
  const size = x.shape[axis] ?? 1;
  const shape = [...x.shape.slice(0, axis), ...(placesShape ?? [places.length]), ...x.shape.slice(axis + 1)];
  return numbers(shape, x.isInteger, async () => {
    const values = await x.load();
    const result = new Float64Array(elementCount(shape));
    let k = 0;
    for (let o = 0; o < outer; o++) {
      for (const place of places) {
        for (let i = 0; i < inner; i++) result[k++] = values[(o * size + place) * inner + i]!;
      }
    }
    return result;
  });
}

/** One number for each set of numbers along `axes`. */
export function reducedNumbers(
  x: OnnxNumbers,
  axes: readonly number[],
  keepsAxes: boolean,
  reduce: (values: readonly number[]) => number,
): OnnxNumbers {
  const kept = x.shape.map((size, k) => (axes.includes(k) ? 1 : size));
  const shape = keepsAxes ? kept : x.shape.filter((_, k) => !axes.includes(k));
  return numbers(shape, x.isInteger, async () => {
    const values = await x.load();
    const own = stridesOf(kept).map((stride, k) => (axes.includes(k) ? 0 : stride));
    const sets = Array.from({ length: elementCount(kept) }, (): number[] => []);
    forEachOffset(x.shape, own, (offset, index) => {
      sets[offset]!.push(values[index]!);
    });
    return Float64Array.from(sets, reduce);
  });
}
