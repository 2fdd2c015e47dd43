import * as assert from "uvu/assert";
import { conv2dCases, conv2dData } from "../../cases/conv2d.ts";
import { lrnCases, lrnData } from "../../cases/lrn.ts";
import { networkCases } from "../../cases/networks.ts";
import { seededNetworkInput, seededNetworkParameters } from "../../cases/parameters.ts";
import { fillValues } from "../../cases/values.ts";
import { assertClose } from "../../support/close.ts";
import { suite } from "../../support/suite.ts";
import { conv2dOutputShape } from "../conv2d.ts";
import { maxPool2dRelevance, type Pool2dGeometry, pool2dOutputShape } from "../pool2d.ts";
import { count, total } from "../tensor64.ts";
import { composites64, epsilonGammaBox, uniform } from "./composites.ts";
import {
  alphaBeta,
  conv2dLayer,
  denseLayer,
  epsilon,
  type FractionRule,
  flat,
  gamma,
  propagateLinear,
  wSquare,
  zBox,
  zPlus,
  zPlusNoBias,
} from "./fractions.ts";
import { explain, logitsNode } from "./graph.ts";
import { lrnRelevance } from "./lrn.ts";

const oneNeuron = denseLayer(2, [1, -1], [-1]);
const through = (x: number[], relevance: number, rule: FractionRule): number[] => [
  ...propagateLinear(oneNeuron, x, [relevance], rule).relevance,
];

// captum's tests/attr/test_lrp.py: 3 -> 3 (weights 2) -> relu -> 1 (weights 3), no bias, x = 1 2 3; gamma and alpha1beta0 with
// weight [0][0] of the first layer set to -2, gamma 1 on both layers.
function captumModel(rule: FractionRule, corner: number): number[] {
  const w = [corner, 2, 2, 2, 2, 2, 2, 2, 2];
  const x = [1, 2, 3];
  const hidden = [0, 1, 2].map((j) =>
    Math.max(
      0,
      w.slice(3 * j, 3 * j + 3).reduce((sum, each, i) => sum + each * x[i]!, 0),
    ),
  );
  const output = 3 * hidden.reduce((sum, each) => sum + each, 0);
  const top = propagateLinear(denseLayer(3, [3, 3, 3]), hidden, [output], rule).relevance;
  return [...propagateLinear(denseLayer(3, w), x, top, rule).relevance];
}

