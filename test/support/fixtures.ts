import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { bytesSource, openWeights, type WeightFile } from "../../weights-loader/index.ts";

const folder = new URL("../../../test/fixtures/weights/", import.meta.url);

/** Path of a weight file made by test/fixtures/make-weights.py. */
export function fixturePath(file: string): string {
  return fileURLToPath(new URL(file, folder));
}

/** Bytes of a weight file made by test/fixtures/make-weights.py, in a buffer of their own. */
export function fixtureBytes(file: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(file, folder)));
}

/** A tensor as its producer put it there. */
export interface ExpectedTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: string | null;
}

/** What every loader must read from a fixture. */
export function expectedTensors(file: string): Record<string, ExpectedTensor> {
  const all = JSON.parse(readFileSync(new URL("expected.json", folder), "utf8")) as Record<
    string,
    Record<string, ExpectedTensor>
  >;
  const tensors = all[file];
  if (tensors === undefined) throw new Error(`expected.json has no "${file}"`);
  return tensors;
}

/** Asserts that an opened fixture lists and reads what its producer put there, bit for bit. */
export async function assertReadsAs(weights: WeightFile, expected: Record<string, ExpectedTensor>): Promise<void> {
  assert.equal(Array.from(weights.tensors.keys()).sort(), Object.keys(expected).sort());
  for (const [name, { dtype, shape, values }] of Object.entries(expected)) {
    const info = weights.tensors.get(name);
    assert.is(info?.dtype, dtype, name);
    assert.equal(info?.shape, shape, name);
    if (values === null) continue;
    const read = await weights.read(name);
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
    assert.is(bytes.toString("base64"), values, name);
    // By single rows, too.
    const rows = shape[0] ?? 1;
    const width = read.length / rows;
    for (let row = 0; row < rows; row++) {
      assert.equal(
        await weights.readRows(name, row, 1),
        read.slice(row * width, (row + 1) * width),
        `${name} row ${row}`,
      );
    }
  }
}

/** Opens bytes and returns the error message, or fails when they open. */
export async function refusal(bytes: Uint8Array, name = "bad"): Promise<string> {
  return rejection(openWeights(bytesSource(bytes), { name }));
}

/** `ErrorName: message` of a promise that must be rejected. */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return `${error.name}: ${error.message}`;
    throw error;
  }
  throw new Error("no error was thrown");
}
