import * as assert from "uvu/assert";
import type { NodeDefinition } from "../../engine/graph/definition.ts";
import type { Network } from "../../engine/network/network.ts";
import * as engine from "../../engine/rules/rules.ts";
import { type Conv2dCase, conv2dCases } from "../cases/conv2d.ts";
import { fillValues } from "../cases/values.ts";
import { conv2dOutputShape } from "../oracle/conv2d.ts";
import {
  alphaBeta,
  conv2dLayer,
  denseLayer,
  epsilon,
  type FractionRule,
  flat,
  gamma,
  type LinearLayer,
  propagateLinear,
  wSquare,
  zBox,
  zPlus,
  zPlusNoBias,
} from "../oracle/relevance/fractions.ts";
import { count, total } from "../oracle/tensor64.ts";
import { assertClose, assertWithin } from "../support/close.ts";
import { everywhere } from "../support/composites.ts";
import { boundNetwork, forward, singleNode } from "../support/engine.ts";
import { type Magnitude, relevanceBounds } from "../support/relevance-bounds.ts";

import { suite } from "../support/suite.ts";

interface RulePair {
  readonly engine: engine.LinearRule;
  readonly oracle: FractionRule;
  readonly magnitude?: Magnitude;
}

/** Every rule, as the engine has it and as the oracle does. */
function rulePairs(channels: number, area: number): Record<string, RulePair> {
  const low = Array.from({ length: channels }, (_, c) => -1 - c / 8);
  const high = Array.from({ length: channels }, (_, c) => 1.5 + c / 4);
  const perPixel = (bounds: number[]): number[] => bounds.flatMap((bound) => new Array<number>(area).fill(bound));
  const lows = perPixel(low);
  const highs = perPixel(high);
  return {
    lrp0: { engine: engine.epsilon(0), oracle: epsilon(0) },
    epsilon: { engine: engine.epsilon(), oracle: epsilon() },
    "epsilon .25": { engine: engine.epsilon(0.25), oracle: epsilon(0.25) },
    zPlus: { engine: engine.zPlus(), oracle: zPlus() },
    "zPlus, no stabiliser": { engine: engine.zPlus(0), oracle: zPlus(0) },
    "alphaBeta 2 1": { engine: engine.alphaBeta(2, 1), oracle: alphaBeta(2, 1) },
    "alphaBeta 1.5 .5": { engine: engine.alphaBeta(1.5, 0.5), oracle: alphaBeta(1.5, 0.5) },
    "li2019 dense": { engine: engine.li2019Dense(), oracle: zPlusNoBias() },
    "gamma .25": { engine: engine.gamma(0.25), oracle: gamma(0.25) },
    "gamma 1": { engine: engine.gamma(1), oracle: gamma(1) },
    zBox: {
      engine: engine.zBox(low, high),
      oracle: zBox(lows, highs),
      magnitude: (x, w, i) =>
        Math.abs(x * w) + Math.abs(lows[i]! * Math.max(w, 0)) + Math.abs(highs[i]! * Math.min(w, 0)),
    },
    wSquare: { engine: engine.wSquare(), oracle: wSquare() },
    flat: { engine: engine.flat(), oracle: flat() },
  };
}

/** Values of one sign, or both. */
const signs: Record<string, (x: number) => number> = {
  signed: (x) => x,
  "not negative": (x) => Math.max(x, 0),
  "not positive": (x) => Math.min(x, 0),
};

const kinds = [
  "base",
  "2 groups",
  "3 groups of 1 output",
  "kernel 3 stride 2",
  "kernel 2 stride 3",
  "dilation 2 stride 3 uneven",
  "pads 0 1 2 3",
  "depthwise",
  "depthwise multiplier 3",
  "1x1 kernel",
  "9 input channels",
  "17 output channels",
  "1x1 image",
];

function checkLayer(network: Network, layer: LinearLayer, channels: number, area: number, seed: number): void {
  let unbounded = 0;
  let all = 0;
  for (const [sign, part] of Object.entries(signs)) {
    const x = fillValues(channels * area, "uniform", seed).map(part);
    forward(network, x);
    const start = fillValues(layer.outCount, "uniform", seed + 9);
    for (const [name, rule] of Object.entries(rulePairs(channels, area))) {
      const what = `${name}, input ${sign}, seed ${seed}`;
      const { relevance, ledger } = network.relevancePlan(everywhere(rule.engine)).run(start);
      const expected = propagateLinear(layer, x, start, rule.oracle);
      const bounds = relevanceBounds(layer, x, start, rule.oracle, rule.magnitude);
      assertWithin(relevance.data, expected.relevance, bounds.relevance, what);
      unbounded += bounds.relevance.filter((bound) => bound === Number.POSITIVE_INFINITY).length;
      all += bounds.relevance.length;
      const row = ledger.at(-1); // a flatten may come first
      if (row === undefined) throw new RangeError("empty ledger");
      assertWithin([row.bias], [expected.bias], [bounds.bias + 1e-12], `${what}: absorbed by bias`);
      assertWithin([row.stabilizer], [expected.stabilizer], [bounds.stabilizer + 1e-12], `${what}: stabiliser`);
      const errors = total(bounds.relevance) + bounds.bias + bounds.stabilizer + 1e-9;
      assertWithin([row.dropped], [expected.dropped], [errors], `${what}: dropped`);
      const sum = row.relevanceIn + row.bias + row.stabilizer + row.dropped;
      assertWithin([sum], [row.relevanceOut], [errors], `${what}: sum of the ledger`);
      assertClose([row.relevanceOut], [total(start)], 1e-9, `${what}: relevance out`);
    }
  }
  assert.ok(unbounded <= 0.1 * all, `${unbounded} of ${all} bounds say nothing`);
}

