import * as assert from "uvu/assert";
import { FormatError, ShapeError, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, tensor } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { compileGraph } from "../../engine/network/compile.ts";
import { Network } from "../../engine/network/network.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { compositeByName, compositeNames } from "../../engine/rules/composites.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { randomGraph } from "../cases/random-graph.ts";
import { cpuMs } from "../support/fuzz.ts";
import { testKernels } from "../support/kernels.ts";
import { type Rng, rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

/** What attributes meet at their limits. */
const edges = [
  0,
  -0,
  -1,
  1,
  2,
  1.5,
  7,
  255,
  65536,
  2 ** 20,
  2 ** 31,
  2 ** 53,
  1e-40,
  1e38,
  1e300,
  Number.NaN,
  Infinity,
  -Infinity,
];
/** What parameters are made of: the usual, and what overflows, vanishes or is not a number. */
const fills: readonly ((random: Rng) => number)[] = [
  (random) => random.uniform(-0.5, 0.5),
  (random) => random.uniform(-0.5, 0.5),
  () => 0,
  (random) => random.uniform(-1e20, 1e20),
  (random) => random.uniform(-3e38, 3e38),
  (random) => random.uniform(-1e-40, 1e-40),
  (random) => (random.integer(0, 50) === 0 ? Number.NaN : random.uniform(-1, 1)),
  (random) => (random.integer(0, 50) === 0 ? Infinity : random.uniform(-1, 1)),
];
/** Elements of parameters and feature maps of a graph that is still run: beyond it only compiling is fuzzed. */
const largestRun = 300_000;
const longestMs = 1000;

/** Attributes that a node may go without. */
const optional = ["bias", "strides", "pads", "dilations", "group", "ceilMode", "countIncludePad", "scale", "region"];

type Attributes = Record<string, unknown>;

/** Changes one thing of a definition: a number, a list's length, the inputs, the output, an attribute's presence. */
function mutate(definition: NetworkDefinition, random: Rng): NetworkDefinition {
  const copy = structuredClone(definition) as { -readonly [Key in keyof NetworkDefinition]: NetworkDefinition[Key] };
  const nodes = copy.nodes as unknown as Attributes[];
  const pick = <Item>(items: readonly Item[]): Item => items[random.integer(0, items.length - 1)]!;
  const node = pick(nodes);
  switch (random.integer(0, 6)) {
    case 0:
      copy.output = String(pick(nodes)["name"]);
      break;
    case 1:
      copy.inputShape = copy.inputShape.map((size) => (random.integer(0, 2) === 0 ? pick(edges) : size));
      break;
    case 2:
      node["inputs"] = random.integer(0, 1) === 0 ? [] : [pick(nodes)["name"], pick(nodes)["name"]];
      break;
    case 3:
      if (node["op"] !== "lrn") delete node[pick(optional)]; // its bias is a number that it must have
      break;
    default: {
      const keys = Object.keys(node).filter((key) => typeof node[key] === "number" || Array.isArray(node[key]));
      const key = pick(keys);
      const value = node[key];
      if (typeof value === "number") node[key] = pick(edges);
      else if (Array.isArray(value) && key !== "inputs") {
        node[key] =
          random.integer(0, 5) === 0
            ? value.slice(1)
            : value.map((v: unknown) => (random.integer(0, 1) === 0 ? pick(edges) : v));
      }
    }
  }
  return copy;
}

/** Compiles, runs and explains; every number that comes back is checked. */
function attempt(definition: NetworkDefinition, random: Rng): "ran" | "large" {
  const graph = compileGraph(definition);
  const specs = networkParameters(definition);
  const sizes = [...specs.map(({ shape }) => shape), ...graph.values.map(({ shape }) => shape)];
  if (sizes.reduce((sum, shape) => sum + elementCount(shape), 0) > largestRun) return "large";
  const network = new Network(testKernels(), definition);
  const fill = fills[random.integer(0, fills.length - 1)]!;
  for (const { name, shape } of network.parameters) {
    network.setRows(
      name,
      0,
      Float32Array.from({ length: elementCount(shape) }, () => fill(random)),
    );
  }
  const scale = [1, 1, 1e-30, 1e30, 0][random.integer(0, 4)]!;
  const input = tensor(
    definition.inputShape,
    random.f32(elementCount(definition.inputShape)).map((v) => v * scale),
  );
  const logits = network.forward(input).data;
  assert.ok(logits.every(Number.isFinite), "logits are finite");
  const names = compositeNames();
  const { relevance, ledger } = network
    .relevancePlan(compositeByName(names[random.integer(0, names.length - 1)]!))
    .run(logits);
  assert.ok(relevance.data.every(Number.isFinite), "relevance is finite");
  for (const row of ledger) assert.ok(Number.isFinite(row.relevanceIn), `${row.layer}: relevance handed on is finite`);
  const { map } = salientRelevance(network.kernels, relevance, { feature: "gray", workSize: 24, mode: "fast" });
  assert.ok(
    map.data.every((value) => value >= 0 && value <= 1),
    "the Salient Relevance map lies in [0,1]",
  );
  return "ran";
}

/** True for errors that people can act on: our classes, with a place and no sign of a slip. */
function isRefusal(error: unknown): error is Error {
  const ours = [ShapeError, UnsupportedError, FormatError, RangeError].some((kind) => error instanceof kind);
  return ours && !/undefined|fault of srmap|Invalid (typed )?array length|call stack/i.test((error as Error).message);
}

suite("whole graphs from compiling to the map", (test) => {
  for (const changes of [0, 1, 3]) {
    test(`250 random definitions with ${changes} changes run or are refused`, () => {
      const counts = { ran: 0, large: 0, refused: 0 };
      for (let seed = 1; seed <= 250; seed++) {
        const random = rng(seed + 10_000 * changes);
        let definition = randomGraph(seed);
        for (let k = 0; k < changes; k++) definition = mutate(definition, random);
        const started = process.cpuUsage();
        try {
          counts[attempt(definition, random)]++;
        } catch (error) {
          if (!isRefusal(error)) {
            throw new Error(
              `seed ${seed}, ${changes} changes: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
            );
          }
          counts.refused++;
        }
        const ms = cpuMs(started);
        assert.ok(ms < longestMs, `seed ${seed}, ${changes} changes: took ${ms.toFixed(0)} ms`);
      }
      assert.ok(counts.ran > 40, `${counts.ran} ran`);
      assert.ok(counts.refused > 40, `${counts.refused} were refused`);
    });
  }
});
