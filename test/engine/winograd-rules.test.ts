import type { ActivationNode, NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";
import * as engine from "../../engine/rules/rules.ts";
import { fillValues } from "../cases/values.ts";
import { conv2d } from "../oracle/conv2d.ts";
import { uniform } from "../oracle/relevance/composites.ts";
import {
  alphaBeta,
  conv2dLayer,
  epsilon,
  type FractionRule,
  flat,
  gamma,
  propagateLinear,
  wSquare,
  zPlus,
} from "../oracle/relevance/fractions.ts";
import { explain } from "../oracle/relevance/graph.ts";
import { assertClose } from "../support/close.ts";
import { everywhere } from "../support/composites.ts";
import { boundNetwork, forward, singleNode } from "../support/engine.ts";
import { suite } from "../support/suite.ts";

// A layer large enough for Winograd's algorithm, on inputs as sparse as those behind ReLUs and pools.
const g = {
  channels: 32,
  height: 20,
  width: 20,
  outChannels: 32,
  kernelShape: [3, 3],
  strides: [1, 1],
  pads: [1, 1, 1, 1],
  dilations: [1, 1],
  group: 1,
} as const;
const count = 32 * 20 * 20;

interface Row {
  readonly engine: engine.LinearRule;
  readonly oracle: FractionRule;
}

const rules: Record<string, Row> = {
  "epsilon .25": { engine: engine.epsilon(0.25), oracle: epsilon(0.25) },
  zPlus: { engine: engine.zPlus(), oracle: zPlus() },
  "zPlus, no stabiliser": { engine: engine.zPlus(0), oracle: zPlus(0) },
  gamma: { engine: engine.gamma(), oracle: gamma() },
  wSquare: { engine: engine.wSquare(), oracle: wSquare() },
  flat: { engine: engine.flat(), oracle: flat() },
  alphaBeta: { engine: engine.alphaBeta(2, 1), oracle: alphaBeta(2, 1) },
};

/** Rules whose divisor is 0 where nothing speaks for an output. */
const dividing: Record<string, Row> = {
  "zPlus, no stabiliser": { engine: engine.zPlus(0), oracle: zPlus(0) },
  "alphaBeta, no stabiliser": { engine: engine.alphaBeta(2, 1, 0), oracle: alphaBeta(2, 1, 0) },
};

/** Of the largest |R|: sums of 288 terms, twice. */
const tolerance = 1e-5;

const conv = { op: "conv2d", outChannels: 32, kernelShape: [3, 3], pads: [1, 1, 1, 1] } as const;
const single = singleNode([32, 20, 20], { ...conv, weight: "weight", bias: "bias" });
const weight = fillValues(32 * 32 * 9, "uniform", 2).map((w) => 0.1 * w);
const bias = fillValues(32, "uniform", 3).map((b) => 0.1 * b);

const activations: Readonly<Record<string, readonly ActivationNode[]>> = {
  "a ReLU": [{ op: "relu" }],
  "a dense layer": [],
  "a clip to [-1, 1]": [{ op: "clip", low: -1, high: 1 }],
  "a clip to [0, 6]": [{ op: "clip", low: 0, high: 6 }],
  "a clip to [0.125, 6]": [{ op: "clip", low: 0.125, high: 6 }],
  "a clip to [-6, -0.125]": [{ op: "clip", low: -6, high: -0.125 }],
  "a leaky ReLU": [{ op: "leakyRelu", slope: 0.125 }],
};

function sparseInput(zeros: number): Float32Array {
  const keep = fillValues(count, "uniform", 77);
  return fillValues(count, "uniform", 1).map((v, i) => ((keep[i]! + 1) / 2 < zeros ? 0 : Math.abs(v)));
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((max, each) => Math.max(max, Math.abs(each)), 0);
}

suite("rules on layers of Winograd's size", (test) => {
  for (const zeros of [0.5, 0.97]) {
    for (const reaches of ["live outputs", "all outputs"]) {
      test(`${100 * zeros} % of the input 0, relevance at ${reaches}`, () => {
        const x = sparseInput(zeros);
        const flatten: NodeDefinition = { name: "flatten", inputs: ["node"], op: "flatten" };
        const definition = { ...single, nodes: [...single.nodes, flatten], output: "flatten" };
        const parameters = new Map([
          ["weight", weight],
          ["bias", bias],
        ]);
        const network = boundNetwork(definition, parameters);
        forward(network, x);
        const y = conv2d(g, x, weight, bias);
        const start = fillValues(count, "uniform", 9).map((r, i) =>
          reaches === "live outputs" ? r * Math.max(y[i]!, 0) : r,
        );
        const layer = conv2dLayer(g, count, weight, bias);
        for (const [name, rule] of Object.entries(rules)) {
          const { relevance } = network.relevancePlan(everywhere(rule.engine)).run(start);
          const expected = propagateLinear(layer, x, start, rule.oracle).relevance;
          assertClose(relevance.data, expected, tolerance * largest(expected), name);
        }
      });
    }

    // Here relevance vanishes with the output. Behind a ReLU that says that outputs without positive contributions have none, so that
    // Winograd's algorithm may serve; elsewhere they do have some, and their divisor must be 0 exactly.
    for (const [behind, activation] of Object.entries(activations)) {
      if (behind !== "a ReLU" && zeros < 0.9) continue; // few outputs without contributions
      const served = behind === "a ReLU" ? Object.entries(rules) : Object.entries(dividing);
      test(`${100 * zeros} % of the input 0, behind ${behind}`, () => {
        const x = sparseInput(zeros);
        const between = activation.map((bare): NodeDefinition => ({ name: "activation", inputs: ["node"], ...bare }));
        const definition: NetworkDefinition = {
          ...single,
          nodes: [
            ...single.nodes,
            ...between,
            { name: "flatten", inputs: [between.at(-1)?.name ?? "node"], op: "flatten" },
            { name: "fc", inputs: ["flatten"], op: "dense", outFeatures: 4, weight: "head" },
          ],
          output: "fc",
        };
        const parameters = new Map([
          ["weight", weight],
          ["bias", bias.map((b) => b - 0.05)],
          ["head", fillValues(4 * count, "uniform", 5)],
        ]);
        const network = boundNetwork(definition, parameters);
        const start = forward(network, x);
        for (const [name, rule] of served) {
          const assignments = [
            { match: { op: "dense" as const }, rule: engine.epsilon(0.01) },
            { match: {}, rule: rule.engine },
          ];
          const { relevance } = network.relevancePlan({ ...everywhere(rule.engine), assignments }).run(start);
          const composite = {
            ...uniform(rule.oracle),
            linear: (node: NodeDefinition) => (node.op === "dense" ? epsilon(0.01) : rule.oracle),
          };
          const expected = explain(definition, parameters, x, start, composite).relevance.get("input")!;
          // The head's weights cancel, so its divisor magnifies the logits' rounding.
          assertClose(relevance.data, expected, 5 * tolerance * largest(expected), name);
        }
      });
    }
  }
});
