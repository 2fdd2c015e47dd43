import { openSync, readSync } from "node:fs";
import { UnsupportedError } from "../engine/errors.ts";
import type { RowSource } from "../engine/parameters.ts";
import { elementCount } from "../engine/tensor.ts";
import { dtypeBytes, toFloat32 } from "../weights-loader/dtype.ts";
import type { ByteSource, WeightFile } from "../weights-loader/index.ts";

/**
 * Rows of a weight file's tensors, read at once whenever they are asked for. One buffer serves all reads; the file stays open as long
 * as the process lives.
 * @param path the file that `source` reads
 * @throws the system's error when the file cannot be opened
 */
export function fileRows(path: string, file: WeightFile, source: ByteSource): RowSource {
  const descriptor = openSync(path, "r");
  let buffer = new Uint8Array(0);
  return {
    readRows(name, firstRow, rowCount) {
      const place = file.locate?.(name);
      if (place === undefined || place.source !== source) {
        throw new UnsupportedError(
          `weights "${file.name}": the rows of "${name}" do not lie one after the other as real numbers, so they cannot be read piece by piece. Load the file whole, or convert it first.`,
        );
      }
      const rowBytes = elementCount(place.shape.slice(1)) * dtypeBytes[place.dtype];
      const length = rowCount * rowBytes;
      if (buffer.byteLength < length) buffer = new Uint8Array(length);
      const bytes = buffer.subarray(0, length);
      for (let done = 0; done < length; ) {
        const read = readSync(descriptor, bytes, done, length - done, place.offset + firstRow * rowBytes + done);
        if (read === 0) throw new RangeError(`weights "${file.name}": the file became shorter while it was read.`);
        done += read;
      }
      return toFloat32(bytes, place.dtype);
    },
  };
}
