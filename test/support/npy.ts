import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import { type NpyArray, parseNpy } from "../../weights-loader/numpy/npy.ts";

/** Reads a .npy file of the reference data. */
export function readNpy(path: string): NpyArray {
  return parseNpy(readFileSync(path), path);
}

/** The values of a reference array of floats. */
export function readNpyFloats(path: string): Float32Array | Float64Array {
  const { data } = readNpy(path);
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  throw new TypeError(`${path} does not hold floats`);
}

/** Reads the members of an .npz file (a zip of .npy files, stored or deflated), by name without ".npy". */
export function readNpz(path: string): Map<string, NpyArray> {
  const bytes = readFileSync(path);
  const members = new Map<string, NpyArray>();
  const end = bytes.lastIndexOf(Buffer.from("PK\x05\x06", "latin1")); // end of central directory
  let entry = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const isDeflated = bytes.readUInt16LE(entry + 10) === 8;
    const size = bytes.readUInt32LE(entry + 20);
    const nameLength = bytes.readUInt16LE(entry + 28);
    const local = bytes.readUInt32LE(entry + 42);
    const name = bytes.toString("utf8", entry + 46, entry + 46 + nameLength);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const data = bytes.subarray(start, start + size);
    members.set(name.replace(/\.npy$/, ""), parseNpy(isDeflated ? inflateRawSync(data) : data, `${path}:${name}`));
    entry += 46 + nameLength + bytes.readUInt16LE(entry + 30) + bytes.readUInt16LE(entry + 32);
  }
  return members;
}
