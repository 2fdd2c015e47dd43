import * as assert from "uvu/assert";
import { elementCount, tensor } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";
import { Network } from "../../engine/network/network.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { parameterShapes } from "../oracle/graph.ts";
import { composites64 } from "../oracle/relevance/composites.ts";
import { explain } from "../oracle/relevance/graph.ts";
import { testKernels } from "../support/kernels.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

type Convolution = Omit<
  Extract<NodeDefinition, { readonly op: "conv2d" }>,
  "name" | "inputs" | "op" | "weight" | "bias"
>;
type Pool = Omit<Extract<NodeDefinition, { readonly op: "maxPool2d" }>, "name" | "inputs" | "op">;

interface Case {
  readonly reason: string;
  readonly channels?: number;
  readonly convolution: Convolution;
  readonly pool: Pool;
  readonly isRectified?: boolean;
}

const three: Convolution = { outChannels: 16, kernelShape: [3, 3], pads: [1, 1, 1, 1] };
const tiles: Pool = { kernelShape: [2, 2], strides: [2, 2] };

const cases: readonly Case[] = [
  { reason: "windows side by side", convolution: three, pool: tiles },
  { reason: "windows that overlap", convolution: three, pool: { kernelShape: [3, 3], strides: [2, 2] } },
  {
    reason: "padded windows with dilation",
    convolution: three,
    pool: { kernelShape: [3, 3], pads: [1, 1, 1, 1], dilations: [2, 2] },
  },
  { reason: "channels that do not fill the lanes", convolution: { ...three, outChannels: 7 }, pool: tiles },
  { reason: "stride", convolution: { ...three, kernelShape: [5, 5], strides: [2, 2] }, pool: tiles },
  { reason: "dilation", convolution: { ...three, dilations: [2, 2] }, pool: tiles },
  { reason: "groups", channels: 4, convolution: { ...three, outChannels: 10, group: 2 }, pool: tiles },
  { reason: "depthwise", channels: 6, convolution: { ...three, outChannels: 6, group: 6 }, pool: tiles },
  { reason: "not rectified", convolution: three, pool: tiles, isRectified: false },
];

function definitionOf({ reason, channels = 3, convolution, pool, isRectified = true }: Case): NetworkDefinition {
  return {
    name: reason,
    inputShape: [channels, 14, 14],
    nodes: [
      { name: "conv", inputs: ["input"], op: "conv2d", ...convolution, weight: "w", bias: "b" },
      ...(isRectified ? [{ name: "relu", inputs: ["conv"], op: "relu" } as const] : []),
      { name: "pool", inputs: [isRectified ? "relu" : "conv"], op: "maxPool2d", ...pool },
      { name: "flatten", inputs: ["pool"], op: "flatten" },
      { name: "head", inputs: ["flatten"], op: "dense", outFeatures: 2, weight: "head" },
    ],
    output: "head",
    preprocessing: plainPreprocessing,
  };
}

function parametersOf(definition: NetworkDefinition, seed: number): Map<string, Float32Array> {
  const random = rng(seed);
  return new Map([...parameterShapes(definition)].map(([name, shape]) => [name, random.f32(elementCount(shape))]));
}

/** A picture of one colour in which single pixels differ by a few steps of float32: patches that differ, outputs that do not. */
function almostFlat([channels = 0, height = 0, width = 0]: readonly number[], seed: number): Float32Array {
  const random = rng(seed);
  const picture = new Float32Array(channels * height * width);
  for (let c = 0; c < channels; c++) picture.fill(random.uniform(0.5, 1), c * height * width, (c + 1) * height * width);
  for (let i = 0; i < picture.length; i++)
    if (random.uniform() < 0.1) picture[i]! *= 1 + random.integer(-2, 2) * 2 ** -23;
  return picture;
}

suite("winners that float32 can not tell apart", (test) => {
  for (const pooling of cases) {
    test(`${pooling.reason}: are those of double`, () => {
      const definition = definitionOf(pooling);
      for (let seed = 1; seed <= 4; seed++) {
        const parameters = parametersOf(definition, seed);
        const network = new Network(testKernels(), definition);
        for (const { name } of network.parameters)
          network.setRows(name, 0, parameters.get(name) ?? new Float32Array(0));
        const picture = almostFlat(definition.inputShape, seed);
        network.forward(tensor(definition.inputShape, picture));
        const start = Float32Array.of(1, -0.5);
        const { relevance, ledger } = network.relevancePlan(compositeByName("gradient")).run(start);
        const expected = explain(definition, parameters, picture, start, composites64["gradient"]!).relevance.get(
          "input",
        )!;
        const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
        expected.forEach((value, i) => {
          assert.ok(
            Math.abs(value - relevance.data[i]!) <= 1e-5 * largest,
            `seed ${seed}, input ${i}: ${value}, got ${relevance.data[i]}`,
          );
        });
        const pool = ledger.find(({ layer }) => layer === "pool");
        assert.ok(Math.abs((pool?.relevanceOut ?? 0) - (pool?.relevanceIn ?? 1)) < 1e-4, "relevance is conserved");
      }
    });
  }
});
