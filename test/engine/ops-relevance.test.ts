import * as assert from "uvu/assert";
import type { Shape } from "../../engine/basics/tensor.ts";
import type { NodeDefinition } from "../../engine/graph/definition.ts";
import type { LedgerRow } from "../../engine/layers/ledger.ts";
import type { Composite } from "../../engine/rules/composite.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { type LrnRule, lrnRules, maxPoolRules } from "../../engine/rules/rules.ts";
import { conv2dCases, conv2dData } from "../cases/conv2d.ts";
import { denseCases, denseData } from "../cases/dense.ts";
import { type LrnCase, lrnCases, lrnData } from "../cases/lrn.ts";
import type { BareNode } from "../cases/networks.ts";
import { averagePool2dCases, maxPool2dCases, pool2dData } from "../cases/pool2d.ts";
import { fillValues } from "../cases/values.ts";
import { conv2d, conv2dInputGrad, conv2dInputGradMagnitude, conv2dMagnitude } from "../oracle/conv2d.ts";
import { denseInputGrad } from "../oracle/dense.ts";
import { activationGradient } from "../oracle/elementwise.ts";
import { lrn, lrnDenominator, lrnNeighbours, lrnScaledAlpha } from "../oracle/lrn.ts";
import {
  averagePool2d,
  forEachAverageTap,
  forEachWindow,
  type MaxPoolMode,
  maxPool2d,
  maxPool2dRelevance,
} from "../oracle/pool2d.ts";
import { epsilon, type LinearLayer, linearGradient, propagateLinear } from "../oracle/relevance/fractions.ts";
import { lrnRelevance, taylorMessages } from "../oracle/relevance/lrn.ts";
import { total } from "../oracle/tensor64.ts";
import { assertClose, assertWithin } from "../support/close.ts";
import { boundNetwork, forward, singleNode } from "../support/engine.ts";
import { relevanceBounds } from "../support/relevance-bounds.ts";
import { suite } from "../support/suite.ts";
import { sumBounds, unitRoundoff } from "../support/tolerance.ts";

const none = new Map<string, Float32Array>();
const gradient = compositeByName("gradient");
const lrp = compositeByName("epsilonPlus");

/** One node's relevance, from R at its flattened output. */
function back(
  shape: Shape,
  node: BareNode,
  parameters: ReadonlyMap<string, Float32Array>,
  x: Float32Array,
  relevance: Float32Array,
  composite: Composite,
): { map: Float32Array; row: LedgerRow } {
  const single = singleNode(shape, node);
  const flatten: NodeDefinition = { name: "flatten", inputs: ["node"], op: "flatten" };
  const network = boundNetwork({ ...single, nodes: [...single.nodes, flatten], output: "flatten" }, parameters);
  forward(network, x);
  const result = network.relevancePlan(composite).run(relevance);
  const row = result.ledger.at(-1);
  if (row === undefined) throw new RangeError("empty ledger");
  return { map: result.relevance.data, row };
}

