import * as assert from "uvu/assert";
import type { NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import type { Composite } from "../../engine/rules/composite.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { type LayerCase, layerCases } from "../cases/layer-kinds.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { fillValues } from "../cases/values.ts";
import { evaluate } from "../oracle/graph.ts";
import { type Composite64, composites64 } from "../oracle/relevance/composites.ts";
import { epsilon } from "../oracle/relevance/fractions.ts";
import { explain } from "../oracle/relevance/graph.ts";
import { count, total } from "../oracle/tensor64.ts";
import { assertClose } from "../support/close.ts";
import { boundNetwork, forward } from "../support/engine.ts";
import { suite } from "../support/suite.ts";

/**
 * The layer behind inputs cut out of one vector, with convolutions that pad beside and behind it, so that feature maps have borders; both
 * outputs side by side, so that relevance of any start reaches both.
 */
function around({ node, inputs }: LayerCase): NetworkDefinition {
  const length = inputs.reduce((sum, shape) => sum + count(shape), 0);
  const nodes: NodeDefinition[] = [];
  let begin = 0;
  for (const [k, shape] of inputs.entries()) {
    const channels = Array.from({ length: count(shape) }, (_, i) => begin + i);
    begin += channels.length;
    nodes.push({ name: `part${k}`, inputs: ["input"], op: "take", channels });
    nodes.push({ name: `image${k}`, inputs: [`part${k}`], op: "reshape", shape });
  }
  nodes.push({ name: "node", inputs: inputs.map((_, k) => `image${k}`), ...node } as NodeDefinition); // a stage of one kind, completed
  const isVector = inputs[0]?.length === 1 || (node.op === "permute" && node.shape.length === 1);
  const isImage = !isVector;
  const conv = { op: "conv2d", outChannels: 2, kernelShape: [3, 3], pads: [1, 1, 1, 1] } as const;
  if (isImage) nodes.push({ name: "behind", inputs: ["node"], ...conv, weight: "behind" });
  if (isImage) nodes.push({ name: "beside", inputs: ["image0"], ...conv, weight: "beside" });
  const ends = isImage ? ["node", "behind", "beside"] : ["node"];
  for (const end of ends) nodes.push({ name: `${end} flat`, inputs: [end], op: "flatten" });
  nodes.push({ name: "all", inputs: ends.map((end) => `${end} flat`), op: "concat" });
  return { name: "around", inputShape: [length, 1, 1], nodes, output: "all", preprocessing: plainPreprocessing };
}

function parametersOf(definition: NetworkDefinition): Map<string, Float32Array> {
  return new Map(
    networkParameters(definition).map(
      ({ name, shape }, k) => [name, fillValues(count(shape), "uniform", 70 + k)] as const,
    ),
  );
}

const gradient = compositeByName("gradient");
const base = composites64["gradient"]!;

/** Rules of layers without weights, side by side in the engine and in the oracle; convolutions always have the gradient. */
const pairs: readonly [name: string, engine: Composite, oracle: Composite64][] = [
  ["gradient", gradient, base],
  ["guided", { ...gradient, activation: "guided" }, { ...base, activation: "guided" }],
  ["deconvnet", { ...gradient, activation: "deconvnet" }, { ...base, activation: "deconvnet" }],
  [
    "LRP",
    { ...gradient, activation: "pass", sum: "norm", normStabilizer: 0.25, product: "gate", lrn: "identity" },
    { ...base, activation: "pass", sum: epsilon(0.25), product: "gate", lrn: "identity" },
  ],
  [
    "uniform",
    { ...gradient, activation: "pass", product: "uniform" },
    { ...base, activation: "pass", product: "uniform" },
  ],
];

suite("layer kinds against their float64 twins", (test) => {
  for (const [seed, c] of layerCases.entries()) {
    const definition = around(c);
    const parameters = parametersOf(definition);
    const input = fillValues(definition.inputShape[0]!, c.fill, seed);
    test(`${c.node.op}, forward: ${c.reason}`, () => {
      const expected = evaluate(definition, parameters, input).get("all")!.data;
      const largest = Math.max(...expected.map(Math.abs));
      assertClose(forward(boundNetwork(definition, parameters), input), expected, 1e-6 * largest, `seed ${seed}`);
    });
    for (const [name, composite, composite64] of pairs) {
      test(`${c.node.op}, ${name}: ${c.reason}`, () => {
        const network = boundNetwork(definition, parameters);
        const start = fillValues(forward(network, input).length, "uniform", seed + 1000);
        const { relevance, ledger } = network.relevancePlan(composite).run(start);
        const expected = explain(definition, parameters, input, start, composite64).relevance.get("input")!;
        const largest = Math.max(...expected.map(Math.abs));
        assertClose(relevance.data, expected, 5e-6 * largest, `seed ${seed}`);
        for (const row of ledger) {
          const sum = row.relevanceIn + row.bias + row.stabilizer + row.dropped;
          assert.ok(Math.abs(row.relevanceOut - sum) <= 1e-5 * total(start.map(Math.abs)), `${row.layer}: ledger`);
        }
      });
    }
  }
});
