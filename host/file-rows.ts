import { openSync, readSync } from "node:fs";
import { UnsupportedError } from "../engine/errors.ts";
import type { RowSource } from "../engine/parameters.ts";
import { elementCount } from "../engine/tensor.ts";
import { decode, decodeScaledRows, dtypeBytes, rawPart } from "../weights-loader/dtype.ts";
import type { ByteSource, TensorPlace, WeightFile } from "../weights-loader/index.ts";

/** Rows of a file. */
export interface FileRows extends RowSource {
  /** @throws UnsupportedError naming every tensor whose rows cannot be read piece by piece */
  check(names: readonly string[]): void;
}

function unreadable(file: string, names: readonly string[]): UnsupportedError {
  const list = names.map((name) => `"${name}"`).join(", ");
  return new UnsupportedError(
    `weights "${file}": rows of ${list} do not lie one after the other in this file, so they cannot be read piece by piece. Load it whole, or convert it first (srmap convert).`,
  );
}

/**
 * Rows of a weight file's tensors, read at once whenever they are asked for. One buffer serves all reads; the file stays open as long
 * as the process lives.
 * @param path the file that `source` reads
 * @throws the system's error when the file cannot be opened
 */
export function fileRows(path: string, file: WeightFile, source: ByteSource): FileRows {
  const descriptor = openSync(path, "r");
  let buffer = new Float32Array(0);
  const placeOf = (name: string): TensorPlace | undefined => {
    const place = file.locate?.(name);
    return place?.source === source ? place : undefined;
  };
  const scalesOf = new Map<string, Float32Array>();
  const readAt = (offset: number, bytes: Uint8Array): void => {
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
      readAt(offset + firstRow * rowElements * dtypeBytes[dtype], bytes);
      if (dtype !== "i8") {
        decode(values, bytes, dtype);
        return values;
      }
      let scales = scalesOf.get(name);
      if (scales === undefined) {
        scales = new Float32Array(shape[0] ?? 1);
        if (rowScales) readAt(rowScales.offset, new Uint8Array(scales.buffer));
        scalesOf.set(name, scales);
      }
      decodeScaledRows(values, bytes, scales.subarray(firstRow, firstRow + rowCount));
      return values;
    },
  };
}
