import { UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount } from "../../engine/basics/tensor.ts";
import type { RowSource } from "../../engine/graph/parameters.ts";
import { decode, decodeScaledRows, dtypeBytes, rawPart } from "./dtype.ts";
import type { TensorPlace, WeightFile } from "./weight-file.ts";

/** Rows of a weight file. */
export interface WeightRows extends RowSource {
  /** @throws UnsupportedError naming every tensor whose rows cannot be read piece by piece */
  check(names: readonly string[]): void;
}

/** Tensors that a message names; the rest is counted. */
const listed = 8;

function unreadable(file: string, names: readonly string[]): UnsupportedError {
  const rest = names.length > listed ? `, and ${names.length - listed} more,` : "";
  const list =
    names
      .slice(0, listed)
      .map((name) => `"${name}"`)
      .join(", ") + rest;
  return new UnsupportedError(
    `weights "${file}": rows of ${list} do not lie one after the other in this file, so they cannot be read piece by piece. Load it whole, or convert it first (srmap convert).`,
  );
}

/**
 * Rows of a weight file's tensors, read whenever they are asked for, for networks that leave their weights outside (`NetworkOptions.rows`).
 * float16 and int8 stay what they are until then. One buffer serves all reads.
 * @param file from a source that can be read without waiting (`ByteSource.readSync`)
 */
export function weightRows(file: WeightFile): WeightRows {
  let buffer = new Float32Array(0);
  const scalesOf = new Map<string, Float32Array>();
  const placeOf = (name: string): TensorPlace | undefined => {
    const place = file.locate?.(name);
    const sources = place === undefined ? [] : [place.source, place.rowScales?.source ?? place.source];
    return sources.every(({ readSync }) => readSync !== undefined) ? place : undefined;
  };
  /** The float32 scales of int8 rows, one a row. */
  const scales = (name: string, { shape, rowScales }: TensorPlace): Float32Array => {
    const known = scalesOf.get(name);
    if (known !== undefined) return known;
    const values = new Float32Array(shape[0] ?? 1);
    rowScales?.source.readSync?.(rowScales.offset, new Uint8Array(values.buffer));
    scalesOf.set(name, values);
    return values;
  };
  return {
    check(names) {
      const lost = names.filter((name) => placeOf(name) === undefined);
      if (lost.length > 0) throw unreadable(file.name, lost);
    },
    readRows(name, firstRow, rowCount) {
      const place = placeOf(name);
      if (place === undefined) throw unreadable(file.name, [name]);
      const { dtype, shape, offset } = place;
      const rowElements = elementCount(shape.slice(1));
      if (buffer.length < rowCount * rowElements) buffer = new Float32Array(rowCount * rowElements);
      const values = buffer.subarray(0, rowCount * rowElements);
      const bytes = rawPart(values, dtype);
      place.source.readSync?.(offset + firstRow * rowElements * dtypeBytes[dtype], bytes);
      if (dtype === "i8") decodeScaledRows(values, bytes, scales(name, place).subarray(firstRow, firstRow + rowCount));
      else decode(values, bytes, dtype);
      return values;
    },
  };
}