suite("relevance oracles", (test) => {
  test("fixed vectors: one neuron W = [1,-1], b = -1", () => {
    assert.equal(through([1, 1], -1, alphaBeta(1, 0, 0)), [-1, 0]);
    assert.equal(through([1, 1], -1, alphaBeta(2, 1, 0)), [-2, 0.5]);
    assert.equal(through([1, -1], 1, zPlus(0)), [0.5, 0.5]);
    assert.equal(through([-2, 1], -4, zPlus(0)), [0, 0]);
  });

  test("fixed vectors: captum's simple linear model", () => {
    assertClose(captumModel(epsilon(0), 2), [18, 36, 54], 1e-12, "epsilon");
    assertClose(captumModel(gamma(1, 0), -2), [28 / 3, 104 / 3, 52], 1e-12, "gamma");
    assertClose(captumModel(alphaBeta(1, 0, 0), -2), [12, 33.6, 50.4], 1e-12, "alpha 1 beta 0");
  });

  test("gamma: on inputs of at least 0 with positive output it is w + gamma max(w, 0)", () => {
    for (let seed = 0; seed < 20; seed++) {
      const x = fillValues(6, "rectified", seed);
      const w = fillValues(6, "uniform", seed + 100);
      const z = x.reduce((sum, each, i) => sum + each * w[i]!, 0.3);
      if (z <= 0) continue;
      const modified = Float64Array.from(w, (each) => each + 0.25 * Math.max(each, 0));
      const actual = propagateLinear(denseLayer(6, w, [0.3]), x, [z], gamma(0.25, 0)).relevance;
      const expected = propagateLinear(denseLayer(6, modified, [0.3 * 1.25]), x, [z], epsilon(0)).relevance;
      assertClose(actual, expected, 1e-12, `seed ${seed}`);
    }
  });

  test("every rule: absorbed terms account for every bit of relevance, and rules without bias conserve", () => {
    for (const [seed, c] of conv2dCases.entries()) {
      if (c.fill === "denormal" || c.fill === "huge") continue;
      const { x, weight, bias } = conv2dData(c, seed);
      const outCount = count(conv2dOutputShape(c));
      const relevance = fillValues(outCount, "uniform", seed + 7);
      const ones = new Float64Array(x.length).fill(1);
      const rules: Record<string, FractionRule> = {
        lrp0: epsilon(0),
        epsilon: epsilon(0.01),
        gamma: gamma(),
        zPlus: zPlus(),
        alphaBeta: alphaBeta(2, 1),
        zPlusNoBias: zPlusNoBias(),
        zBox: zBox(
          ones.map((v) => -v),
          ones,
        ),
        wSquare: wSquare(),
        flat: flat(),
      };
      const layer = conv2dLayer(c, outCount, weight, bias);
      for (const [name, rule] of Object.entries(rules)) {
        const { relevance: input, ...absorbed } = propagateLinear(layer, x, relevance, rule);
        const handed = total(input.map(Math.abs)) + Math.abs(absorbed.bias) + Math.abs(absorbed.stabilizer);
        const sum = total(input) + absorbed.bias + absorbed.stabilizer + absorbed.dropped;
        assertClose([sum], [total(relevance)], 1e-12 * (1 + handed), `${c.name}, ${name}, seed ${seed}`);
      }
    }
  });

  test("lrn: taylor conserves, caffeToolbox is the same messages without their divisor", () => {
    for (const [seed, c] of lrnCases.entries()) {
      if (c.fill !== "uniform") continue;
      const x = lrnData(c, seed);
      const relevance = fillValues(x.length, "uniform", seed + 1);
      const taylor = lrnRelevance(c, x, relevance, "taylor", 0);
      const scale = total(taylor.map(Math.abs)) + total(relevance.map(Math.abs));
      assertClose([total(taylor)], [total(relevance)], 1e-12 * scale, `${c.name}, seed ${seed}`);
      // With beta 0 there is no normalisation: taylor is the identity, caffeToolbox multiplies by x.
      const plain = { ...c, beta: 0 };
      assertClose(lrnRelevance(plain, x, relevance, "taylor", 0), relevance, 1e-12, `${c.name}, beta 0`);
      const unnormalised = lrnRelevance(plain, x, relevance, "caffeToolbox", 0);
      assertClose(
        unnormalised,
        x.map((value, i) => value * relevance[i]!),
        1e-4,
        `${c.name}, beta 0, caffe`,
      );
    }
  });

  test("overlapping 3x3 stride 2 pooling: accumulating keeps all relevance, overwriting loses a third", () => {
    const g: Pool2dGeometry = {
      channels: 16,
      height: 55,
      width: 55,
      kernelShape: [3, 3],
      strides: [2, 2],
      pads: [0, 0, 0, 0],
      dilations: [1, 1],
      ceilMode: false,
    };
    const x = fillValues(16 * 55 * 55, "uniform", 5);
    const relevance = fillValues(count(pool2dOutputShape(g)), "uniform", 6).map((r) => r + 1);
    const kept = (mode: "winner" | "overwrite"): number =>
      total(maxPool2dRelevance(g, x, relevance, mode)) / total(relevance);
    assertClose([kept("winner")], [1], 1e-12, "winner");
    assertClose([kept("overwrite")], [0.65], 0.05, "overwrite");
  });

  test("whole networks: every composite's ledger adds up node by node", () => {
    const all = { ...composites64, epsilonGammaBox: epsilonGammaBox([-2, -2, -2], [2, 2, 2]) };
    const lrns = ["identity", "taylor", "caffeToolbox", "epsilon"] as const;
    for (const { definition } of networkCases) {
      if (definition.inputShape[0] !== 3) continue;
      for (const [name, composite] of Object.entries(all)) {
        for (const lrn of lrns) {
          if (lrn !== "identity" && definition.name !== "normalised") continue;
          const parameters = seededNetworkParameters(definition, 3);
          const input = seededNetworkInput(definition, 3);
          const probe = explain(definition, parameters, input, [], uniform("gradient"), "input");
          const start = probe.activations.get(logitsNode(definition))!.data;
          const { ledger } = explain(definition, parameters, input, start, { ...composite, lrn });
          assert.ok(ledger.length > 5);
          for (const row of ledger) {
            const sum = row.relevanceIn + row.bias + row.stabilizer + row.dropped;
            const scale =
              Math.abs(row.relevanceIn) + Math.abs(row.bias) + Math.abs(row.stabilizer) + Math.abs(row.dropped);
            assertClose([sum], [row.relevanceOut], 1e-10 * (1 + scale), `${definition.name}, ${name}, ${row.node}`);
          }
        }
      }
    }
  });

  test("without bias, stabiliser and dead ends, LRP-0 conserves and equals gradient times input", () => {
    for (const { definition } of networkCases) {
      if (definition.name !== "plain-without-bias") continue;
      const parameters = seededNetworkParameters(definition, 4);
      const input = seededNetworkInput(definition, 4);
      const probe = explain(definition, parameters, input, [], uniform("gradient"), "input");
      const logits = probe.activations.get(logitsNode(definition))!.data;
      const start = logits.map((value, i) => (i === 1 ? value : 0));
      const oneHot = logits.map((_, i) => (i === 1 ? 1 : 0));
      const lrp0 = explain(definition, parameters, input, start, uniform(epsilon(0))).relevance.get("input")!;
      const gradient = explain(definition, parameters, input, oneHot, composites64["gradientTimesInput"]!);
      assertClose(lrp0, gradient.relevance.get("input")!, 1e-12, definition.name);
      assertClose([total(lrp0)], [logits[1]!], 1e-12, "sum");
    }
  });
});
