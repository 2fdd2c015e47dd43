import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mustHave } from "../../engine/basics/must-have.ts";
import type { Tensor } from "../../engine/basics/tensor.ts";
import type { Explanation, RelevanceExplanation } from "../../engine/explain.ts";
import { CommandError } from "../terminal/errors.ts";
import { writeWhole } from "./atomic-write.ts";
import { sha256 } from "./hash.ts";

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
  const letters = rows.map((row) => Array.from(row, (letter) => mustHave(letter.codePointAt(0), "letter")));
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

/** File of the chunk that a row is. With several targets the second axis counts them. */
function chunkOf(row: number, target: number, targets: number, axes: number): string {
  return [row, ...(targets === 1 ? [] : [target]), ...Array.from({ length: axes }, () => 0)].join(".");
}

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
  writeWhole(join(folder, name, ".zarray"), metadata);
  const chunk = join(folder, name, chunkOf(row, target, targets, shape.length));
  writeWhole(chunk, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
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
    existsSync(join(folder, "relevance", chunkOf(row, target, targets, 3))),
  ).every((isThere) => isThere);
}

/** Row of every photo of a store, by its path. @throws system errors, and others for a store that is damaged */
export function zarrRows(folder: string): ReadonlyMap<string, number> {
  const { dtype } = JSON.parse(readFileSync(join(folder, "photo", ".zarray"), "utf8")) as { dtype: string };
  const length = Number(dtype.slice("<U".length));
  const bytes = readFileSync(join(folder, "photo", "0"));
  const points = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const rows = new Map<string, number>();
  for (let row = 0; row < points.length / length; row++) {
    const letters = points.subarray(row * length, (row + 1) * length).filter((point) => point !== 0);
    rows.set(Array.from(letters, (point) => String.fromCodePoint(point)).join(""), row);
  }
  return rows;
}

/** The array of a store in which a report's array stands; undefined for what is in none. */
const arrayNames: Readonly<Record<string, string>> = {
  "logits.npy": "logits",
  "relevance.npy": "relevance",
  "salient-relevance.npy": "salient_relevance",
};

/**
 * Names of the arrays of a row that are not what the photo's report says.
 * @param arrays of the report
 */
export function zarrDifferences(
  { folder, targets }: Omit<ZarrPlace, "photos">,
  row: number,
  target: number,
  arrays: Readonly<Record<string, { readonly shape: readonly number[]; readonly sha256: string }>>,
): string[] {
  return Object.entries(arrays).flatMap(([file, { shape, sha256: expected }]) => {
    const name = arrayNames[file];
    if (name === undefined) return [];
    const chunk = join(folder, name, chunkOf(row, target, targets, shape.length));
    return existsSync(chunk) && sha256(readFileSync(chunk)) === expected ? [] : [name];
  });
}
