import * as assert from "uvu/assert";
import { modelByName } from "../../engine/models/index.ts";
import { bytesSource, convertWeights, networkOf, openWeights, type WeightFile } from "../../weights-loader/index.ts";
import { floatToBfloat, floatToHalf, quantizeRows, rowScales } from "../../weights-loader/safetensors/precision.ts";
import { halfToFloat } from "../../weights-loader/tensors/dtype.ts";
import { assertReadsAs, expectedTensors, fixtureBytes, refusal, rejection } from "../support/fixtures.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

async function written(conversion: ReturnType<typeof convertWeights>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of conversion.pieces()) pieces.push(piece.slice());
  const bytes = new Uint8Array(Buffer.concat(pieces));
  assert.is(bytes.length, conversion.byteLength);
  return bytes;
}

function inMemory(name: string, shape: number[], data: Float32Array): WeightFile {
  const width = data.length / (shape[0] ?? 1);
  const readRows = async (_: string, first: number, count: number) =>
    data.slice(first * width, (first + count) * width);
  const tensors = new Map([[name, { name, dtype: "f32" as const, shape }]]);
  return { name: "memory", format: "test", metadata: {}, tensors, readRows, read: async () => data };
}

suite("convert", (test) => {
  test("every finite half survives float and back", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      if ((bits & 0x7c00) === 0x7c00) continue;
      assert.is(floatToHalf(halfToFloat(bits)), bits);
    }
  });

  test("rounding to half is to nearest, ties to even", () => {
    const cases: readonly [number, number][] = [
      [1 + 2 ** -11, 0x3c00], // half way between 1 and the next: even is 1
      [1 + 3 * 2 ** -11, 0x3c02],
      [1 + 2 ** -11 + 2 ** -20, 0x3c01],
      [2 ** -25, 0], // half of the smallest subnormal
      [2 ** -25 * 1.01, 1],
      [3 * 2 ** -25, 2],
      [65519.99, 0x7bff],
      [65520, 0x7c00],
      [1e30, 0x7c00],
      [-1e30, 0xfc00],
      [2 ** -14 - 2 ** -25, 0x0400], // the largest subnormal rounds up into the smallest normal
      [-0, 0x8000],
    ];
    for (const [value, bits] of cases) assert.is(floatToHalf(value), bits, `${value}`);
    assert.is(floatToBfloat(1 + 2 ** -8), 0x3f80);
    assert.is(floatToBfloat(1 + 3 * 2 ** -8), 0x3f82);
    assert.is(floatToBfloat(-3), 0xc040);
  });

  test("int8 rows err by half a scale at most, and the largest value is exact to rounding", () => {
    const values = rng(4).f32(700, -3, 3);
    values.fill(0, 200, 300);
    const scales = rowScales(values, 100);
    const integers = quantizeRows(values, 100, scales);
    for (const [i, value] of values.entries()) {
      const scale = scales[Math.floor(i / 100)] ?? 0;
      assert.ok(Math.abs((integers[i] ?? 0) * scale - value) <= scale * 0.50001, `${i}`);
    }
    assert.is(Math.max(...integers.map(Math.abs)), 127);
    assert.ok(integers.subarray(200, 300).every((integer) => integer === 0));
  });

  test("f32 keeps every bit", async () => {
    const file = await openWeights(bytesSource(fixtureBytes("torch-zip-f16.pth")));
    const bytes = await written(convertWeights(file));
    const expected = Object.entries(expectedTensors("torch-zip-f16.pth"))
      .filter(([, { values }]) => values !== null)
      .map(([name, tensor]) => [name, { ...tensor, dtype: "f32" }] as const);
    await assertReadsAs(await openWeights(bytesSource(bytes)), Object.fromEntries(expected));
  });

  for (const precision of ["f16", "bf16", "int8"] as const) {
    test(`${precision} states the error that reading back shows`, async () => {
      const values = rng(9).f32(40 * 30, -2, 2);
      const conversion = convertWeights(inMemory("w", [40, 30], values), { precision });
      const file = await openWeights(bytesSource(await written(conversion)), { name: "back" });
      const back = await file.read("w");
      const largest = values.reduce((most, value, i) => Math.max(most, Math.abs(value - back[i]!)), 0);
      assert.is(conversion.tensors[0]?.largestError, largest);
      assert.ok(largest > 0 && largest < { f16: 2 ** -11, bf16: 2 ** -8, int8: 0.0081 }[precision], `${largest}`);
      assert.equal(await file.readRows("w", 7, 2), back.slice(210, 270));
      assert.equal(Array.from(file.tensors.keys()), ["w"]);
    });
  }

  test("vectors and, unless asked for, convolutions stay f32", async () => {
    const file = inMemory("w", [4, 3, 3, 3], rng(1).f32(108));
    const kept = await openWeights(bytesSource(await written(convertWeights(file, { precision: "int8" }))));
    assert.is(kept.tensors.get("w")?.dtype, "f32");
    assert.ok(convertWeights(file, { precision: "int8", layers: "all" }).byteLength < convertWeights(file).byteLength);
  });

  test("the network goes along", async () => {
    const network = modelByName("squeezenet1_1");
    const bytes = await written(convertWeights(inMemory("w", [2, 2], rng(1).f32(4)), { network }));
    assert.equal(networkOf(await openWeights(bytesSource(bytes))), network);
  });

  test("a value too large for f16 is refused", async () => {
    const file = inMemory("w", [1, 2], Float32Array.of(1, 70000));
    assert.is(
      await rejection(written(convertWeights(file, { precision: "f16" }))),
      `UnsupportedError: weights "memory": tensor "w" holds 70000, which is too large for f16. Choose another precision.`,
    );
  });

  test("int8 without its scales is refused", async () => {
    const bytes = await written(convertWeights(inMemory("w", [2, 2], rng(1).f32(4)), { precision: "int8" }));
    const text = Buffer.from(bytes).toString("latin1").replace("w.rowScale", "w.rowScala");
    assert.is(
      await refusal(new Uint8Array(Buffer.from(text, "latin1"))),
      `FormatError: weights "bad": tensor "w" is int8, but "w.rowScale" has no scale for each row.`,
    );
  });
});
