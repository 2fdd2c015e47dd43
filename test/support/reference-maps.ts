import { readFileSync } from "node:fs";
import { root } from "./paths.ts";

/** A stored reference: a float32 array and its shape. */
export interface GoldenArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Reads the float32 arrays of a safetensors file below test/golden, by name. */
export function readGolden(path: string): Map<string, GoldenArray> {
  const bytes = readFileSync(`${root}test/golden/${path}`);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header: unknown = JSON.parse(bytes.toString("utf8", 8, 8 + headerLength));
  const arrays = new Map<string, GoldenArray>();
  for (const [name, entry] of Object.entries(header as Record<string, { shape: number[]; data_offsets: number[] }>)) {
    if (name === "__metadata__") continue;
    const [begin = 0, end = 0] = entry.data_offsets.map((offset) => 8 + headerLength + offset);
    arrays.set(name, {
      shape: entry.shape,
      data: new Float32Array(Uint8Array.from(bytes.subarray(begin, end)).buffer),
    });
  }
  return arrays;
}

/** Reads the manifest beside them. */
export function readManifest<Manifest>(folder: string): Manifest {
  return JSON.parse(readFileSync(`${root}test/golden/${folder}/manifest.json`, "utf8"));
}
