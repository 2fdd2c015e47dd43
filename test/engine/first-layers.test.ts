import * as assert from "uvu/assert";
import type { NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";
import { checkRequest } from "../../engine/request/check.ts";
import { compositeFromSpec } from "../../engine/rules/composite-spec.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { seededNetworkInput, seededNetworkParameters } from "../cases/parameters.ts";
import { evaluate } from "../oracle/graph.ts";
import { type Composite64, composites64, epsilonGammaBox } from "../oracle/relevance/composites.ts";
import { explain } from "../oracle/relevance/graph.ts";
import { assertClose } from "../support/close.ts";
import { boundNetwork, forward } from "../support/engine.ts";
import { sensitivity } from "../support/sensitivity.ts";
import { suite } from "../support/suite.ts";

const batchNorm = (name: string, from: string): NodeDefinition => ({
  name,
  inputs: [from],
  op: "batchNorm",
  epsilon: 1e-5,
  scale: `${name}.scale`,
  bias: `${name}.bias`,
  mean: `${name}.mean`,
  variance: `${name}.variance`,
});

const conv = (name: string, from: string): NodeDefinition => ({
  name,
  inputs: [from],
  op: "conv2d",
  outChannels: 4,
  kernelShape: [3, 3],
  pads: [1, 1, 1, 1],
  weight: `${name}.weight`,
  bias: `${name}.bias`,
});

const ending = (from: string): NodeDefinition[] => [
  { name: "positive", inputs: [from], op: "relu" },
  { ...conv("later", "positive") },
  { name: "later positive", inputs: ["later"], op: "relu" },
  { name: "flat", inputs: ["later positive"], op: "flatten" },
  { name: "scores", inputs: ["flat"], op: "dense", outFeatures: 3, weight: "scores.weight", bias: "scores.bias" },
];

/** Networks whose first convolution reads `box`, with a reason each. */
const cases: readonly { readonly reason: string; readonly box: string; readonly nodes: readonly NodeDefinition[] }[] = [
  {
    reason: "a batch norm",
    box: "norm",
    nodes: [batchNorm("norm", "input"), conv("first", "norm"), ...ending("first")],
  },
  {
    reason: "two batch norms, the second of which is not folded",
    box: "again",
    nodes: [batchNorm("norm", "input"), batchNorm("again", "norm"), conv("first", "again"), ...ending("first")],
  },
  {
    reason: "a clip and a max pool between two batch norms",
    box: "again",
    nodes: [
      batchNorm("norm", "input"),
      { name: "clipped", inputs: ["norm"], op: "clip", low: -1, high: 1.5 },
      { name: "pooled", inputs: ["clipped"], op: "maxPool2d", kernelShape: [2, 2] },
      batchNorm("again", "pooled"),
      conv("first", "again"),
      ...ending("first"),
    ],
  },
  {
    reason: "channels in another order behind the batch norm, beside the pixels as they are",
    box: "both",
    nodes: [
      batchNorm("norm", "input"),
      { name: "turned", inputs: ["norm"], op: "take", channels: [2, 0, 1] },
      { name: "both", inputs: ["turned", "input"], op: "concat" },
      conv("first", "both"),
      ...ending("first"),
    ],
  },
];

const definitionOf = (nodes: readonly NodeDefinition[]): NetworkDefinition => ({
  name: "first layers",
  inputShape: [3, 6, 5],
  nodes,
  output: "scores",
  preprocessing: plainPreprocessing,
});

type Parameters = ReadonlyMap<string, Float64Array>;

/** Bounds of what `box` holds: of its values for the darkest and the brightest picture, since all before it is monotone. */
function boxOf(definition: NetworkDefinition, parameters: Parameters, box: string): [low: number[], high: number[]] {
  const { mean, std, scale } = plainPreprocessing;
  const [low, high] = [0, 255].map((pixel) => {
    const picture = Float64Array.from({ length: 90 }, (_, i) => {
      const c = Math.floor(i / 30);
      return (pixel * scale - mean[c]!) / std[c]!;
    });
    const { shape, data } = evaluate(definition, parameters, picture).get(box)!;
    return Array.from({ length: shape[0]! }, (_, c) => data[c * shape[1]! * shape[2]!]!);
  }) as [number[], number[]];
  return [low.map((v, c) => Math.min(v, high[c]!)), low.map((v, c) => Math.max(v, high[c]!))];
}

function oracleOf(name: string, definition: NetworkDefinition, parameters: Parameters, box: string): Composite64 {
  return name === "epsilonGammaBox" ? epsilonGammaBox(...boxOf(definition, parameters, box)) : composites64[name]!;
}

const zennits = ["epsilonPlus", "epsilonPlusFlat", "epsilonGammaBox", "epsilonAlpha2Beta1", "epsilonAlpha2Beta1Flat"];

suite("engine/first layers", (test) => {
  for (const [seed, { reason, box, nodes }] of cases.entries()) {
    test(`zennit's composites where the first convolution stands behind ${reason}`, () => {
      const definition = definitionOf(nodes);
      const parameters = new Map(seededNetworkParameters(definition, seed));
      // A channel turned over and one of a single value.
      const scale = parameters.get("norm.scale")!;
      parameters.set("norm.scale", Float32Array.from([-scale[0]!, scale[1]!, 0]));
      const input = seededNetworkInput(definition, seed);
      const network = boundNetwork(definition, parameters);
      const start = forward(network, input);
      for (const name of zennits) {
        const { relevance } = network.relevancePlan(compositeByName(name)).run(start);
        const map = sensitivity(
          parameters,
          input,
          (p, x) => explain(definition, p, x, start, oracleOf(name, definition, p, box)).relevance.get("input")!,
        );
        assertClose(relevance.data, map.exact, map.tolerance, `${name}, seed ${seed}`);
      }
    });
  }

  test("the ledger tells zBox at the first convolution, not at the batch norm", () => {
    const definition = definitionOf(cases[0]!.nodes);
    const network = boundNetwork(definition, seededNetworkParameters(definition, 0));
    const start = forward(network, seededNetworkInput(definition, 0));
    const rules = (name: string): string[] =>
      network
        .relevancePlan(compositeByName(name))
        .run(start)
        .ledger.map(({ rule }) => rule)
        .slice(-2);
    assert.equal(rules("epsilonGammaBox"), ["zBox", "pass"]);
    assert.equal(rules("epsilonPlusFlat"), ["flat", "pass"]);
  });

  test("a position means a batch norm only where op names it", () => {
    const definition = definitionOf(cases[1]!.nodes);
    const network = boundNetwork(definition, seededNetworkParameters(definition, 0));
    const start = forward(network, seededNetworkInput(definition, 0));
    const rules = (match: object): string[] => {
      const assignments = [{ match, rule: "wSquare" }];
      const composite = compositeFromSpec({ base: "lrp0", assignments });
      const { ledger } = network.relevancePlan(composite).run(start);
      return ledger.filter(({ rule }) => rule === "wSquare").map(({ layer }) => layer);
    };
    assert.equal(rules({ position: "first" }), ["first"]);
    assert.equal(rules({ position: "last" }), ["scores"]);
    assert.equal(rules({ op: "batchNorm", position: "first" }), ["again", "norm"]);
    assert.equal(rules({ op: "batchNorm", position: "last" }), []);
  });

  test("a box that weights decide is not refused before they are there, one that nothing decides is", () => {
    const composite = compositeByName("epsilonGammaBox");
    const check = (nodes: readonly NodeDefinition[], changes: Partial<NetworkDefinition> = {}): void => {
      const definition = { ...definitionOf(nodes), ...changes };
      checkRequest(boundNetwork(definition, seededNetworkParameters(definition, 0)).graph, { composite, targets: [0] });
    };
    const [{ nodes }] = cases as [(typeof cases)[number]];
    check(nodes);
    const bent: NodeDefinition = { name: "norm", inputs: ["input"], op: "activation", function: "tanh" };
    assert.throws(
      () => check([bent, ...nodes.slice(1)]),
      (error: Error) =>
        `${error.name}: ${error.message}` ===
        'RangeError: rule "zBox": conv2d "first" does not read the pixels, so its box is not known. Give low and high with one bound per input channel.',
    );
    const { preprocessing: _, ...bare } = definitionOf(nodes);
    assert.throws(
      () => checkRequest(boundNetwork(bare, seededNetworkParameters(bare, 0)).graph, { composite, targets: [0] }),
      (error: Error) =>
        `${error.name}: ${error.message}` ===
        'RangeError: rule "zBox": nobody says how photos are prepared for this network, so the box of conv2d "first" is not known. Name the preprocessing, or give low and high with one bound per input channel.',
    );
  });
});
