import * as assert from "uvu/assert";
import { tensor } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { boundNetwork } from "../support/engine.ts";
import { suite } from "../support/suite.ts";

const definition: NetworkDefinition = {
  name: "chain",
  inputShape: [1, 1, 2],
  nodes: [
    { name: "conv1", inputs: ["input"], op: "conv2d", outChannels: 2, kernelShape: [1, 1], weight: "w1" },
    { name: "conv2", inputs: ["conv1"], op: "conv2d", outChannels: 2, kernelShape: [1, 1], weight: "w2" },
    { name: "flatten", inputs: ["conv2"], op: "flatten" },
    { name: "fc", inputs: ["flatten"], op: "dense", outFeatures: 2, weight: "w3" },
  ],
  output: "fc",
  preprocessing: plainPreprocessing,
};

const network = (w1: number[], w2: number[], w3: number[]) =>
  boundNetwork(
    definition,
    new Map([
      ["w1", Float32Array.from(w1)],
      ["w2", Float32Array.from(w2)],
      ["w3", Float32Array.from(w3)],
    ]),
  );
const input = tensor([1, 1, 2], Float32Array.of(1, 2));
const head = [1, 0, 0, 0, 0, 1, 0, 0];

function refuses(body: () => unknown, message: string): void {
  assert.throws(body, (error: Error) => {
    assert.is(error.message, message);
    return error instanceof RangeError;
  });
}

suite("numbers that are not finite", (test) => {
  test("a layer that overflows is named, not those behind it nor the map", () => {
    refuses(
      () =>
        network(
          [1, 1e30],
          [1, 0, 0, 1e30],
          head.map((w) => w + 1),
        ).forward(input),
      'conv2d "conv2": its output must be finite, got Infinity at channel 1, row 0, column 0, the first in network "chain". Check the layer\'s weights and the preprocessing of the input.',
    );
    refuses(
      () =>
        network(
          [1, Number.NaN],
          [1, 0, 0, 1],
          head.map((w) => w + 1),
        ).forward(input),
      'conv2d "conv1": its output must be finite, got NaN at channel 1, row 0, column 0, the first in network "chain". Check the layer\'s weights and the preprocessing of the input.',
    );
  });

  test("an input that is not finite is named itself", () => {
    refuses(
      () => network([1, 1], [1, 0, 0, 1], head).forward(tensor([1, 1, 2], Float32Array.of(1, Number.NaN))),
      'network "chain": input must be finite, got NaN at channel 0, row 0, column 1. Check how it was prepared.',
    );
  });

  test("relevance that overflows names the layer and its rule", () => {
    const steep = network([1e-30, 0], [1e30, 0, 0, 0], [1e30, 0, 0, 0, 0, 0, 0, 0]);
    steep.forward(input);
    refuses(
      () => steep.relevancePlan(compositeByName("gradient")).run(Float32Array.of(1, 0)),
      'conv2d "conv2": its relevance must be finite, got a sum of Infinity by rule "gradient" from 1.0000000150474662e+30. Choose a rule with a larger stabiliser for this layer.',
    );
  });
});
