import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import {
  boxHigh,
  boxLow,
  type ReferenceNetwork,
  referenceLayers,
  referenceNetworks,
} from "../../reference/networks.ts";
import { assertClose, relativeL2 } from "../../support/close.ts";
import { readGolden, readManifest } from "../../support/reference-maps.ts";
import { suite } from "../../support/suite.ts";
import { type Composite64, composites64, epsilonGammaBox, uniform } from "./composites.ts";
import {
  alphaBeta,
  denseLayer,
  epsilon,
  type FractionRule,
  flat,
  gamma,
  propagateLinear,
  wSquare,
  zBox,
  zPlus,
} from "./fractions.ts";
import { explain, logitsNode } from "./graph.ts";

interface Manifest {
  readonly sha256OfInputs: Record<string, string>;
  readonly facts: Record<string, unknown>;
}

const maps = readGolden("references/maps.safetensors");
const manifest = readManifest<Manifest>("references");

/** The reference map of that name. */
function reference(key: string): Float32Array {
  const found = maps.get(key);
  if (found === undefined) throw new RangeError(`no reference "${key}"`);
  return found.data;
}

/** Float64 against float64 stored in float32: half a unit in the last place of the largest value, and cancellation's rest. */
function assertSame(actual: ArrayLike<number>, expected: Float32Array, what: string): void {
  const largest = expected.reduce((max, each) => Math.max(max, Math.abs(each)), 0);
  assertClose(actual, expected, 2 ** -23 * largest, what);
}

const channelBounds = (bounds: readonly number[], channels: number): number[] =>
  Array.from({ length: channels }, (_, c) => bounds[c % bounds.length]!);

function pixelBounds(bounds: readonly number[], shape: readonly number[]): number[] {
  const area = (shape[1] ?? 1) * (shape[2] ?? 1);
  return channelBounds(bounds, shape[0]!).flatMap((bound) => new Array<number>(area).fill(bound));
}

function layerRule(name: string, shape: readonly number[]): FractionRule {
  const rules: Record<string, FractionRule> = {
    epsilon: epsilon(1e-6),
    "epsilon, .25": epsilon(0.25),
    "epsilon, 1e-9": epsilon(1e-9),
    lrp0: epsilon(0),
    gamma: gamma(0.25),
    "gamma, 1": gamma(1),
    zPlus: zPlus(),
    "alphaBeta, 2, 1": alphaBeta(2, 1),
    "alphaBeta, 1, 0": alphaBeta(1, 0),
    zBox: zBox(pixelBounds(boxLow, shape), pixelBounds(boxHigh, shape)),
    wSquare: wSquare(),
    flat: flat(),
  };
  return rules[name]!;
}

function networkComposite(name: string, channels: number): Composite64 {
  if (name === "epsilonGammaBox")
    return epsilonGammaBox(channelBounds(boxLow, channels), channelBounds(boxHigh, channels));
  if (name === "epsilonPlus, lrn gradient") return { ...composites64["epsilonPlus"]!, lrn: "gradient" };
  return composites64[name] ?? uniform(layerRule(name, [channels]));
}

const startsAtOne = new Set(["gradient", "gradientTimesInput", "deconvnet", "guidedBackprop", "excitationBackprop"]);

function explainReference(network: ReferenceNetwork, name: string, composite: Composite64): Float64Array {
  const { definition, parameters, input } = network;
  let start: ArrayLike<number> | undefined = network.start;
  if (start === undefined) {
    const logits = reference(`${definition.name} | torch | logits`);
    const target = logits.indexOf(Math.max(...logits));
    const probe = explain(definition, parameters, input, [], uniform("gradient"), "input");
    const exact = probe.activations.get(logitsNode(definition))!.data;
    assertSame(exact, logits, `${definition.name}: logits`);
    start = exact.map((logit, k) => (k === target ? (startsAtOne.has(name) ? 1 : logit) : 0));
  }
  return explain(definition, parameters, input, start, composite).relevance.get("input")!;
}

