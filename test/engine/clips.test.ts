import type { ActivationNode, NetworkDefinition } from "../../engine/graph/definition.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { epsilon, zPlus } from "../../engine/rules/rules.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { assertClose } from "../support/close.ts";
import { everywhere } from "../support/composites.ts";
import { boundNetwork, forward } from "../support/engine.ts";
import { suite } from "../support/suite.ts";

/** x -> 2 x -> ReLU -> activation -> head x, on one number. */
function chain(activation: ActivationNode): NetworkDefinition {
  return {
    name: "chain",
    inputShape: [1, 1, 1],
    nodes: [
      { name: "conv", inputs: ["input"], op: "conv2d", outChannels: 1, kernelShape: [1, 1], weight: "w" },
      { name: "relu", inputs: ["conv"], op: "relu" },
      { name: "activation", inputs: ["relu"], ...activation },
      { name: "flatten", inputs: ["activation"], op: "flatten" },
      { name: "dense", inputs: ["flatten"], op: "dense", outFeatures: 1, weight: "head" },
    ],
    output: "dense",
    preprocessing: plainPreprocessing,
  };
}

suite("clips whose range does not touch 0", (test) => {
  // A clip moves 0 to its bound, whose relevance goes to a ReLU output of 0: its divisor is the pre-activation, not the stored 0.
  test("low above 0: lrp0 and captumEpsilon hand on what the clip's bound got", () => {
    const network = boundNetwork(
      chain({ op: "clip", low: 1, high: 6 }),
      new Map([
        ["w", Float32Array.of(2)],
        ["head", Float32Array.of(3)],
      ]),
    );
    const logits = forward(network, Float32Array.of(-1));
    assertClose(logits, [3], 0, "logit");
    for (const name of ["lrp0", "captumEpsilon"]) {
      assertClose(network.relevancePlan(compositeByName(name)).run(logits).relevance.data, [3], 1e-6, name);
    }
  });

  // Negative outputs of a clip are negative for all that its input is not: z+ must see that the product with -3 is positive.
  test("high below 0: z+ sees a negative input", () => {
    const network = boundNetwork(
      chain({ op: "clip", low: -2, high: -1 }),
      new Map([
        ["w", Float32Array.of(2)],
        ["head", Float32Array.of(-3)],
      ]),
    );
    const logits = forward(network, Float32Array.of(1));
    assertClose(logits, [3], 0, "logit");
    for (const rule of [zPlus(), epsilon()]) {
      assertClose(network.relevancePlan(everywhere(rule)).run(logits).relevance.data, [3], 1e-5, rule.name);
    }
  });
});
