import * as assert from "uvu/assert";
import { tensor } from "../../engine/basics/tensor.ts";
import { explain } from "../../engine/explain.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { Network } from "../../engine/network/network.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

/** One dense layer over 3 x 8 x 8. */
function dense(outFeatures: number, endsInSigmoid = false): Network {
  const definition: NetworkDefinition = {
    name: "tiny",
    inputShape: [3, 8, 8],
    nodes: [
      { op: "flatten", name: "flat", inputs: ["input"] },
      { op: "dense", name: "fc", inputs: ["flat"], outFeatures, weight: "fc.weight" },
      ...(endsInSigmoid ? [{ op: "activation", name: "yes", inputs: ["fc"], function: "sigmoid" } as const] : []),
    ],
    output: endsInSigmoid ? "yes" : "fc",
    preprocessing: { resize: "none", resizeTo: 8, channelOrder: "rgb", scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  };
  const network = new Network(testKernels(), definition);
  network.setRows(
    "fc.weight",
    0,
    new Float32Array(192 * outFeatures).map((_, i) => Math.sin(i)),
  );
  return network;
}

const input = (): Float32Array => new Float32Array(192).map((_, i) => Math.cos(i));

suite("what explain is given", (test) => {
  test("a network with one output has a score and no probability", () => {
    const [only] = explain(dense(1), tensor([3, 8, 8], input())).top;
    assert.is(only?.probability, undefined);
    assert.ok(Number.isFinite(only?.logit));
    assert.type(explain(dense(2), tensor([3, 8, 8], input())).top[0]?.probability, "number");
  });

  test("a network that ends in one sigmoid has a score and its probability", () => {
    const { top, probabilityFunction } = explain(dense(1, true), tensor([3, 8, 8], input()));
    const { logit, probability } = top[0] ?? { logit: 0 };
    assert.is(probabilityFunction, "sigmoid");
    assert.is(probability, Math.fround(1 / (1 + Math.exp(-logit))));
    assert.is(explain(dense(1), tensor([3, 8, 8], input())).probabilityFunction, "softmax");
  });

  test("numbers that are none are the input's fault, not the weights'", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const data = input();
      data[70] = value;
      assert.throws(
        () => explain(dense(2), tensor([3, 8, 8], data)),
        (error: unknown) =>
          String(error) ===
          `RangeError: network "tiny": input must be finite, got ${value} at element 70 of [3,8,8]. Check how it was prepared.`,
      );
    }
  });
});
