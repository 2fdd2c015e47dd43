import { didYouMean, FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, type Shape } from "../../engine/basics/tensor.ts";
import { copyOf } from "../bytes/copy-of.ts";
import { type ByteSource, readRange } from "../bytes/source.ts";
import {
  type Dtype,
  decode,
  decodeScaledRows,
  dtypeBytes,
  type FloatDtype,
  isFloat,
  rawPart,
  toFloat32,
} from "./dtype.ts";

/** What a weight file says about one of its tensors, before any of its data is read. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: Shape;
  /** True for integers that stand for float32 numbers, value = integer * scale + offset: they are weights, too. */
  readonly isQuantized?: boolean;
}

/** True for tensors that can be read as float32: real numbers and what stands for them. */
export function isWeight({ dtype, isQuantized }: TensorInfo): boolean {
  return isFloat(dtype) || isQuantized === true;
}

/** How integers stand for numbers: one scale and offset for all, or a scale per row in another tensor. */
export type Quantization = { readonly scale: number; readonly offset: number } | { readonly rowScales: StoredTensor };

/** Converted files keep the scales of tensor `x` in `x.rowScale`. */
export const rowScaleSuffix = ".rowScale";

/** What a weight file is called, and what it says about itself. */
export interface WeightFileLabel {
  readonly name: string;
  readonly format: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** An opened weight file: its list of tensors is in memory, their data is read when asked for. */
export interface WeightFile {
  /** How messages call it, usually the file's name. */
  readonly name: string;
  readonly format: string;
  /** Free text that came with the tensors. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * Rows `firstRow` to `firstRow + rowCount` along axis 0 (a scalar is one row), C order, as float32: f16 and bf16 convert
   * exactly, f64 rounds. The result belongs to the file's buffer: do not write to it.
   * @param scratch memory that the result may lie in, so that reading block by block needs no new memory
   * @throws RangeError for an unknown tensor or rows outside it; UnsupportedError for integer tensors; FormatError when the
   * data is not there
   */
  readRows(name: string, firstRow: number, rowCount: number, scratch?: ArrayBuffer): Promise<Float32Array>;
  /** The whole tensor, as `readRows`. */
  read(name: string): Promise<Float32Array>;
  /**
   * Where a tensor's rows lie one after the other, for hosts that read them without waiting; undefined when they do not, or hold
   * neither real numbers nor int8 with a scale per row.
   */
  locate?(name: string): TensorPlace | undefined;
}

/** A tensor's data in its source: C order without gaps. */
export interface TensorPlace {
  readonly source: ByteSource;
  readonly offset: number;
  readonly dtype: FloatDtype | "i8";
  readonly shape: Shape;
  /** Where the float32 scales of int8 rows lie. */
  readonly rowScales?: { readonly source: ByteSource; readonly offset: number };
}

/** A tensor and the place of its data. */
export interface StoredTensor extends TensorInfo {
  readonly source: ByteSource;
  /** Byte offset of element [0,0,...] in `source`. */
  readonly offset: number;
  /** Elements from one index to the next, per axis; absent when the data is in C order without gaps. */
  readonly strides?: readonly number[];
  /** Present where integers stand for numbers. */
  readonly quantization?: Quantization;
}

/** A tensor that is worked out from others when it is asked for. */
export interface ComputedTensor {
  readonly name: string;
  readonly shape: Shape;
  /** Rows along axis 0; small tensors may give all of theirs, whatever is asked. */
  compute(firstRow: number, rowCount: number): Promise<Float32Array>;
}

/** Rows that are worked out at a time, in bytes: a file that keeps them as columns is read once for so many. */
const panelBytes = 64 << 20;

/** A weight file with more tensors, computed from it or from elsewhere. @throws FormatError when a name is taken */
export function withComputed(file: WeightFile, computed: Iterable<ComputedTensor>): WeightFile {
  const added = new Map<string, ComputedTensor>();
  const tensors = new Map<string, TensorInfo>(file.tensors);
  for (const tensor of computed) {
    if (tensors.has(tensor.name))
      throw new FormatError(`weights "${file.name}": tensor "${tensor.name}" occurs twice.`);
    added.set(tensor.name, tensor);
    tensors.set(tensor.name, { name: tensor.name, dtype: "f32", shape: tensor.shape });
  }
  let panel: { tensor: ComputedTensor; firstRow: number; end: number; values: Float32Array } | undefined;
  const readRows: WeightFile["readRows"] = async (name, firstRow, rowCount, scratch) => {
    const tensor = added.get(name);
    if (tensor === undefined) return file.readRows(name, firstRow, rowCount, scratch);
    const rows = rowCountOf(tensor.shape);
    if (!(firstRow >= 0 && rowCount >= 0 && firstRow + rowCount <= rows)) {
      throw new RangeError(
        `weights "${file.name}": tensor "${name}": rows ${firstRow} to ${firstRow + rowCount} asked for, but it has ${rows}.`,
      );
    }
    const width = elementCount(tensor.shape) / rows;
    const end = firstRow + rowCount;
    let kept = panel;
    if (kept?.tensor !== tensor || firstRow < kept.firstRow || end > kept.end) {
      panel = undefined;
      const last = Math.min(rows, Math.max(end, firstRow + Math.floor(panelBytes / (4 * Math.max(1, width)))));
      const values = await tensor.compute(firstRow, last - firstRow);
      const isWhole = values.length === rows * width;
      kept = { tensor, firstRow: isWhole ? 0 : firstRow, end: isWhole ? rows : last, values };
    }
    panel = end === rows ? undefined : kept; // what was read to its end is not read again
    return kept.values.subarray((firstRow - kept.firstRow) * width, (end - kept.firstRow) * width);
  };
  return {
    ...file,
    tensors,
    readRows,
    read: async (name) => readRows(name, 0, rowCountOf(tensors.get(name)?.shape ?? [])),
  };
}

/** Axes of a tensor at most, as in NumPy. */
const maximumRank = 64;

/** Rows of a shape: the size of axis 0, or 1 for a scalar. */
export function rowCountOf(shape: Shape): number {
  return shape[0] ?? 1;
}

/**
 * Checks sizes that a file claims, before anything is multiplied out or reserved.
 * @param what the tensor, for the message
 * @returns the number of elements
 * @throws FormatError when a size is not a non-negative integer or the product is beyond 2^53
 */
export function checkedElementCount(shape: Shape, what: string): number {
  if (shape.length > maximumRank) {
    throw new FormatError(`${what}: ${shape.length} axes are impossible; at most ${maximumRank} are read.`);
  }
  const nonZero = shape.filter((size) => size !== 0);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || !Number.isSafeInteger(elementCount(nonZero))) {
    throw new FormatError(
      `${what}: shape ${formatShape(shape)} is impossible: sizes must be non-negative integers whose product stays below 2^53.`,
    );
  }
  return elementCount(shape);
}

