import { compositeByName } from "../engine/composites.ts";
import { explain } from "../engine/explain.ts";
import { salientRelevance } from "../engine/salient-relevance.ts";
import type { Tensor } from "../engine/tensor.ts";
import type { SeededNetName } from "../test/cases/seeded-nets.ts";
import { type Effort, measure } from "./measure.ts";
import type { Result } from "./result.ts";
import { buildSeeded } from "./seeded.ts";
import { readShapes } from "./shapes.ts";

const shapeFile: Readonly<Record<SeededNetName, string>> = {
  alexnet: "alexnet",
  bvlc_alexnet: "alexnet-bvlc",
  vgg16: "vgg16",
};

/** Multiplications and additions of one forward pass. */
export function forwardFlop(name: SeededNetName): number {
  return readShapes(shapeFile[name]).reduce((sum, { flop }) => sum + flop, 0);
}

function relativeL2(actual: Float32Array, expected: Float32Array): number {
  let error = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(error / norm);
}

function oneHot(logits: Float32Array): Float32Array {
  const start = new Float32Array(logits.length);
  const top = logits.reduce((best, value, i) => (value > logits[best]! ? i : best), 0);
  start[top] = logits[top]!;
  return start;
}

/** What a network computed, for peers to be checked against. */
export interface Computed {
  readonly logits: Float32Array;
  readonly maps: ReadonlyMap<string, Float32Array>;
}

/** A whole network: forward, composites with and without the forward pass, SR step, explanation, memory. */
export function benchNetwork(
  module: WebAssembly.Module,
  name: SeededNetName,
  effort: Effort,
): { results: Result[]; computed: Computed } {
  const direct = directLogits(module, name);
  const { network, input, loadMs } = buildSeeded(module, name);
  const logits = network.forward(input).data;
  const off = relativeL2(logits, direct);
  if (!(off < 1e-5)) throw new Error(`${name}: auto and direct logits differ by ${off} (relative L2).`);
  const check = `direct mode ${off.toExponential(1)}`;
  const common = { group: name, by: "srmap", threads: 1, check };
  const results: Result[] = [{ ...common, name: "load", value: loadMs, unit: "ms" }];
  results.push({
    ...common,
    name: "forward",
    flop: forwardFlop(name),
    timing: measure(effort, () => void network.forward(input)),
  });
  const maps = new Map<string, Float32Array>();
  const start = oneHot(logits);
  let map: Tensor | undefined;
  for (const composite of ["li2019", "epsilonPlus"]) {
    const plan = network.relevancePlan(compositeByName(composite));
    const { relevance } = plan.run(start);
    map ??= relevance;
    maps.set(composite, relevance.data);
    results.push({
      ...common,
      name: `${composite} without forward`,
      timing: measure(effort, () => void plan.run(start)),
    });
    results.push({
      ...common,
      name: composite,
      timing: measure(effort, () => {
        network.forward(input);
        plan.run(start);
      }),
    });
  }
  const relevance = map;
  if (relevance) {
    results.push({
      ...common,
      name: "SR step",
      timing: measure(effort, () => void salientRelevance(network.kernels, relevance)),
    });
  }
  results.push({ ...common, name: "explain", timing: measure(effort, () => void explain(network, input)) });
  const arenaMiB = network.kernels.arena.usedBytes / 2 ** 20;
  results.push({ ...common, name: "kernel memory, two composites planned", value: arenaMiB, unit: "MiB" });
  return { results, computed: { logits, maps } };
}

/** Logits by the direct algorithm; its network is garbage afterwards, so that two never stay in memory. */
function directLogits(module: WebAssembly.Module, name: SeededNetName): Float32Array {
  const { network, input } = buildSeeded(module, name, { algorithm: "direct" });
  return network.forward(input).data;
}
