import * as assert from "uvu/assert";
import type { ParameterSink, ParameterSpec } from "../../engine/index.ts";
import { bindWeights, bytesSource, openWeights, type WeightFile } from "../../weights-loader/index.ts";
import { fixtureBytes, rejection } from "../support/fixtures.ts";
import { suite } from "../support/suite.ts";

const smallNet: readonly ParameterSpec[] = [
  { name: "fc.weight", shape: [5, 6], node: "fc" },
  { name: "fc.bias", shape: [5], node: "fc" },
  { name: "conv1.weight", shape: [4, 3, 3, 3], node: "conv1" },
  { name: "conv1.bias", shape: [4], node: "conv1" },
  { name: "bn1.weight", shape: [4], node: "bn1" },
  { name: "bn1.bias", shape: [4], node: "bn1" },
  { name: "bn1.running_mean", shape: [4], node: "bn1" },
  { name: "bn1.running_var", shape: [4], node: "bn1" },
  { name: "edges", shape: [6], node: "edges" },
];

/** Keeps what it is given, and the order of the calls. */
function recorder(
  parameters: readonly ParameterSpec[],
): ParameterSink & { calls: string[]; values: Map<string, number[]> } {
  const calls: string[] = [];
  const values = new Map<string, number[]>();
  return {
    parameters,
    calls,
    values,
    setRows: (name, firstRow, rows) => {
      calls.push(`${name}@${firstRow}`);
      values.set(name, [...(values.get(name) ?? []), ...rows]);
    },
  };
}

function openSmall(): Promise<WeightFile> {
  return openWeights(bytesSource(fixtureBytes("small-f32.safetensors")), { name: "small" });
}

/** A weight file of tensors in memory. */
function inMemory(tensors: Record<string, { shape: number[]; data: Float32Array }>): WeightFile {
  const read = async (name: string): Promise<Float32Array> => tensors[name]?.data ?? new Float32Array(0);
  return {
    name: "memory",
    format: "test",
    metadata: {},
    tensors: new Map(Object.entries(tensors).map(([name, { shape }]) => [name, { name, dtype: "f32", shape }])),
    readRows: read,
    read,
  };
}

suite("bindWeights", (test) => {
  test("passes every tensor in the sink's order, in blocks of whole rows", async () => {
    const weights = await openSmall();
    const sink = recorder(smallNet);
    await bindWeights(sink, weights, { blockBytes: 2 * 6 * 4 });
    assert.equal(sink.calls.slice(0, 4), ["fc.weight@0", "fc.weight@2", "fc.weight@4", "fc.bias@0"]);
    // A row of conv1.weight is larger than a block: one row at a time.
    assert.equal(sink.calls.slice(4, 8), ["conv1.weight@0", "conv1.weight@1", "conv1.weight@2", "conv1.weight@3"]);
    for (const { name } of smallNet) assert.equal(sink.values.get(name), Array.from(await weights.read(name)), name);
  });

  test("a parameter that two nodes share is passed once", async () => {
    const sink = recorder([...smallNet, { name: "fc.bias", shape: [5], node: "fc2" }]);
    await bindWeights(sink, await openSmall());
    assert.is(sink.calls.filter((call) => call.startsWith("fc.bias")).length, 1);
  });

  test("lists all missing, unexpected and misshapen tensors in one message, and reads nothing", async () => {
    const weights = await openSmall();
    const sink = recorder([
      { name: "fc.weight", shape: [6, 5], node: "fc" },
      { name: "conv1.weight", shape: [4, 3, 3, 3], node: "conv1" },
      { name: "conv2.weight", shape: [8, 4, 3, 3], node: "conv2" },
      { name: "bn1.num_batches_tracked", shape: [], node: "bn1" },
    ]);
    assert.is(
      await rejection(bindWeights(sink, weights, { known: [{ name: "small-net", parameters: smallNet }] })),
      `ShapeError: weights "small" do not fit the network: 1 missing, 7 unexpected, 2 misshapen.
  missing: "conv2.weight" [8,4,3,3] (node "conv2")
  unexpected: "bn1.bias" [4], "bn1.running_mean" [4], "bn1.running_var" [4], "bn1.weight" [4], "conv1.bias" [4], "edges" [6], "fc.bias" [5]
  misshapen: "fc.weight" must be [6,5], got [5,6] (node "fc"), "bn1.num_batches_tracked" must be f32, f16, bf16 or f64, got i64 (node "bn1")
They fit "small-net": choose that network.`,
    );
    assert.equal(sink.calls, []);
  });

  test("long lists are cut, with the count of the rest", async () => {
    const parameters = Array.from({ length: 23 }, (_, i) => ({ name: `w${i}`, shape: [1], node: `n${i}` }));
    const message = await rejection(bindWeights(recorder(parameters), inMemory({})));
    assert.match(message, /23 missing, 0 unexpected, 0 misshapen/);
    assert.match(message, /"w19" \[1\] \(node "n19"\), and 3 more\nChoose the network that these weights belong to\.$/);
  });

  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    test(`refuses ${value}, naming tensor and index`, async () => {
      const sink = recorder([{ name: "w", shape: [3], node: "n" }]);
      const weights = inMemory({ w: { shape: [3], data: Float32Array.of(1, -2, value) } });
      assert.is(
        await rejection(bindWeights(sink, weights)),
        `FormatError: weights "memory": tensor "w" holds ${value} at index 2, but weights must be finite. The file is damaged or the training diverged: get another copy.`,
      );
      assert.equal(sink.calls, []);
    });
  }
});