/** Sum of the magnitudes of all messages to each input, each with the cancellation in its divisor. */
function lrnMagnitude(c: LrnCase, x: Float32Array, relevance: Float32Array, rule: LrnRule): Float64Array {
  const result = new Float64Array(x.length);
  const s = lrnDenominator(c, x);
  const y = lrn(c, x);
  for (let k = 0; k < x.length; k++) {
    if (rule === "taylor" || rule === "caffeToolbox") {
      const messages = taylorMessages(c, x, k, s[k]!);
      const size = total(messages.map(([, z]) => Math.abs(z)));
      const divisor = rule === "taylor" ? Math.abs(total(messages.map(([, z]) => z))) : size;
      const share = rule === "taylor" ? Math.abs(relevance[k]!) / divisor : Math.abs(relevance[k]!);
      if (size === 0) continue;
      for (const [i, z] of messages) result[i]! += Math.abs(z) * share * (size / divisor);
    } else {
      const seed = rule === "epsilon" ? relevance[k]! / (Math.abs(y[k]!) + 1e-6) : relevance[k]!;
      for (const i of lrnNeighbours(c, k)) {
        const own = i === k ? s[k]! ** -c.beta : 0;
        const others = 2 * c.beta * lrnScaledAlpha(c) * Math.abs(x[k]! * x[i]!) * s[k]! ** (-c.beta - 1);
        result[i]! += (own + others) * Math.abs(seed) * (rule === "epsilon" ? Math.abs(x[i]!) : 1);
      }
    }
  }
  return result;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  total(Array.from({ length: a.length }, (_, i) => a[i]! * b[i]!));

// Every op's way back on every case against its float64 twin.
suite("ops, backward", (test) => {
  for (const [seed, c] of conv2dCases.entries()) {
    test(`conv2d input gradient and adjoint: ${c.name}`, () => {
      const { x, weight } = conv2dData(c, seed);
      const y = conv2d(c, x, weight);
      const dy = fillValues(y.length, "uniform", seed + 3);
      const { channels, height, width, outChannels, kernelShape, strides, pads, dilations, group } = c;
      const node: BareNode = {
        op: "conv2d",
        outChannels,
        kernelShape,
        strides,
        pads,
        dilations,
        group,
        weight: "weight",
      };
      const parameters = new Map([["weight", weight]]);
      const { map } = back([channels, height, width], node, parameters, x, dy, gradient);
      const terms = (outChannels / group) * kernelShape[0] * kernelShape[1];
      const bounds = sumBounds(terms, conv2dInputGradMagnitude(c, dy, weight));
      assertWithin(map, conv2dInputGrad(c, dy, weight), bounds, `seed ${seed}`);
      const forwards = forward(boundNetwork(singleNode([channels, height, width], node), parameters), x);
      // <conv(x), dy> = <x, inputGrad(dy)>, the dot products taken in float64.
      const forwardBounds = sumBounds(
        (channels / group) * kernelShape[0] * kernelShape[1],
        conv2dMagnitude(c, x, weight),
      );
      const tolerance = dot(forwardBounds, dy.map(Math.abs)) + dot(bounds, x.map(Math.abs));
      assertClose([dot(forwards, dy)], [dot(x, map)], tolerance, `adjoint, seed ${seed}`);
    });
  }

  test("dense input gradient on every case", () => {
    for (const [seed, c] of denseCases.entries()) {
      const { x, weight } = denseData(c, seed);
      const { inFeatures, outFeatures } = c;
      const dy = fillValues(outFeatures, "uniform", seed + 3);
      const node: BareNode = { op: "dense", outFeatures, weight: "weight" };
      const { map } = back([inFeatures, 1, 1], node, new Map([["weight", weight]]), x, dy, gradient);
      const bounds = sumBounds(outFeatures, denseInputGrad(dy.map(Math.abs), weight.map(Math.abs), inFeatures));
      assertWithin(map, denseInputGrad(dy, weight, inFeatures), bounds, `${c.name}, seed ${seed}`);
    }
  });

  const twins: Record<(typeof maxPoolRules)[number], MaxPoolMode> = {
    winner: "winner",
    shared: "tiesShared",
    proportional: "proportional",
    overwrite: "overwrite",
  };
  for (const rule of maxPoolRules) {
    test(`max pooling, ${rule}: every case`, () => {
      for (const [seed, c] of maxPool2dCases.entries()) {
        const x = pool2dData(c, seed);
        const relevance = fillValues(maxPool2d(c, x).values.length, "uniform", seed + 1);
        const { kernelShape, strides, pads, dilations, ceilMode } = c;
        const node: BareNode = { op: "maxPool2d", kernelShape, strides, pads, dilations, ceilMode };
        const shape = [c.channels, c.height, c.width];
        const { map, row } = back(shape, node, none, x, relevance, { ...lrp, maxPool: rule });
        const expected = maxPool2dRelevance(c, x, relevance, twins[rule], 0);
        const windows = Math.ceil(kernelShape[0] / strides[0]) * Math.ceil(kernelShape[1] / strides[1]);
        const size = maxPool2dRelevance(c, x, relevance.map(Math.abs), twins[rule], 0);
        let bounds: ArrayLike<number> = sumBounds(windows, size);
        if (rule === "overwrite") bounds = new Float64Array(map.length);
        if (rule === "proportional") {
          // Signed sums may cancel: bounded as a rule whose contributions are x, with no weights.
          const layer: LinearLayer = {
            inCount: x.length,
            outCount: relevance.length,
            forEach(visit) {
              forEachWindow(c, ({ outIndex, inside }) => {
                for (const i of inside) visit(outIndex, i, 1);
              });
            },
            bias: () => 0,
          };
          bounds = relevanceBounds(layer, x, relevance, epsilon(0)).relevance;
        }
        assertWithin(map, expected, bounds, `${c.name}, seed ${seed}`);
        const sum = row.relevanceIn + row.bias + row.stabilizer + row.dropped;
        assertClose([sum], [row.relevanceOut], 1e-5 * (1 + total(map.map(Math.abs))), `${c.name}: ledger`);
      }
    });
  }

  test("average pooling, norm and gradient: every case", () => {
    for (const [seed, c] of averagePool2dCases.entries()) {
      const x = pool2dData(c, seed);
      const relevance = fillValues(averagePool2d(c, false, x).length, "uniform", seed + 1);
      const { kernelShape, strides, pads, ceilMode, countIncludePad } = c;
      const node: BareNode = { op: "averagePool2d", kernelShape, strides, pads, ceilMode, countIncludePad };
      const shape = [c.channels, c.height, c.width];
      const layer: LinearLayer = {
        inCount: x.length,
        outCount: relevance.length,
        forEach: (visit) => forEachAverageTap(c, countIncludePad, visit),
        bias: () => 0,
      };
      const norm = back(shape, node, none, x, relevance, lrp);
      const expected = propagateLinear(layer, x, relevance, epsilon(1e-6));
      const bounds = relevanceBounds(layer, x, relevance, epsilon(1e-6));
      assertWithin(norm.map, expected.relevance, bounds.relevance, `${c.name}, norm, seed ${seed}`);
      const slope = back(shape, node, none, x, relevance, gradient).map;
      const slopeBounds = sumBounds(
        kernelShape[0] * kernelShape[1] + 2,
        linearGradient(layer, relevance.map(Math.abs)),
      );
      assertWithin(slope, linearGradient(layer, relevance), slopeBounds, `${c.name}, gradient, seed ${seed}`);
    }
  });

  for (const rule of lrnRules) {
    test(`lrn, ${rule}: every case`, () => {
      for (const [seed, c] of lrnCases.entries()) {
        const x = lrnData(c, seed);
        const relevance = fillValues(x.length, "uniform", seed + 1);
        const { size, alpha, beta, bias, region } = c;
        const node: BareNode = { op: "lrn", size, alpha, beta, bias, region };
        const composite = { ...lrp, lrn: rule, normStabilizer: 1e-6 };
        const { map, row } = back([c.channels, c.height, c.width], node, none, x, relevance, composite);
        const expected = lrnRelevance(c, x, relevance, rule, rule === "epsilon" ? 1e-6 : 0);
        // Double inside; x, R, a factor per output and the result are rounded to float32.
        const bounds = lrnMagnitude(c, x, relevance, rule).map((each) => 8 * unitRoundoff * each + 2 ** -126);
        assertWithin(
          map,
          expected,
          rule === "identity" ? new Float64Array(map.length) : bounds,
          `${c.name}, seed ${seed}`,
        );
        const sum = row.relevanceIn + row.bias + row.stabilizer + row.dropped;
        assertClose([sum], [row.relevanceOut], 1e-5 * (1 + total(map.map(Math.abs))), `${c.name}: ledger`);
      }
    });
  }

  test("activations: pass, gradient, deconvnet, guided", () => {
    for (const node of [
      { op: "relu" },
      { op: "clip", low: 0, high: 0.5 },
      { op: "clip", low: -0.25, high: 0.5 },
      { op: "leakyRelu", slope: 0.125 },
    ] as const) {
      const x = fillValues(7 * 6, "uniform", 1);
      const relevance = fillValues(x.length, "uniform", 2);
      const through = (activation: Composite["activation"]): number[] => [
        ...back([7, 2, 3], node, none, x, relevance, { ...gradient, activation }).map,
      ];
      const slope = x.map((value) => activationGradient(node, value));
      assert.equal(through("pass"), [...relevance], `${node.op}, pass`);
      assertClose(
        through("gradient"),
        relevance.map((r, i) => r * slope[i]!),
        0,
        `${node.op}, gradient`,
      );
      assertClose(
        through("deconvnet"),
        relevance.map((r) => Math.max(r, 0)),
        0,
        `${node.op}, deconvnet`,
      );
      assertClose(
        through("guided"),
        relevance.map((r, i) => Math.max(r, 0) * slope[i]!),
        0,
        `${node.op}, guided`,
      );
    }
  });
});
