import * as assert from "uvu/assert";
import { tensor } from "../../engine/basics/tensor.ts";
import { innvestigateAlphaBeta } from "../../engine/rules/compatibility-rules.ts";
import type { Composite } from "../../engine/rules/composite.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { alphaBeta, zPlus } from "../../engine/rules/rules.ts";
import { referenceNetworks } from "../reference/networks.ts";
import { assertClose, relativeL2 } from "../support/close.ts";
import { everywhere } from "../support/composites.ts";
import { boundNetwork, forward, singleNode } from "../support/engine.ts";
import { readGolden } from "../support/reference-maps.ts";
import { suite } from "../support/suite.ts";

const maps = readGolden("references/maps.safetensors");

/** A network's map for its largest logit, as the references have it. */
function explainLargest(name: string, composite: Composite, magnitudeOnly: boolean): Float32Array {
  const found = referenceNetworks.find(({ definition }) => definition.name === name);
  if (found === undefined) throw new RangeError(`no reference network "${name}"`);
  const network = boundNetwork(found.definition, found.parameters);
  const input = magnitudeOnly ? found.input.map(Math.abs) : found.input;
  const logits = forward(network, input);
  const largest = Math.max(...logits);
  const start = logits.map((logit) => (logit === largest ? logit : 0));
  return network.relevancePlan(composite).run(start).relevance.data;
}

/** Relevance of two inputs of one neuron with one bias. */
function neuron(rule: Parameters<typeof everywhere>[0], x: number[], w: number[], b: number, r: number): number[] {
  const network = boundNetwork(
    singleNode([2, 1, 1], { op: "dense", outFeatures: 1, weight: "w", bias: "b" }),
    new Map([
      ["w", Float32Array.from(w)],
      ["b", Float32Array.of(b)],
    ]),
  );
  network.forward(tensor([2, 1, 1], Float32Array.from(x)));
  return [...network.relevancePlan(everywhere(rule)).run(Float32Array.of(r)).relevance.data];
}

suite("compatibility presets", (test) => {
  for (const [network, composite, key, magnitudeOnly] of [
    ["plain", "captumEpsilon", "plain | captum | epsilon", false],
    ["plain-without-bias", "captumEpsilon", "plain-without-bias | captum | epsilon", false],
    ["plain-without-bias", "captumGamma", "plain-without-bias | captum | gamma", false],
    ["plain-without-bias", "captumAlpha1Beta0", "plain-without-bias | captum | alpha1beta0", false],
    ["plain-without-bias", "captumGamma", "plain-without-bias, |x| | captum | gamma", true],
    ["plain-without-bias", "captumAlpha1Beta0", "plain-without-bias, |x| | captum | alpha1beta0", true],
  ] as const) {
    test(`${composite} gives captum's numbers: ${key}`, () => {
      const expected = maps.get(key)?.data ?? new Float32Array();
      const actual = explainLargest(network, compositeByName(composite), magnitudeOnly);
      // Both in float32; divisors near 0, which these rules do not avoid for signed inputs, magnify its rounding.
      const error = relativeL2(actual, expected);
      assert.ok(error <= 1e-4, `${key}: relative L2 ${error}`);
    });
  }

  test("captum's rules differ from ours where inputs are signed, and agree where they are not (its issue 1234)", () => {
    const zPlusScore: Composite = { ...everywhere(zPlus(1e-9)), name: "zPlus" };
    const compare = (magnitudeOnly: boolean): number =>
      relativeL2(
        explainLargest("plain-without-bias", compositeByName("captumAlpha1Beta0"), magnitudeOnly),
        explainLargest("plain-without-bias", zPlusScore, magnitudeOnly),
      );
    assert.ok(compare(false) > 0.05, `signed: relative L2 ${compare(false)}`);
    assert.ok(compare(true) < 1e-5, `non-negative: relative L2 ${compare(true)}`);
  });

  test("innvestigateAlphaBeta: the whole bias in both divisors (its issue 273)", () => {
    // z+ = 1, z- = -0.5, b = 0.25, R = 1: 2 * 1 / (1 + 0.25) and -(-0.5) / (-0.5 + 0.25)
    assertClose(neuron(innvestigateAlphaBeta(2, 1), [1, 0.5], [1, -1], 0.25, 1), [1.6, -2], 1e-6, "theirs");
    assertClose(neuron(alphaBeta(2, 1, 0), [1, 0.5], [1, -1], 0.25, 1), [1.6, -1], 1e-6, "ours");
  });
});
