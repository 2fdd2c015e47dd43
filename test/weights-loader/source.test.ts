import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { asBytes } from "../../engine/basics/bytes.ts";
import { fileSource, sha256File } from "../../host/node.ts";
import { type ByteSource, blobSource, bytesSource, openWeights } from "../../weights-loader/index.ts";
import { isWeight } from "../../weights-loader/tensors/weight-file.ts";
import { fixturePath, rejection } from "../support/fixtures.ts";
import { holders } from "../support/holders.ts";
import { suite } from "../support/suite.ts";

const bytes = Uint8Array.from({ length: 300 }, (_, i) => i % 251);

async function assertReads(source: ByteSource): Promise<void> {
  assert.is(source.byteLength, 300);
  assert.equal(Array.from(await source.read(0, 300)), Array.from(bytes));
  assert.equal(Array.from(await source.read(7, 3)), [7, 8, 9]);
  assert.is((await source.read(300, 0)).byteLength, 0);
  assert.is(
    await rejection(source.read(299, 2)),
    "RangeError: byte source: bytes 299 to 301 were asked for, but there are only 300.",
  );
  assert.is(
    await rejection(source.read(-1, 2)),
    "RangeError: byte source: offset and length must be non-negative integers, got -1 and 2.",
  );
  assert.is(
    await rejection(source.read(2 ** 63, 1)),
    `RangeError: byte source: offset and length must be non-negative integers, got ${2 ** 63} and 1.`,
  );
}

function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "srmap-"));
  return body(folder).finally(() => rmSync(folder, { recursive: true }));
}

/** All of a file's tensors as float32. */
async function tensorsOf(source: ByteSource): Promise<Record<string, number[]>> {
  const file = await openWeights(source);
  const read: Record<string, number[]> = {};
  for (const [name, info] of file.tensors) if (isWeight(info)) read[name] = [...(await file.read(name))];
  return read;
}

suite("byte sources", (test) => {
  for (const name of ["small-f32.safetensors", "small-f64.safetensors", "numpy-stored.npz", "torch-zip-f32.pth"]) {
    test(`${name}: the same numbers from whatever holds the bytes, which stay as they are`, async () => {
      const original = Uint8Array.from(readFileSync(fixturePath(name)));
      const expected = await tensorsOf(bytesSource(original.slice()));
      for (const [what, hold] of Object.entries(holders(original))) {
        const held = hold();
        assert.equal(await tensorsOf(bytesSource(held)), expected, what);
        assert.equal(asBytes(held, what), original, `${what} was changed`);
      }
    });
  }

  test("bytes are read as views", async () => {
    await assertReads(bytesSource(bytes));
    assert.is((await bytesSource(bytes).read(5, 5)).buffer, bytes.buffer);
  });

  test("a Blob is read in ranges", () => assertReads(blobSource(new Blob([bytes]))));

  test("a file is read at positions", () =>
    inFolder(async (folder) => {
      const path = join(folder, "bytes");
      writeFileSync(path, bytes);
      const source = await fileSource(path);
      await assertReads(source);
      writeFileSync(path, bytes.subarray(0, 100));
      assert.is(await rejection(source.read(50, 100)), `RangeError: "${path}" became shorter while it was read.`);
      await source.close();
      assert.is(await rejection(fileSource(folder)), `RangeError: "${folder}" is not a file.`);
    }));

  test("SHA-256 of a file is that of FIPS 180-4's example", () =>
    inFolder(async (folder) => {
      const path = join(folder, "abc");
      writeFileSync(path, "abc");
      assert.is(await sha256File(path), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }));
});
