import * as assert from "uvu/assert";
import type { Network } from "../../engine/network/network.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { networkCase } from "../cases/networks.ts";
import { seededNetworkInput, seededNetworkParameters } from "../cases/parameters.ts";
import { randomGraph } from "../cases/random-graph.ts";
import { fillValues } from "../cases/values.ts";
import { evaluate } from "../oracle/graph.ts";
import { type Composite64, composites64, uniform } from "../oracle/relevance/composites.ts";
import { epsilon } from "../oracle/relevance/fractions.ts";
import { explain } from "../oracle/relevance/graph.ts";
import { total } from "../oracle/tensor64.ts";
import { assertClose } from "../support/close.ts";
import { boundNetwork, forward } from "../support/engine.ts";
import { sensitivity } from "../support/sensitivity.ts";
import { suite } from "../support/suite.ts";

const seeds = Array.from({ length: 60 }, (_, k) => k + 1);
const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((max, v) => Math.max(max, Math.abs(v)), 0);
const back = (network: Network, composite: string, start: Float32Array): Float32Array =>
  network.relevancePlan(compositeByName(composite)).run(start).relevance.data;

// The composites that are compared with the oracle.
const lrp0: Composite64 = uniform(epsilon(0), { sum: epsilon(0) });
const { epsilonPlus, gradient, epsilonAlpha2Beta1, guidedBackprop, captumEpsilon } = composites64;
const exact = { epsilonPlus, gradient, epsilonAlpha2Beta1, guidedBackprop, captumEpsilon, lrp0 } as Readonly<
  Record<string, Composite64>
>; // they are in the table

// Rules whose relevance is linear in what it starts from; deconvnet and guided backprop are not.
const linear = ["li2019", "epsilonPlus", "epsilonAlpha2Beta1Flat", "excitationBackprop", "gradient"];

suite("properties over random graphs", (test) => {
  for (const seed of seeds) {
    test(`random graph ${seed}: forward and relevance are the oracle's`, () => {
      const definition = randomGraph(seed);
      const parameters = seededNetworkParameters(definition, seed);
      const input = seededNetworkInput(definition, seed);
      const network = boundNetwork(definition, parameters);
      const logits = forward(network, input);
      const expected = sensitivity(
        parameters,
        input,
        (p, x) => evaluate(definition, p, x).get(definition.output)!.data,
      );
      assertClose(logits, expected.exact, expected.tolerance + 1e-6 * largest(expected.exact), `seed ${seed}: logits`);
      const start = fillValues(logits.length, "uniform", seed);
      for (const [name, composite] of Object.entries(exact)) {
        const map = sensitivity(
          parameters,
          input,
          (p, x) => explain(definition, p, x, start, composite).relevance.get("input")!,
        );
        const size = largest(map.exact);
        // Sums that cancel can make a map arbitrary: then there is nothing to compare.
        if (map.tolerance > 0.05 * size) continue;
        assertClose(back(network, name, start), map.exact, map.tolerance + 2e-6 * size, `seed ${seed}: ${name}`);
      }
    });

    test(`random graph ${seed}: linear in R, ledger, repeatable, a batch is its singles`, () => {
      const definition = randomGraph(seed);
      const parameters = seededNetworkParameters(definition, seed);
      const input = seededNetworkInput(definition, seed);
      const network = boundNetwork(definition, parameters);
      const logits = forward(network, input);
      const a = fillValues(logits.length, "uniform", seed + 1);
      const b = fillValues(logits.length, "uniform", seed + 2);
      const both = a.map((value, k) => value + b[k]!);
      for (const name of linear) {
        const [mapA, mapB, mapBoth] = [back(network, name, a), back(network, name, b), back(network, name, both)];
        // Twice R is twice the map, to the last bit: every step multiplies or adds.
        assert.equal(
          back(
            network,
            name,
            a.map((r) => 2 * r),
          ),
          mapA.map((r) => 2 * r),
          `seed ${seed}: ${name}, 2 R`,
        );
        const sums = mapA.map((r, i) => r + mapB[i]!);
        // Rounding along a dozen layers; each map is a sum of parts that may be larger than it.
        const tolerance = 2 ** -14 * (largest(mapA) + largest(mapB));
        assertClose(mapBoth, sums, tolerance, `seed ${seed}: ${name}, R1 + R2`);
        const { relevance, ledger } = network.relevancePlan(compositeByName(name)).run(a);
        const absorbed = ledger.reduce((sum, row) => sum + row.bias + row.stabilizer + row.dropped, 0);
        const scale = ledger.reduce(
          (sum, row) => sum + Math.abs(row.bias) + Math.abs(row.dropped) + Math.abs(row.stabilizer),
          0,
        );
        const size = total(relevance.data.map(Math.abs)) + total(a.map(Math.abs)) + scale;
        assertClose([total(relevance.data) + absorbed], [total(a)], 1e-4 * size, `seed ${seed}: ${name}, ledger`);
      }
      const map = back(network, "epsilonPlus", a);
      forward(network, seededNetworkInput(definition, seed + 100));
      back(network, "epsilonPlus", b);
      assert.equal(forward(network, input), logits, `seed ${seed}: logits depend on the photo before`);
      assert.equal(back(network, "epsilonPlus", a), map, `seed ${seed}: the map depends on the photo before`);
    });
  }

  test("without bias li2019's convolutions conserve: sum R in = sum R out on every layer", () => {
    for (const seed of seeds) {
      const definition = randomGraph(seed, false);
      const parameters = seededNetworkParameters(definition, seed);
      const network = boundNetwork(definition, parameters);
      forward(network, seededNetworkInput(definition, seed));
      const start = fillValues(network.classCount, "uniform", seed);
      const { ledger } = network.relevancePlan(compositeByName("lrp0")).run(start);
      for (const row of ledger) assert.is(row.bias, 0, `seed ${seed}: ${row.layer} absorbs by a bias it does not have`);
    }
  });

  test("permuting a layer's channels together with the weights that read them changes nothing beyond rounding", () => {
    const definition = networkCase("plain");
    const parameters = seededNetworkParameters(definition, 5);
    const input = seededNetworkInput(definition, 5);
    const order = [4, 2, 0, 5, 1, 3]; // of conv1's 6 channels
    const permuted = new Map(parameters);
    const rows = parameters.get("conv1.weight")!;
    permuted.set(
      "conv1.weight",
      Float32Array.from(rows, (_, k) => rows[order[Math.floor(k / 27)]! * 27 + (k % 27)]!),
    );
    permuted.set(
      "conv1.bias",
      Float32Array.from(order, (from) => parameters.get("conv1.bias")![from]!),
    );
    const readers = parameters.get("conv2.weight")!; // [9,6,3,3]
    permuted.set(
      "conv2.weight",
      Float32Array.from(readers, (_, k) => {
        const m = Math.floor(k / 54);
        const c = Math.floor((k % 54) / 9);
        return readers[m * 54 + order[c]! * 9 + (k % 9)]!;
      }),
    );
    const [plain, mixed] = [boundNetwork(definition, parameters), boundNetwork(definition, permuted)];
    const logits = forward(plain, input);
    assertClose(forward(mixed, input), logits, 2 ** -18 * largest(logits), "logits");
    for (const name of [...linear, "epsilonGammaBox", "guidedBackprop"]) {
      const map = back(plain, name, logits);
      assertClose(back(mixed, name, logits), map, 2 ** -14 * largest(map), name);
    }
  });
});
