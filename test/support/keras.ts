import { readFileSync } from "node:fs";
import { hdf5Reader } from "../../host/hdf5/reader.ts";
import { type ByteSource, bytesSource, type OpenHdf5 } from "../../weights-loader/index.ts";
import { type ExpectedTensor, fixtureBytes, fixturePath } from "./fixtures.ts";

/** One thread for all files; it does not keep the process alive. */
const reader = hdf5Reader();

/** A file made by test/fixtures/make-keras.py, as `openWeights` takes it. */
export function kerasFixture(file: string): { source: ByteSource; options: { name: string; hdf5: OpenHdf5 } } {
  const hdf5 = reader.fileOpener(fixturePath(`keras/${file}`), file);
  return { source: bytesSource(fixtureBytes(`keras/${file}`)), options: { name: file, hdf5 } };
}

function json<T>(name: string): Record<string, T> {
  const read = (version: number): object =>
    JSON.parse(readFileSync(fixturePath(`keras/${name}-${version}.json`), "utf8"));
  return { ...read(2), ...read(3) } as Record<string, T>;
}

/** What every loader must read, by file. */
export const kerasTensors: Record<string, Record<string, ExpectedTensor>> = json("expected");

/** A photo [H,W,C] and what Keras makes of it, by file. */
export const kerasOutputs: Record<string, { input: string; output: string }> = json("networks");

/** Floats from base64. */
export function floats(base64: string): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(base64, "base64")).buffer);
}
