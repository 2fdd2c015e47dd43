import { didYouMean, FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape } from "../../engine/basics/tensor.ts";
import { copyOf } from "../bytes/copy-of.ts";
import { readRange } from "../bytes/source.ts";
import { decode, decodeScaledRows, dtypeBytes, type FloatDtype, isFloat, rawPart, toFloat32 } from "./dtype.ts";
import { gather, isContiguous, spanOf } from "./strides.ts";
import {
  checkedElementCount,
  rowCountOf,
  type StoredTensor,
  type TensorPlace,
  type WeightFile,
  type WeightFileLabel,
} from "./weight-file.ts";

/** Whole rows of one tensor. */
interface Rows {
  readonly tensor: StoredTensor;
  readonly first: number;
  readonly count: number;
  /** The tensor, for messages. */
  readonly what: string;
}

/** A tensor whose data lie inside its source; strides that say nothing are gone. @throws FormatError for all others */
function checkedTensor(tensor: StoredTensor, what: string): StoredTensor {
  const count = checkedElementCount(tensor.shape, what);
  if (!(tensor.strides ?? []).every((stride) => Number.isSafeInteger(stride) && stride >= 0)) {
    throw new FormatError(`${what}: strides [${tensor.strides?.join(",")}] must be non-negative integers.`);
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
  if (tensor.strides === undefined || !isContiguous(tensor.shape, tensor.strides)) return tensor;
  const { strides: _, ...contiguous } = tensor;
  return contiguous;
}

function checkRows({ tensor, first, count, what }: Rows): void {
  if (!isFloat(tensor.dtype) && tensor.quantization === undefined) {
    throw new UnsupportedError(`${what} holds ${tensor.dtype}, but weights must be f32, f16, bf16 or f64.`);
  }
  if (!(Number.isSafeInteger(first) && Number.isSafeInteger(count) && first >= 0 && count >= 0)) {
    throw new RangeError(`${what}: rows must be non-negative integers, got ${first} and ${count}.`);
  }
  const rows = rowCountOf(tensor.shape);
  if (first + count > rows) {
    throw new RangeError(`${what}: rows ${first} to ${first + count} asked for, but it has ${rows}.`);
  }
}

/** Rows of integers as the numbers they stand for, written to `values`. */
async function dequantized({ tensor, first, count, what }: Rows, values: Float32Array): Promise<Float32Array> {
  const { dtype, shape, source, offset, quantization } = tensor;
  const width = elementCount(shape.slice(1));
  const start = offset + first * width * dtypeBytes[dtype];
  if (quantization === undefined || (dtype !== "u8" && dtype !== "u16" && dtype !== "i8")) {
    throw new UnsupportedError(`${what}: quantised ${dtype} is not supported.`);
  }
  const raw = await readRange(source, start, count * width * dtypeBytes[dtype], what, rawPart(values, dtype));
  if ("rowScales" in quantization) {
    const { source: scaleSource, offset: scaleOffset } = quantization.rowScales;
    const scales = toFloat32(await readRange(scaleSource, scaleOffset + 4 * first, 4 * count, what), "f32");
    decodeScaledRows(values, raw, scales);
    return values;
  }
  const { scale, offset: shift } = quantization;
  const data = copyOf(raw);
  const integers = dtype === "u16" ? new Uint16Array(data.buffer) : dtype === "u8" ? data : new Int8Array(data.buffer);
  for (let i = 0; i < values.length; i++) values[i] = integers[i]! * scale + shift;
  return values;
}

/** A range of a tensor's source that holds floats. */
async function floatsAt({ tensor, what }: Rows, dtype: FloatDtype, at: number, length: number): Promise<Float32Array> {
  return toFloat32(await readRange(tensor.source, at, length * dtypeBytes[dtype], what), dtype);
}

/** Rows of floats in C order, decoded into `room` where there is some. */
async function contiguousRows(rows: Rows, dtype: FloatDtype, at: number, room?: Float32Array): Promise<Float32Array> {
  const { tensor, count, what } = rows;
  const length = count * elementCount(tensor.shape.slice(1));
  if (room === undefined) return floatsAt(rows, dtype, at, length);
  const raw = await readRange(tensor.source, at, length * dtypeBytes[dtype], what, rawPart(room, dtype));
  // A source that owns its bytes gives a view of them: it serves as it is where it can.
  if (dtype === "f32" && raw.buffer !== room.buffer) return toFloat32(raw, dtype);
  decode(room, raw, dtype);
  return room;
}

/** Reads rows of tensors whose elements do not lie in C order. It keeps the last tensor of interleaved rows. */
function stridedReader(): (rows: Rows, dtype: FloatDtype, strides: readonly number[]) => Promise<Float32Array> {
  let gathered: { tensor: StoredTensor; values: Float32Array } | undefined;
  return async (rows, dtype, strides) => {
    const { tensor, first, count } = rows;
    const { shape, offset } = tensor;
    const block = { shape: shape.length === 0 ? shape : [count, ...shape.slice(1)], strides };
    // Rows that interleave (a transposed matrix): reading the span of every block would read the tensor once per block.
    if (count < rowCountOf(shape) && spanOf(block) > 2 * elementCount(block.shape)) {
      if (gathered?.tensor !== tensor) {
        const all = await floatsAt(rows, dtype, offset, spanOf(tensor) + 1);
        gathered = { tensor, values: gather(all, 0, shape, strides) };
      }
      const width = elementCount(shape.slice(1));
      return gathered.values.subarray(first * width, (first + count) * width);
    }
    const start = offset + first * (strides[0] ?? 0) * dtypeBytes[dtype];
    return gather(await floatsAt(rows, dtype, start, spanOf(block) + 1), 0, block.shape, strides);
  };
}

/** Where a tensor's data can be read without this file: floats or scaled integers in C order. */
function placeOf({ source, offset, dtype, shape, strides, quantization }: StoredTensor): TensorPlace | undefined {
  if (strides !== undefined) return undefined;
  if (isFloat(dtype)) return { source, offset, dtype, shape };
  if (dtype !== "i8" || quantization === undefined || !("rowScales" in quantization)) return undefined;
  const { rowScales } = quantization;
  return { source, offset, dtype, shape, rowScales: { source: rowScales.source, offset: rowScales.offset } };
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
    tensors.set(tensor.name, checkedTensor(tensor, what));
  }

  const readStrided = stridedReader();
  const readRows: WeightFile["readRows"] = async (name, first, count, scratch) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) {
      throw new RangeError(`weights "${about.name}": there is no tensor "${name}".${didYouMean(name, tensors.keys())}`);
    }
    const rows: Rows = { tensor, first, count, what: `weights "${about.name}": tensor "${name}"` };
    checkRows(rows);
    const { dtype, shape, offset, strides } = tensor;
    const width = elementCount(shape.slice(1));
    const length = count * width;
    if (length === 0) return new Float32Array(0);
    const room = (scratch?.byteLength ?? 0) >= 4 * length ? scratch : undefined;
    const values = room === undefined ? undefined : new Float32Array(room, 0, length);
    if (!isFloat(dtype)) return dequantized(rows, values ?? new Float32Array(length));
    if (strides !== undefined) return readStrided(rows, dtype, strides);
    return contiguousRows(rows, dtype, offset + first * width * dtypeBytes[dtype], values);
  };

  return {
    name: about.name,
    format: about.format,
    metadata: about.metadata ?? {},
    tensors,
    readRows,
    read: async (name) => readRows(name, 0, rowCountOf(tensors.get(name)?.shape ?? [])),
    locate(name) {
      const tensor = tensors.get(name);
      return tensor === undefined ? undefined : placeOf(tensor);
    },
  };
}
