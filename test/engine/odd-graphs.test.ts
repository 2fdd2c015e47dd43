import * as assert from "uvu/assert";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { oddGraph } from "../cases/odd-graph.ts";
import { seededNetworkInput, seededNetworkParameters } from "../cases/parameters.ts";
import { composites64 } from "../oracle/relevance/composites.ts";
import { explain } from "../oracle/relevance/graph.ts";
import { total } from "../oracle/tensor64.ts";
import { assertClose } from "../support/close.ts";
import { boundNetwork, forward } from "../support/engine.ts";
import { type Rng, rng } from "../support/rng.ts";
import { sensitivity } from "../support/sensitivity.ts";
import { suite } from "../support/suite.ts";

const names = [
  "li2019",
  "epsilonPlus",
  "epsilonPlusFlat",
  "epsilonAlpha2Beta1",
  "captumEpsilon",
  "gradient",
  "guidedBackprop",
  "excitationBackprop",
];

type Network = ReturnType<typeof boundNetwork>;

/** Where relevance starts: the logits, and a channel of a layer in the middle. */
function startsOf(network: Network, logits: Float32Array, random: Rng): Map<string, Float32Array> {
  const starts = new Map([[network.definition.output, logits]]);
  const inner = network.layers.slice(0, -2).filter(({ layer }) => network.graph.fates.get(layer.name)?.kind === "own");
  const chosen = inner[random.integer(0, inner.length - 1)];
  if (chosen === undefined) return starts;
  const { layer } = chosen;
  const { shape, data } = network.memory.readFeatureMap(layer.output);
  const area = data.length / shape[0]!;
  const channel = random.integer(0, shape[0]! - 1);
  starts.set(
    layer.name,
    data.map((value, i) => (Math.floor(i / area) === channel ? value : 0)),
  );
  return starts;
}

/** A channel of the input and the weights of one output of some convolutions become zeros. */
function withZeros(definition: NetworkDefinition, seed: number, random: Rng) {
  const parameters = seededNetworkParameters(definition, seed);
  for (const node of definition.nodes) {
    if (node.op !== "conv2d" || random.integer(0, 2) > 0) continue;
    const weights = parameters.get(node.weight)!;
    weights.fill(0, 0, weights.length / node.outChannels);
  }
  const input = seededNetworkInput(definition, seed);
  if (random.integer(0, 2) === 0) input.fill(0, 30, 60);
  return { parameters, input };
}

suite("odd graphs against the float64 twin", (test) => {
  test("every composite from the logits and from a channel in the middle, 60 graphs", () => {
    let [compared, vague] = [0, 0];
    for (let seed = 1; seed <= 60; seed++) {
      const random = rng(seed);
      const definition = oddGraph(random);
      const { parameters, input } = withZeros(definition, seed, random);
      const network = boundNetwork(definition, parameters);
      const starts = startsOf(network, forward(network, input), random);
      for (const [from, start] of starts) {
        const id = network.graph.fates.get(from)!.value!;
        for (const name of names) {
          const { relevance, ledger } = network.relevancePlan(compositeByName(name), id).run(start);
          const map = sensitivity(parameters, input, (p, x) => {
            const found = explain(definition, p, x, start, composites64[name]!, from).relevance.get("input");
            return found ?? new Float64Array(input.length);
          });
          const size = Math.max(...map.exact.map(Math.abs));
          if (map.tolerance > 1e-2 * size) {
            if (size > 0) vague++;
            continue;
          }
          const what = `seed ${seed}, ${name} from ${from}`;
          // Two draws of the twin's sensitivity miss some directions of large graphs.
          const tolerance = Math.max(4 * map.tolerance, 1e-5 * size);
          assertClose(relevance.data, map.exact, tolerance, what);
          const lost = ledger.reduce((sum, row) => sum + row.bias + row.stabilizer + row.dropped, 0);
          const moved = ledger.reduce((sum, row) => sum + Math.abs(row.bias) + Math.abs(row.stabilizer), 0);
          const all = Math.abs(total(start)) + moved + total(map.exact.map(Math.abs));
          assertClose([total(relevance.data) + lost], [total(start)], 1e-4 * all, `${what}: ledger`);
          compared++;
        }
      }
    }
    assert.ok(compared >= 600, `${compared} maps compared`);
    assert.ok(vague <= compared / 10, `${vague} maps are too sensitive to be compared`);
  });
});
