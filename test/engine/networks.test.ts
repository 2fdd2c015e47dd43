import * as assert from "uvu/assert";
import { type Composite, compositeByName } from "../../engine/composites.ts";
import type { NetworkDefinition } from "../../engine/graph.ts";
import type { LedgerRow } from "../../engine/ledger.ts";
import { networkCase, networkCases } from "../cases/networks.ts";
import { seededNetworkInput, seededNetworkParameters } from "../cases/parameters.ts";
import { evaluate } from "../oracle/graph.ts";
import { type Composite64, composites64, epsilonGammaBox, uniform } from "../oracle/relevance/composites.ts";
import { epsilon, gamma, wSquare } from "../oracle/relevance/fractions.ts";
import { explain, logitsNode } from "../oracle/relevance/graph.ts";
import { total } from "../oracle/tensor64.ts";
import { boxHigh, boxLow, type ReferenceNetwork, referenceNetworks } from "../reference/networks.ts";
import { assertClose } from "../support/close.ts";
import { boundNetwork, forward } from "../support/engine.ts";
import { type GoldenArray, readGolden } from "../support/reference-maps.ts";
import { compositesAsData } from "../support/rules-as-data.ts";
import { sensitivity } from "../support/sensitivity.ts";
import { suite } from "../support/suite.ts";

/** The oracle's map for the class that the float64 logits favour. */
function oracleMap(
  definition: NetworkDefinition,
  parameters: ReadonlyMap<string, Float64Array>,
  input: Float64Array,
  target: number,
  composite: Composite64,
): Float64Array {
  const logits = evaluate(definition, parameters, input).get(logitsNode(definition))!.data;
  const start = logits.map((logit, k) => (k === target ? logit : 0));
  return explain(definition, parameters, input, start, composite).relevance.get("input")!;
}

function assertAddsUp(ledger: readonly LedgerRow[], tolerance: number, what: string): void {
  for (const row of ledger) {
    const sum = row.relevanceIn + row.bias + row.stabilizer + row.dropped;
    assertClose([sum], [row.relevanceOut], tolerance, `${what}: ledger of ${row.layer}`);
  }
}

interface Pair {
  readonly engine: Composite;
  readonly oracle: Composite64;
}

function pairs(channels: number): Record<string, Pair> {
  const low = boxLow.slice(0, channels);
  const high = boxHigh.slice(0, channels);
  const data = compositesAsData(low, high);
  const oracles: Record<string, Composite64> = {
    ...composites64,
    epsilonGammaBox: epsilonGammaBox(low, high),
    // The data below has no word for "activations keep their gradient"; on ReLU alone it makes no difference.
    excitationBackprop: { ...composites64["excitationBackprop"]!, activation: "pass" },
    "epsilon, 1e-9": uniform(epsilon(1e-9)),
    "gamma, 1": uniform(gamma(1)),
    wSquare: uniform(wSquare()),
  };
  const named: Record<string, Pair> = {
    li2019: { engine: compositeByName("li2019"), oracle: oracles["li2019"]! },
    li2019Overwrite: {
      engine: compositeByName("li2019Overwrite"),
      oracle: { ...oracles["li2019"]!, maxPool: "overwrite" },
    },
    "epsilonPlus, ties shared": {
      engine: { ...compositeByName("epsilonPlus"), maxPool: "shared" },
      oracle: { ...oracles["epsilonPlus"]!, maxPool: "tiesShared" },
    },
    "epsilonPlus, lrn taylor": {
      engine: { ...compositeByName("epsilonPlus"), lrn: "taylor" },
      oracle: { ...oracles["epsilonPlus"]!, lrn: "taylor", lrnStabilizer: 0 },
    },
  };
  for (const [name, composite] of Object.entries(data)) named[name] = { engine: composite, oracle: oracles[name]! };
  return named;
}

/** @returns how many of zennit's maps it was compared with */
function checkNetwork(
  { definition, parameters, input }: ReferenceNetwork,
  zennit = new Map<string, GoldenArray>(),
): number {
  const network = boundNetwork(definition, parameters);
  const logits = forward(network, input);
  const expected = sensitivity(
    parameters,
    input,
    (p, x) => evaluate(definition, p, x).get(logitsNode(definition))!.data,
  );
  assertClose(logits, expected.exact, expected.tolerance, `${definition.name}: logits`);
  const largest = Math.max(...expected.exact);
  const target = expected.exact.indexOf(largest);
  const start = new Float32Array(logits.length);
  start[target] = logits[target]!;
  let compared = 0;
  let vague = 0;
  for (const [name, pair] of Object.entries(pairs(definition.inputShape[0]!))) {
    if (name.includes("lrn") && !definition.nodes.some((node) => node.op === "lrn")) continue;
    const what = `${definition.name}, ${name}`;
    const { relevance, ledger } = network.relevancePlan(pair.engine).run(start);
    const map = sensitivity(parameters, input, (p, x) => oracleMap(definition, p, x, target, pair.oracle));
    const size = map.exact.reduce((max, each) => Math.max(max, Math.abs(each)), 0);
    if (map.tolerance > 1e-2 * size) vague++;
    assertClose(relevance.data, map.exact, map.tolerance, what);
    const golden = zennit.get(`${definition.name} | zennit | ${name}`);
    if (golden !== undefined) {
      assertClose(relevance.data, golden.data, map.tolerance, `${what}, zennit`);
      compared++;
    }
    const again = network.relevancePlan(pair.engine).run(start);
    assert.equal(again.relevance.data, relevance.data, `${what}: the second run differs`);
    // Known: gated branches count relevance as dropped that the other branch has (rules.test.ts).
    if (pair.engine.assignments.some(({ rule }) => rule.branches.some((branch) => branch.gate !== 0))) continue;
    const scale = map.exact.length * map.tolerance + 1e-6 * largest;
    assertAddsUp(ledger, scale, what);
    const absorbed = ledger.reduce((sum, row) => sum + row.bias + row.stabilizer + row.dropped, 0);
    assertClose([total(relevance.data) + absorbed], [start[target]!], scale, `${what}: map and ledger`);
  }
  // An ill-conditioned map now and then (small sums in an add) says nothing; it must stay the exception.
  assert.ok(vague <= 1, `${definition.name}: ${vague} maps are too sensitive to be compared`);
  return compared;
}

const goldens = readGolden("references/maps.safetensors");

suite("small networks against oracles and zennit", (test) => {
  for (const reference of referenceNetworks) {
    test(`${reference.definition.name}: logits, every composite, zennit's maps, ledger`, () => {
      const compared = checkNetwork(reference, goldens);
      assert.ok(compared >= 10, `${compared} maps compared`);
    });
  }

  for (const seed of [1, 2, 3]) {
    test(`every network case with other parameters, seed ${seed}`, () => {
      for (const { definition } of networkCases) {
        const parameters = seededNetworkParameters(definition, seed);
        checkNetwork({ definition, parameters, input: seededNetworkInput(definition, seed), start: undefined });
      }
    });
  }

  test("a rebuilt network gives the same bytes", () => {
    const definition = networkCase("inception");
    const parameters = seededNetworkParameters(definition, 6);
    const input = seededNetworkInput(definition, 6);
    const maps = [1, 2].map(() => {
      const network = boundNetwork(definition, parameters);
      const start = forward(network, input);
      return network.relevancePlan(compositeByName("epsilonPlus")).run(start).relevance.data;
    });
    assert.equal(maps[0], maps[1]);
  });
});
