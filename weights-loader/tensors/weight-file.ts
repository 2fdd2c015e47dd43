import { FormatError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape, type Shape } from "../../engine/basics/tensor.ts";
import type { ByteSource } from "../bytes/source.ts";
import { type Dtype, type FloatDtype, isFloat } from "./dtype.ts";

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