suite("rules on single layers against their definitions", (test) => {
  for (const [k, name] of kinds.entries()) {
    const c = conv2dCases.find((each) => each.name === name);
    if (c === undefined) throw new RangeError(`no conv2d case "${name}"`);
    for (const hasBias of [true, false]) {
      test(`conv2d, ${name}${hasBias ? "" : ", no bias"}: every rule`, () => {
        for (const seed of hasBias ? [1000 + k, 2000 + k] : [3000 + k]) {
          const { network, layer } = convolution({ ...c, hasBias }, seed);
          checkLayer(network, layer, c.channels, c.height * c.width, seed);
        }
      });
    }
  }

  for (const [inFeatures, outFeatures] of [
    [1, 1],
    [7, 5],
    [24, 10],
    [33, 17],
  ] as const) {
    for (const hasBias of [true, false]) {
      test(`dense, ${inFeatures} to ${outFeatures}${hasBias ? "" : ", no bias"}: every rule`, () => {
        for (const seed of [3, 4]) {
          const weight = fillValues(inFeatures * outFeatures, "uniform", seed + 1);
          const bias = hasBias ? fillValues(outFeatures, "uniform", seed + 2) : undefined;
          const node = { op: "dense", outFeatures, weight: "weight", ...(hasBias ? { bias: "bias" } : {}) } as const;
          const parameters = new Map([["weight", weight]]);
          if (bias !== undefined) parameters.set("bias", bias);
          const network = boundNetwork(singleNode([inFeatures, 1, 1], node), parameters);
          checkLayer(network, denseLayer(inFeatures, weight, bias), inFeatures, 1, seed);
        }
      });
    }
  }

  test("fixed vectors: one neuron W = [1,-1], b = -1", () => {
    const node = { op: "dense", outFeatures: 1, weight: "weight", bias: "bias" } as const;
    const parameters = new Map([
      ["weight", Float32Array.of(1, -1)],
      ["bias", Float32Array.of(-1)],
    ]);
    const network = boundNetwork(singleNode([2, 1, 1], node), parameters);
    const through = (x: number[], relevance: number, rule: engine.LinearRule): number[] => {
      forward(network, Float32Array.from(x));
      return [...network.relevancePlan(everywhere(rule)).run(Float32Array.of(relevance)).relevance.data];
    };
    assert.equal(
      through([1, 1], -1, engine.alphaBeta(1, 0, 0)).map((r) => r + 0),
      [-1, 0],
    );
    assert.equal(through([1, 1], -1, engine.alphaBeta(2, 1, 0)), [-2, 0.5]);
    assert.equal(through([1, -1], 1, engine.zPlus(0)), [0.5, 0.5]);
    assert.equal(
      through([-2, 1], -4, engine.zPlus(0)).map((r) => r + 0),
      [0, 0],
    );
  });

  test("fixed vectors: captum's simple linear model", () => {
    const model = (corner: number): Network => {
      const nodes: NodeDefinition[] = [
        { name: "linear", inputs: ["input"], op: "dense", outFeatures: 3, weight: "w1" },
        { name: "relu", inputs: ["linear"], op: "relu" },
        { name: "linear2", inputs: ["relu"], op: "dense", outFeatures: 1, weight: "w2" },
      ];
      const definition = { ...singleNode([3, 1, 1], { op: "identity" }), nodes, output: "linear2" };
      const parameters = new Map([
        ["w1", Float32Array.of(corner, 2, 2, 2, 2, 2, 2, 2, 2)],
        ["w2", Float32Array.of(3, 3, 3)],
      ]);
      return boundNetwork(definition, parameters);
    };
    const map = (network: Network, rule: engine.LinearRule): Float32Array =>
      network.relevancePlan(everywhere(rule)).run(forward(network, Float32Array.of(1, 2, 3))).relevance.data;
    assertClose(map(model(2), engine.epsilon(0)), [18, 36, 54], 1e-5, "epsilon");
    assertClose(map(model(-2), engine.gamma(1, 0)), [28 / 3, 104 / 3, 52], 1e-5, "gamma");
    assertClose(map(model(-2), engine.alphaBeta(1, 0, 0)), [12, 33.6, 50.4], 1e-5, "alpha 1 beta 0");
  });
});

function convolution(c: Conv2dCase, seed: number): { network: Network; layer: LinearLayer } {
  const { channels, height, width, outChannels, kernelShape, strides, pads, dilations, group, hasBias } = c;
  const weight = fillValues((outChannels * channels * kernelShape[0] * kernelShape[1]) / group, "uniform", seed + 1);
  const bias = hasBias ? fillValues(outChannels, "uniform", seed + 2) : undefined;
  const definition = singleNode([channels, height, width], {
    op: "conv2d",
    outChannels,
    kernelShape,
    strides,
    pads,
    dilations,
    group,
    weight: "weight",
    ...(hasBias ? { bias: "bias" } : {}),
  });
  // Relevance starts at a vector: the convolution's image, flattened.
  const flatten: NodeDefinition = { name: "flatten", inputs: ["node"], op: "flatten" };
  const parameters = new Map([["weight", weight]]);
  if (bias !== undefined) parameters.set("bias", bias);
  const network = boundNetwork({ ...definition, nodes: [...definition.nodes, flatten], output: "flatten" }, parameters);
  return { network, layer: conv2dLayer(c, count(conv2dOutputShape(c)), weight, bias) };
}
