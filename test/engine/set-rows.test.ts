import * as assert from "uvu/assert";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { Network } from "../../engine/network/network.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { seededNetworkInput, seededNetworkParameters } from "../cases/parameters.ts";
import { boundNetwork, forward } from "../support/engine.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

const norm = (name: string) => ({
  op: "batchNorm" as const,
  epsilon: 1e-3,
  scale: `${name}.scale`,
  bias: `${name}.bias`,
  mean: `${name}.mean`,
  variance: `${name}.variance`,
});

// Batch norms of every kind: alone, folded into a convolution, a depthwise one and a dense layer; a weight that two layers read, the
// second with a batch norm; a vector that is bias of a layer and mean of its batch norm.
const definition: NetworkDefinition = {
  name: "norms",
  inputShape: [2, 5, 5],
  nodes: [
    { name: "bn0", inputs: ["input"], ...norm("bn0") },
    { name: "conv1", inputs: ["bn0"], op: "conv2d", outChannels: 2, kernelShape: [3, 3], weight: "shared" },
    {
      name: "conv2",
      inputs: ["conv1"],
      op: "conv2d",
      outChannels: 2,
      kernelShape: [3, 3],
      weight: "shared",
      bias: "bn2.mean",
    },
    { name: "bn2", inputs: ["conv2"], ...norm("bn2") },
    {
      name: "deep",
      inputs: ["bn2"],
      op: "conv2d",
      outChannels: 2,
      kernelShape: [1, 1],
      group: 2,
      weight: "deep",
      bias: "deep.bias",
    },
    { name: "bn3", inputs: ["deep"], ...norm("bn3") },
    { name: "flatten", inputs: ["bn3"], op: "flatten" },
    { name: "fc", inputs: ["flatten"], op: "dense", outFeatures: 3, weight: "fc", bias: "fc.bias" },
    { name: "bn4", inputs: ["fc"], ...norm("bn4") },
  ],
  output: "bn4",
  preprocessing: plainPreprocessing,
};

suite("the order in which parameters are bound", (test) => {
  const parameters = seededNetworkParameters(definition, 3);
  const input = seededNetworkInput(definition, 3);
  const results = (network: Network): Float32Array[] => {
    const logits = forward(network, input);
    return [logits, network.relevancePlan(compositeByName("epsilonPlus")).run(logits).relevance.data];
  };
  const expected = results(boundNetwork(definition, parameters));

  test("network.parameters is an order that every layer takes, also with shared tensors", () => {
    const names = boundNetwork(definition, parameters).parameters.map(({ name }) => name);
    for (const vector of ["scale", "bias", "mean", "variance"]) {
      assert.ok(names.indexOf(`bn2.${vector}`) < names.indexOf("shared"), vector);
    }
  });

  test("any order gives the same bytes or is refused", () => {
    let refused = 0;
    for (let seed = 0; seed < 40; seed++) {
      const network = new Network(testKernels(), definition);
      // Row by row, in an order of its own.
      const left = network.parameters.map(({ name, shape }) => ({ name, shape, row: 0 }));
      let state = seed + 1;
      const next = (): number => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state >>> 8;
      };
      let isRefused = false;
      for (let tries = 0; left.length > 0 && tries < 2000; tries++) {
        const at = next() % left.length;
        const { name, shape, row } = left[at]!;
        const length = shape.slice(1).reduce((a, b) => a * b, 1);
        const rows = parameters.get(name)!.subarray(row * length, (row + 1) * length);
        try {
          network.setRows(name, row, rows);
        } catch (error) {
          isRefused = true;
          assert.instance(error, RangeError);
          assert.match(
            (error as Error).message,
            /^(conv2d|dense) "\w+": batch norm multiplies the weights as they come in, but \d of \d values of "[\w.]+" are not bound yet\. Bind parameters in the order of network\.parameters\.$/,
          );
          continue;
        }
        left[at]!.row++;
        if (row + 1 === shape[0]) left.splice(at, 1);
      }
      if (isRefused) refused++;
      assert.ok(network.isBound, `seed ${seed}`);
      assert.equal(results(network), expected, `seed ${seed}`);
    }
    assert.ok(refused > 20, `${refused} of 40 orders had weights before their batch norm`);
  });

  test("weights before their batch norm are refused by name", () => {
    const network = new Network(testKernels(), definition);
    assert.throws(
      () => network.setRows("fc", 0, parameters.get("fc")!),
      (error: Error) =>
        error.message ===
        'dense "fc": batch norm multiplies the weights as they come in, but 3 of 3 values of "bn4.scale" are not bound yet. Bind parameters in the order of network.parameters.',
    );
  });
});
