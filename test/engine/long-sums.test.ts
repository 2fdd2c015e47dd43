import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { fillValues } from "../cases/values.ts";
import { assertClose } from "../support/close.ts";
import { boundNetwork, forward } from "../support/engine.ts";
import { suite } from "../support/suite.ts";

/** Half a unit in the last place of float32, relative, and as much for the numbers that are added up. */
const rounding = 2 ** -23;

/** Positive values, whose running float32 sum drifts. */
const positive = (length: number, seed: number): Float32Array =>
  Float32Array.from(fillValues(length, "uniform", seed), (value) => Math.abs(value) + 0.1);

const mean = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

suite("engine/long sums", (test) => {
  for (const [channels, side] of [
    [1, 16],
    [5, 16],
    [4, 128],
  ] as const) {
    test(`means of ${side} x ${side} values, ${channels} channels, are rounded once`, () => {
      const definition: NetworkDefinition = {
        name: "mean",
        inputShape: [channels, side, side],
        nodes: [{ name: "mean", inputs: ["input"], op: "globalAveragePool2d" }],
        output: "mean",
      };
      const area = side * side;
      const input = positive(channels * area, side);
      const expected = Array.from({ length: channels }, (_, c) => mean(input.subarray(c * area, (c + 1) * area)));
      assertClose(forward(boundNetwork(definition, new Map()), input), expected, rounding * expected[0]!, "mean");
    });
  }

  test("relevance of a value that is repeated 4096 times is rounded once", () => {
    const [rows, columns] = [64, 64];
    const definition: NetworkDefinition = {
      name: "repeated",
      inputShape: [1, 1, 1],
      nodes: [
        { name: "rows", inputs: ["input"], op: "take", rows: new Array<number>(rows).fill(0) },
        { name: "columns", inputs: ["rows"], op: "take", columns: new Array<number>(columns).fill(0) },
        { name: "flat", inputs: ["columns"], op: "flatten" },
      ],
      output: "flat",
    };
    const network = boundNetwork(definition, new Map());
    forward(network, Float32Array.of(1));
    const start = positive(rows * columns, 7);
    const { relevance } = network.relevancePlan(compositeByName("gradient")).run(start);
    const sum = mean(start) * start.length;
    // Sums of columns are stored before they are added up.
    assertClose(relevance.data, [sum], 2 * rounding * sum, "relevance");
  });
});