suite("relevance oracles against zennit and captum", (test) => {
  test("the references were made from these inputs", () => {
    for (const { definition, input } of [...referenceLayers, ...referenceNetworks]) {
      const hash = createHash("sha256").update(new Uint8Array(input.buffer)).digest("hex");
      assert.is(hash, manifest.sha256OfInputs[definition.name], definition.name);
    }
  });

  for (const network of referenceLayers) {
    const { name, inputShape } = network.definition;
    test(`${name}: every rule`, () => {
      const keys = [...maps.keys()].filter((key) => key.startsWith(`${name} | `));
      assert.ok(keys.length > 0);
      for (const key of keys) {
        const rule = key.split(" | ")[2]!;
        const composite =
          name === "lrn"
            ? uniform(epsilon(), { lrn: rule as Composite64["lrn"] })
            : uniform(layerRule(rule, inputShape));
        assertSame(explainReference(network, rule, composite), reference(key), key);
      }
    });
  }

  for (const network of referenceNetworks) {
    const { name, inputShape } = network.definition;
    test(`${name}: every composite`, () => {
      const keys = [...maps.keys()].filter(
        (key) => key.startsWith(`${name} | `) && !key.includes("captum") && !key.includes("logits"),
      );
      assert.ok(keys.length > 10);
      for (const key of keys) {
        const composite = key.split(" | ")[2]!;
        const actual = explainReference(network, composite, networkComposite(composite, inputShape[0]!));
        assertSame(actual, reference(key), key);
      }
    });
  }

  const withoutBias = referenceNetworks.find(({ definition }) => definition.name === "plain-without-bias")!;

  test("captum agrees on LRP-epsilon, and without bias on inputs of at least 0 on gamma and alpha1beta0", () => {
    for (const name of ["plain", "plain-without-bias"]) {
      const network = referenceNetworks.find(({ definition }) => definition.name === name)!;
      const ours = explainReference(network, "epsilon", uniform(epsilon(1e-9)));
      // captum also divides by 1e-9 + y at poolings, which we do not: a relative 1e-9 / y.
      const expected = reference(`${name} | captum | epsilon`);
      assertClose(ours, expected, 1e-6 * Math.max(...expected.map(Math.abs)), name);
    }
    const { definition, parameters, input } = withoutBias;
    const positive = input.map(Math.abs);
    const probe = explain(definition, parameters, positive, [], uniform("gradient"), "input");
    const logits = probe.activations.get(logitsNode(definition))!.data;
    const largest = Math.max(...logits);
    const start = logits.map((logit) => (logit === largest ? logit : 0));
    for (const [name, rule] of [
      ["gamma", gamma(0.25, 1e-9)],
      ["alpha1beta0", zPlus(1e-9)],
    ] as const) {
      const ours = explain(definition, parameters, positive, start, uniform(rule)).relevance.get("input")!;
      const expected = reference(`plain-without-bias, |x| | captum | ${name}`);
      assertClose(ours, expected, 1e-6 * Math.max(...expected.map(Math.abs)), name);
    }
  });

  test("held difference: captum's gamma and alpha1beta0 clamp weights only, wrong for signed inputs (its issue 1234)", () => {
    for (const [name, rule] of [
      ["gamma", gamma(0.25, 1e-9)],
      ["alpha1beta0", zPlus(1e-9)],
    ] as const) {
      const ours = explainReference(withoutBias, name, uniform(rule));
      const theirs = reference(`plain-without-bias | captum | ${name}`);
      assert.ok(relativeL2(theirs, ours) > 0.05, `${name}: ${relativeL2(theirs, ours)}`);
    }
    // Products are -2 and -1: alpha 1 beta 0 hands on positive products and there is none. captum hands -8/3 to the first.
    const facts = manifest.facts["captum alpha1beta0 on one neuron, W = [1,-1], b = -1"] as Record<string, number[]>;
    const theirs = facts["[-2.0, 1.0]"]!;
    assertClose(theirs, [-8 / 3, 0], 1e-8, "captum");
    const ours = propagateLinear(denseLayer(2, [1, -1], [-1]), [-2, 1], [-4], zPlus(0)).relevance;
    assert.equal([...ours], [0, 0]);
    // Products are 1 and 1, so both inputs count alike; captum, its weight -1 gone and its bias -1 kept, divides 1 by 0.
    assert.ok(facts["[1.0, -1.0]"]![0]! > 1e8);
    assert.equal([...propagateLinear(denseLayer(2, [1, -1], [-1]), [1, -1], [1], zPlus(0)).relevance], [0.5, 0.5]);
  });

  test("held difference: the whole bias in both divisors (iNNvestigate's issue 273) explains z + b, not z", () => {
    const inputs = [1, 0.5];
    const weights = [1, -1];
    const bias = 0.25;
    const ours = propagateLinear(denseLayer(2, weights, [bias]), inputs, [1], alphaBeta(2, 1, 0));
    const [positive, negative] = [inputs[0]! * weights[0]!, inputs[1]! * weights[1]!];
    assertClose(
      ours.relevance,
      [(2 * positive) / (positive + bias), -1],
      1e-15,
      "the bias is positive: no part of the negative side",
    );
    const theirs = [(2 * positive) / (positive + bias), -negative / (negative + bias)];
    assert.is(theirs[1], -2); // twice what the negative side received
  });

  test("held difference: LRN is a plain gradient in zennit, an error in captum and the identity here", () => {
    const ours = reference("normalised | zennit | epsilonPlus"); // with Pass asked for; the oracle agrees above
    const theirs = reference("normalised | zennit | epsilonPlus, lrn gradient");
    assert.ok(relativeL2(theirs, ours) > 0.05);
    assert.match(String(manifest.facts["captum on LRN"]), /LocalResponseNorm.* has no rule defined/);
  });
});