/** True when strides describe C order without gaps (axes of size 1 may have any stride). */
function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

/** Copies a strided block into C order. `values[start]` is element [0,0,...]. */
function gather(values: Float32Array, start: number, shape: Shape, strides: readonly number[]): Float32Array {
  const result = new Float32Array(elementCount(shape));
  const last = shape.length - 1;
  let next = 0;
  const walk = (axis: number, at: number): void => {
    const size = shape[axis] ?? 1;
    const stride = strides[axis] ?? 0;
    if (axis >= last) {
      for (let i = 0; i < size; i++) result[next++] = values[at + i * stride]!;
    } else {
      for (let i = 0; i < size; i++) walk(axis + 1, at + i * stride);
    }
  };
  if (result.length > 0) walk(0, start);
  return result;
}

/**
 * A weight file over tensors whose places are known.
 * @throws FormatError when two tensors share a name, or a tensor's data would leave its source
 */
export function storedWeights(about: WeightFileLabel, stored: Iterable<StoredTensor>): WeightFile {
  const tensors = new Map<string, StoredTensor>();
  for (const tensor of stored) {
    const what = `weights "${about.name}": tensor "${tensor.name}"`;
    if (tensors.has(tensor.name)) throw new FormatError(`${what} occurs twice.`);
    const count = checkedElementCount(tensor.shape, what);
    if (!(tensor.strides ?? []).every((stride) => Number.isSafeInteger(stride) && stride >= 0)) {
      throw new FormatError(`${what}: strides [${tensor.strides?.join(",")}] must be non-negative integers.`);
    }
    if (tensor.strides !== undefined && isContiguous(tensor.shape, tensor.strides)) {
      const { strides: _, ...contiguous } = tensor;
      tensors.set(tensor.name, contiguous);
    } else {
      tensors.set(tensor.name, tensor);
    }
    // A view with strides of 0 can claim far more elements than there are bytes; reading it would reserve them all.
    if (count > tensor.source.byteLength) {
      throw new FormatError(
        `${what}: shape ${formatShape(tensor.shape)} has ${count} elements, more than the file has bytes (${tensor.source.byteLength}). It is truncated or damaged: get a fresh copy.`,
      );
    }
    const span = count === 0 ? 0 : (spanOf(tensor) + 1) * dtypeBytes[tensor.dtype];
    if (!(tensor.offset >= 0 && span >= 0 && tensor.offset + span <= tensor.source.byteLength)) {
      throw new FormatError(
        `${what} would lie at bytes ${tensor.offset} to ${tensor.offset + span}, but the file has ${tensor.source.byteLength}. It is truncated or damaged: get a fresh copy.`,
      );
    }
  }

  /** Index distance from a tensor's first element to its last. */
  function spanOf({ shape, strides }: StoredTensor): number {
    if (strides === undefined) return elementCount(shape) - 1;
    let span = 0;
    for (const [axis, size] of shape.entries()) span += (size - 1) * (strides[axis] ?? 0);
    return span;
  }

  let gathered: { tensor: StoredTensor; values: Float32Array } | undefined; // the last tensor of interleaved rows
  const readRows: WeightFile["readRows"] = async (name, firstRow, rowCount, scratch) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) {
      throw new RangeError(`weights "${about.name}": there is no tensor "${name}".${didYouMean(name, tensors.keys())}`);
    }
    const { dtype, shape, source, offset, strides } = tensor;
    const what = `weights "${about.name}": tensor "${name}"`;
    if (!isFloat(dtype) && tensor.quantization === undefined) {
      throw new UnsupportedError(`${what} holds ${dtype}, but weights must be f32, f16, bf16 or f64.`);
    }
    const rows = rowCountOf(shape);
    if (!(Number.isSafeInteger(firstRow) && Number.isSafeInteger(rowCount) && firstRow >= 0 && rowCount >= 0)) {
      throw new RangeError(`${what}: rows must be non-negative integers, got ${firstRow} and ${rowCount}.`);
    }
    if (firstRow + rowCount > rows) {
      throw new RangeError(`${what}: rows ${firstRow} to ${firstRow + rowCount} asked for, but it has ${rows}.`);
    }
    const bytes = dtypeBytes[dtype];
    const block = { ...tensor, shape: shape.length === 0 ? shape : [rowCount, ...shape.slice(1)] };
    const count = elementCount(block.shape);
    if (count === 0 || rowCount === 0) return new Float32Array(0);
    const room = (scratch?.byteLength ?? 0) >= 4 * count ? scratch : undefined;
    const values = (): Float32Array => new Float32Array(room ?? new ArrayBuffer(4 * count), 0, count);
    if (!isFloat(dtype)) return dequantized(tensor, firstRow, rowCount, values(), what);
    const rowStride = strides === undefined ? elementCount(shape.slice(1)) : (strides[0] ?? 0);
    const start = offset + firstRow * rowStride * bytes;
    // Rows that interleave (a transposed matrix): reading the span of every block would read the tensor once per block.
    if (strides !== undefined && rowCount < rows && spanOf(block) > 2 * count) {
      if (gathered?.tensor !== tensor) {
        const all = toFloat32(await readRange(source, offset, (spanOf(tensor) + 1) * bytes, what), dtype);
        gathered = { tensor, values: gather(all, 0, shape, strides) };
      }
      const width = elementCount(shape.slice(1));
      return gathered.values.subarray(firstRow * width, (firstRow + rowCount) * width);
    }
    if (strides !== undefined) {
      const data = toFloat32(await readRange(source, start, (spanOf(block) + 1) * bytes, what), dtype);
      return gather(data, 0, block.shape, strides);
    }
    if (room === undefined) return toFloat32(await readRange(source, start, count * bytes, what), dtype);
    const decoded = values();
    const raw = await readRange(source, start, count * bytes, what, rawPart(decoded, dtype));
    // A source that owns its bytes gives a view of them: it serves as it is where it can.
    if (dtype === "f32" && raw.buffer !== decoded.buffer) return toFloat32(raw, dtype);
    decode(decoded, raw, dtype);
    return decoded;
  };

  /** Rows of integers as the numbers they stand for. */
  async function dequantized(
    tensor: StoredTensor,
    first: number,
    count: number,
    values: Float32Array,
    what: string,
  ): Promise<Float32Array> {
    const { dtype, shape, source, offset, quantization } = tensor;
    const width = elementCount(shape.slice(1));
    const bytes = dtypeBytes[dtype];
    const start = offset + first * width * bytes;
    if (quantization === undefined || (dtype !== "u8" && dtype !== "u16" && dtype !== "i8")) {
      throw new UnsupportedError(`${what}: quantised ${dtype} is not supported.`);
    }
    const raw = await readRange(source, start, count * width * bytes, what, rawPart(values, dtype));
    if ("rowScales" in quantization) {
      const { source: scaleSource, offset: scaleOffset } = quantization.rowScales;
      const scales = toFloat32(await readRange(scaleSource, scaleOffset + 4 * first, 4 * count, what), "f32");
      decodeScaledRows(values, raw, scales);
      return values;
    }
    const { scale, offset: shift } = quantization;
    const data = copyOf(raw);
    const integers =
      dtype === "u16" ? new Uint16Array(data.buffer) : dtype === "u8" ? data : new Int8Array(data.buffer);
    for (let i = 0; i < values.length; i++) values[i] = integers[i]! * scale + shift;
    return values;
  }

  return {
    name: about.name,
    format: about.format,
    metadata: about.metadata ?? {},
    tensors,
    readRows,
    read: async (name) => readRows(name, 0, rowCountOf(tensors.get(name)?.shape ?? [])),
    locate(name) {
      const tensor = tensors.get(name);
      if (tensor === undefined || tensor.strides !== undefined) return undefined;
      const { source, offset, dtype, shape, quantization } = tensor;
      if (isFloat(dtype)) return { source, offset, dtype, shape };
      if (dtype !== "i8" || quantization === undefined || !("rowScales" in quantization)) return undefined;
      const { rowScales } = quantization;
      return { source, offset, dtype, shape, rowScales: { source: rowScales.source, offset: rowScales.offset } };
    },
  };
}
