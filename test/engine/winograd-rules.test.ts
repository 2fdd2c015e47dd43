import type { NodeDefinition } from "../../engine/graph.ts";
import * as engine from "../../engine/rules.ts";
import { fillValues } from "../cases/values.ts";
import { conv2d } from "../oracle/conv2d.ts";
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
import { assertClose } from "../support/close.ts";
import { everywhere } from "../support/composites.ts";
import { boundNetwork, forward, singleNode } from "../support/engine.ts";
import { suite } from "../support/suite.ts";

// A layer large enough for Winograd's algorithm, on inputs as sparse as those behind ReLUs and pools. Relevance is 0 where
// the output is not positive, as it is in networks of ReLUs.
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
  /** Relative to the largest |R|. */
  readonly tolerance: number;
}

const rules: Record<string, Row> = {
  "epsilon .25": { engine: engine.epsilon(0.25), oracle: epsilon(0.25), tolerance: 1e-5 },
  zPlus: { engine: engine.zPlus(), oracle: zPlus(), tolerance: 1e-5 },
  "zPlus, no stabiliser": { engine: engine.zPlus(0), oracle: zPlus(0), tolerance: 1e-5 },
  gamma: { engine: engine.gamma(), oracle: gamma(), tolerance: 1e-5 },
  wSquare: { engine: engine.wSquare(), oracle: wSquare(), tolerance: 1e-5 },
  flat: { engine: engine.flat(), oracle: flat(), tolerance: 1e-5 },
  // Known: where no product is negative, the negative side's divisor is the stabiliser, and a million times R goes through the
  // transforms, whose rounding reaches the neighbours.
  alphaBeta: { engine: engine.alphaBeta(2, 1), oracle: alphaBeta(2, 1), tolerance: 1e-2 },
};

suite("rules on layers of Winograd's size", (test) => {
  for (const zeros of [0, 0.5, 0.9, 0.99]) {
    test(`${100 * zeros} % of the input 0`, () => {
      const keep = fillValues(count, "uniform", 77);
      const x = fillValues(count, "uniform", 1).map((v, i) => ((keep[i]! + 1) / 2 < zeros ? 0 : Math.abs(v)));
      const weight = fillValues(32 * 32 * 9, "uniform", 2).map((w) => 0.1 * w);
      const bias = fillValues(32, "uniform", 3).map((b) => 0.1 * b);
      const node = { op: "conv2d", outChannels: 32, kernelShape: [3, 3], pads: [1, 1, 1, 1] } as const;
      const single = singleNode([32, 20, 20], { ...node, weight: "weight", bias: "bias" });
      const flatten: NodeDefinition = { name: "flatten", inputs: ["node"], op: "flatten" };
      const definition = { ...single, nodes: [...single.nodes, flatten], output: "flatten" };
      const parameters = new Map([
        ["weight", weight],
        ["bias", bias],
      ]);
      const network = boundNetwork(definition, parameters);
      forward(network, x);
      const y = conv2d(g, x, weight, bias);
      const start = fillValues(count, "uniform", 9).map((r, i) => r * Math.max(y[i]!, 0));
      const layer = conv2dLayer(g, count, weight, bias);
      for (const [name, rule] of Object.entries(rules)) {
        const { relevance } = network.relevancePlan(everywhere(rule.engine)).run(start);
        const expected = propagateLinear(layer, x, start, rule.oracle).relevance;
        const largest = expected.reduce((max, each) => Math.max(max, Math.abs(each)), 0);
        assertClose(relevance.data, expected, rule.tolerance * largest, name);
      }
    });
  }
});
