import { openSync, readSync } from "node:fs";
import { UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount } from "../../engine/basics/tensor.ts";
import type { RowSource } from "../../engine/graph/parameters.ts";
import type { ByteSource, TensorPlace, WeightFile } from "../../weights-loader/index.ts";
import { decode, decodeScaledRows, dtypeBytes, rawPart } from "../../weights-loader/tensors/dtype.ts";
import type { FileSource } from "./source.ts";

/** Rows of a file. */
export interface FileRows extends RowSource {
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
 * Rows of a weight file's tensors, read at once whenever they are asked for. One buffer serves all reads; the files stay open as long
 * as the process lives.
 * @param sources the files that the tensors lie in: the weight file itself, and those of its external data
 */
export function fileRows(file: WeightFile, sources: readonly FileSource[]): FileRows {
  const descriptors = new Map<string, number>();
  let buffer = new Float32Array(0);
  const pathOf = (source: ByteSource): string | undefined => sources.find((opened) => opened === source)?.path;
  const placeOf = (name: string): TensorPlace | undefined => {
    const place = file.locate?.(name);
    return place !== undefined && pathOf(place.source) !== undefined ? place : undefined;
  };
  const scalesOf = new Map<string, Float32Array>();
  const readAt = (source: ByteSource, offset: number, bytes: Uint8Array): void => {
    const path = pathOf(source) ?? "";
    const descriptor = descriptors.get(path) ?? openSync(path, "r");
    descriptors.set(path, descriptor);
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(descriptor, bytes, done, bytes.length - done, offset + done);
      if (read === 0) throw new RangeError(`weights "${file.name}": the file became shorter while it was read.`);
      done += read;
    }
  };
  return {
    check(names) {
      const lost = names.filter((name) => placeOf(name) === undefined);
      if (lost.length > 0) throw unreadable(file.name, lost);
    },
    readRows(name, firstRow, rowCount) {
      const place = placeOf(name);
      if (place === undefined) throw unreadable(file.name, [name]);
      const { dtype, shape, offset, rowScales } = place;
      const rowElements = elementCount(shape.slice(1));
      if (buffer.length < rowCount * rowElements) buffer = new Float32Array(rowCount * rowElements);
      const values = buffer.subarray(0, rowCount * rowElements);
      const bytes = rawPart(values, dtype);
      readAt(place.source, offset + firstRow * rowElements * dtypeBytes[dtype], bytes);
      if (dtype !== "i8") {
        decode(values, bytes, dtype);
        return values;
      }
      let scales = scalesOf.get(name);
      if (scales === undefined) {
        scales = new Float32Array(shape[0] ?? 1);
        if (rowScales) readAt(rowScales.source, rowScales.offset, new Uint8Array(scales.buffer));
        scalesOf.set(name, scales);
      }
      decodeScaledRows(values, bytes, scales.subarray(firstRow, firstRow + rowCount));
      return values;
    },
  };
}
