import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tensor } from "../../engine/basics/tensor.ts";
import type { Explanation, RelevanceExplanation } from "../../engine/explain.ts";
import { CommandError } from "../terminal/errors.ts";
import { writeWhole } from "./atomic-write.ts";

// Zarr, version 2 of its format, which zarr-python 2 and 3, xarray, TensorStore and zarrita.js read. Chosen over .npz and HDF5 since
// its chunks are files: several processes and machines write one store at a time, a killed run leaves whole rows and missing ones
// (which read as NaN), and nothing has to be written again at the end.

const text = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** `.zarray`: one chunk a row, not compressed, so that the bytes are the same on every machine. */
function arrayMetadata(shape: readonly number[], dtype: string, chunks: readonly number[], fill: unknown): Uint8Array {
  return text({ zarr_format: 2, shape, chunks, dtype, compressor: null, fill_value: fill, order: "C", filters: null });
}

/** numpy's fixed-length unicode: 4 bytes a letter, little endian, padded with zeros. */
function unicodeRows(rows: readonly string[]): { bytes: Uint8Array; length: number } {
  const letters = rows.map((row) => Array.from(row, (letter) => letter.codePointAt(0) ?? 0));
  const length = letters.reduce((longest, row) => Math.max(longest, row.length), 1);
  const points = new Uint32Array(rows.length * length);
  for (const [i, row] of letters.entries()) points.set(row, i * length);
  return { bytes: new Uint8Array(points.buffer), length };
}

/**
 * Begins, or goes on with, the store of a run: the array `photo` with every photo's path, in the order of the rows.
 * @throws CommandError when the store that is there has other photos and is not to be replaced
 */
export function openZarr(folder: string, photos: readonly string[], isReplaced: boolean): void {
  const { bytes, length } = unicodeRows(photos);
  const chunk = join(folder, "photo", "0");
  if (!isReplaced && existsSync(chunk) && !readFileSync(chunk).equals(bytes)) {
    throw new CommandError(
      `${join(folder, "/")} is the store of other photos, and its rows are theirs. Add --existing replace to write it anew, or choose another --out.`,
    );
  }
  writeWhole(join(folder, ".zgroup"), text({ zarr_format: 2 }));
  writeWhole(join(folder, "photo", ".zarray"), arrayMetadata([photos.length], `<U${length}`, [photos.length], ""));
  writeWhole(chunk, bytes);
}

/** Where rows go, and how many there are of photos and targets. */
export interface ZarrPlace {
  readonly folder: string;
  readonly photos: number;
  readonly targets: number;
}

/** With several targets the second axis counts them. */
function writeRow(
  { folder, photos, targets }: ZarrPlace,
  name: string,
  row: number,
  target: number,
  array: Tensor,
): void {
  const { shape, data } = array;
  const axes = targets === 1 ? [photos] : [photos, targets];
  const metadata = arrayMetadata([...axes, ...shape], "<f4", [...axes.map(() => 1), ...shape], "NaN");
  const index = [row, ...(targets === 1 ? [] : [target]), ...shape.map(() => 0)].join(".");
  writeWhole(join(folder, name, ".zarray"), metadata);
  writeWhole(join(folder, name, index), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** Writes one target of one photo: `logits`, `relevance`, `salient_relevance` and, with --at, `relevance_at`. */
export function writeZarrRow(
  place: ZarrPlace,
  row: number,
  target: number,
  explanation: RelevanceExplanation | Explanation,
): void {
  writeRow(place, "logits", row, target, explanation.logits);
  writeRow(place, "relevance", row, target, explanation.relevance);
  if ("salientRelevance" in explanation)
    writeRow(place, "salient_relevance", row, target, explanation.salientRelevance);
  if (explanation.layer !== undefined) writeRow(place, "relevance_at", row, target, explanation.layer.relevance);
}

/** True when a photo's row is there. */
export function hasZarrRow({ folder, targets }: ZarrPlace, row: number): boolean {
  const metadata = join(folder, "relevance", ".zarray");
  if (!existsSync(metadata)) return false;
  return Array.from({ length: targets }, (_, target) =>
    existsSync(join(folder, "relevance", [row, ...(targets === 1 ? [] : [target]), 0, 0, 0].join("."))),
  ).every((isThere) => isThere);
}
