import * as assert from "uvu/assert";
import { mustHave } from "../../engine/basics/must-have.ts";
import { OffsetPlanner } from "../../engine/memory/buffer-planner.ts";
import { noBorder } from "../../engine/memory/feature-map.ts";
import { Scratch } from "../../engine/memory/pass-scratch.ts";
import { rulesFor } from "../../engine/rules/composite.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { lrnRules } from "../../engine/rules/rules.ts";
import { networkCases } from "../cases/networks.ts";
import { seededNetworkInput, seededNetworkParameters } from "../cases/parameters.ts";
import { boundNetwork, forward } from "../support/engine.ts";
import { suite } from "../support/suite.ts";

const fault = ": missing. This is a fault of srmap itself; please report it.";
const says =
  (what: string) =>
  (error: Error): boolean =>
    error.message === what + fault;

suite("what cannot happen throws", (test) => {
  test("a missing value is named", () => {
    assert.is(mustHave(0, "number"), 0);
    assert.throws(() => mustHave(undefined, "number"), says("number"));
  });

  test("scratch memory without an address", () => {
    const scratch = new Scratch();
    const [first, image] = [scratch.reserve(64), scratch.reserveImage([1, 2, 2], noBorder)];
    assert.is(first([128]), 128);
    assert.throws(() => first([]), says("address of scratch memory"));
    assert.throws(() => image([128]), says("address of scratch memory"));
  });

  test("a buffer that was never planned", () => {
    assert.throws(() => new OffsetPlanner().give(64), says("buffer at offset 64"));
  });

  test("every layer's pass that asked for scratch memory refuses to run without it", () => {
    let refused = 0;
    for (const { definition } of networkCases) {
      const network = boundNetwork(definition, seededNetworkParameters(definition, 1));
      forward(network, seededNetworkInput(definition, 1));
      for (const { layer, runtime } of network.layers) {
        if (layer.node.op === "softmax") continue;
        for (const lrn of lrnRules) {
          const composite = { ...compositeByName("epsilonPlus"), lrn };
          const matched = { op: layer.node.op, name: layer.name, isFirst: false, isLast: false, onlyScales: false };
          const pass = runtime.prepareRelevance({
            kernels: network.kernels,
            layer: layer.name,
            rules: rulesFor(composite, matched),
            relevance: network.memory.featureMap(layer.output),
            inputRelevance: layer.inputs.map((id) => network.memory.featureMap(id)),
            isNonNegative: false,
            vanishesWithOutput: false,
          });
          if (pass.scratchBytes.length === 0) continue;
          refused++;
          assert.throws(() => pass.run([]), says("address of scratch memory"), `${definition.name}, ${layer.name}`);
        }
      }
    }
    assert.ok(refused > 20, `${refused} passes`);
  });
});
