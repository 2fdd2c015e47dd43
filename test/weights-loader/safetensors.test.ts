import { join } from "node:path";
import * as assert from "uvu/assert";
import { fileSource } from "../../host/node.ts";
import { bytesSource, openWeights } from "../../weights-loader/index.ts";
import { assertReadsAs, expectedTensors, fixtureBytes, refusal, rejection } from "../support/fixtures.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

/** A safetensors file from header text and data. */
function file(header: string, data: Uint8Array = new Uint8Array(0), claimed = BigInt(header.length)): Uint8Array {
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, claimed, true);
  bytes.set(new TextEncoder().encode(header), 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

const zeros = (length: number): Uint8Array => new Uint8Array(length);
const a = (shape: string, offsets: string): string => `"a":{"dtype":"F32","shape":${shape},"data_offsets":${offsets}}`;

// What is wrong, the file, and the whole message.
const bad: readonly [string, Uint8Array, string][] = [
  ["an empty file", zeros(0), `FormatError: weights "bad": the file is empty.`],
  [
    "a header that is no JSON",
    file("{nonsense"),
    `FormatError: weights "bad": the safetensors header is not JSON in UTF-8. The file is damaged: get a fresh copy.`,
  ],
  [
    "an entry without shape",
    file(`{"a":{"dtype":"F32"}}`),
    `FormatError: weights "bad": tensor "a": needs "dtype" (text), "shape" and "data_offsets" (non-negative integers below 2^53, two offsets), got {"dtype":"F32"}.`,
  ],
  [
    "a negative size",
    file(`{${a("[-1]", "[0,4]")}}`, zeros(4)),
    `FormatError: weights "bad": tensor "a": needs "dtype" (text), "shape" and "data_offsets" (non-negative integers below 2^53, two offsets), got {"dtype":"F32","shape":[-1],"data_offsets":[0,4]}.`,
  ],
  [
    "an unknown element type",
    file(`{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,4]}}`, zeros(4)),
    `UnsupportedError: weights "bad": tensor "a" holds toString; supported are F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL.`,
  ],
  [
    "a shape whose product overflows",
    file(`{${a("[4294967296,4294967296]", "[0,4]")}}`, zeros(4)),
    `FormatError: weights "bad": tensor "a": shape [4294967296,4294967296] is impossible: sizes must be non-negative integers whose product stays below 2^53.`,
  ],
  [
    "an overflowing product hidden behind a zero",
    file(`{${a("[0,4294967296,4294967296]", "[0,0]")}}`),
    `FormatError: weights "bad": tensor "a": shape [0,4294967296,4294967296] is impossible: sizes must be non-negative integers whose product stays below 2^53.`,
  ],
  [
    "offsets that disagree with the shape",
    file(`{${a("[2]", "[0,4]")}}`, zeros(4)),
    `FormatError: weights "bad": tensor "a": F32 [2] needs 8 bytes, but data_offsets [0,4] span 4.`,
  ],
  [
    "offsets that leave the file",
    file(`{${a("[2]", "[0,8]")}}`, zeros(4)),
    `FormatError: weights "bad": tensor "a": data_offsets [0,8] leave the file, which has 4 bytes of data. It is truncated or damaged: get a fresh copy.`,
  ],
  [
    "overlapping tensors",
    file(`{${a("[2]", "[0,8]")},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, zeros(8)),
    `FormatError: weights "bad": tensor "b": data_offsets [4,8] overlap the tensor before it (ends at 8).`,
  ],
  [
    "a gap",
    file(`{${a("[1]", "[4,8]")}}`, zeros(8)),
    `FormatError: weights "bad": tensor "a": data_offsets [4,8] leave a gap after byte 0; safetensors has none.`,
  ],
  [
    "bytes behind the last tensor",
    file(`{${a("[1]", "[0,4]")}}`, zeros(8)),
    `FormatError: weights "bad": the tensors take 4 bytes, but 8 follow the safetensors header.`,
  ],
];

suite("safetensors", (test) => {
  for (const name of ["f32", "f16", "bf16", "f64"]) {
    test(`reads what the safetensors package wrote: ${name}`, async () => {
      const weights = await openWeights(bytesSource(fixtureBytes(`small-${name}.safetensors`)));
      assert.is(weights.format, "safetensors");
      assert.equal(weights.metadata, { origin: "make-weights.py" });
      await assertReadsAs(weights, expectedTensors(`small-${name}.safetensors`));
    });
  }

  test("unaligned bytes give the same values", async () => {
    const bytes = fixtureBytes("small-f32.safetensors");
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const weights = await openWeights(bytesSource(shifted.subarray(1)));
    await assertReadsAs(weights, expectedTensors("small-f32.safetensors"));
  });

  test("an integer tensor is listed, and refused only when it is asked for", async () => {
    const weights = await openWeights(bytesSource(fixtureBytes("small-f32.safetensors")), { name: "small" });
    assert.is(weights.tensors.get("bn1.num_batches_tracked")?.dtype, "i64");
    assert.is(
      await rejection(weights.read("bn1.num_batches_tracked")),
      `UnsupportedError: weights "small": tensor "bn1.num_batches_tracked" holds i64, but weights must be f32, f16, bf16 or f64.`,
    );
  });

  test("unknown names and rows outside a tensor are refused", async () => {
    const weights = await openWeights(bytesSource(fixtureBytes("small-f32.safetensors")), { name: "small" });
    assert.is(
      await rejection(weights.read("fc.wieght")),
      `RangeError: weights "small": there is no tensor "fc.wieght". Did you mean "fc.weight"?`,
    );
    assert.is(
      await rejection(weights.readRows("fc.weight", 3, 3)),
      `RangeError: weights "small": tensor "fc.weight": rows 3 to 6 asked for, but it has 5.`,
    );
  });

  for (const [what, bytes, message] of bad) {
    test(`refuses ${what}`, async () => assert.is(await refusal(bytes), message));
  }

  test("refuses every truncation of a real file", async () => {
    const bytes = fixtureBytes("small-f32.safetensors");
    for (let length = 0; length < bytes.length; length += 37) {
      assert.match(await refusal(bytes.slice(0, length)), /^FormatError: weights "bad"/, `first ${length} bytes`);
    }
  });

  test("refuses a header length of 2^63 without reserving it", async () => {
    assert.match(await refusal(file(`{"a":1}`, zeros(0), 2n ** 63n)), /^FormatError: weights "bad": not a weight file/);
  });

  test("says what a web page or a Git LFS pointer is", async () => {
    const text = (words: string): Uint8Array => new TextEncoder().encode(words);
    assert.is(
      await refusal(text("version https://git-lfs.github.com/spec/v1\noid sha256:00")),
      `FormatError: weights "bad": this is a Git LFS pointer, not the weights themselves. Fetch them with "git lfs pull".`,
    );
    assert.is(
      await refusal(text("\n<!DOCTYPE html><html>")),
      `FormatError: weights "bad": this is a web page, not a weight file. Download the file itself, not the page that shows it.`,
    );
  });

  test("the SqueezeNet 1.1 of the package opens with 52 tensors", async () => {
    const source = await fileSource(join(root, "models/squeezenet1_1-caffe.safetensors"));
    const weights = await openWeights(source, { name: "squeezenet1_1-caffe.safetensors" });
    assert.is(weights.tensors.size, 52);
    assert.equal(weights.tensors.get("features.3.expand3x3.weight")?.shape, [64, 16, 3, 3]);
    const bias = await weights.read("classifier.1.bias");
    assert.is(bias.length, 1000);
    assert.ok(bias.every(Number.isFinite));
    await source.close();
  });
});
