import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { explain } from "../../engine/explain.ts";
import type { Kernels } from "../../engine/memory/kernels.ts";
import type { Network } from "../../engine/network/network.ts";
import type { Composite } from "../../engine/rules/composite.ts";
import { compositeByName, compositeNames } from "../../engine/rules/composites.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import type { SeededNetName } from "../../test/cases/seeded-nets.ts";
import { checked, correlation } from "../measure/difference.ts";
import { type Effort, measure } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";
import { buildSeeded, topStart } from "../nets/seeded.ts";
import { readShapes } from "../nets/shapes.ts";

const shapeFile: Readonly<Record<SeededNetName, string>> = {
  alexnet: "alexnet",
  bvlc_alexnet: "alexnet-bvlc",
  vgg16: "vgg16",
};

/** Multiplications and additions of one forward pass. */
export function forwardFlop(name: SeededNetName): number {
  return readShapes(shapeFile[name]).reduce((sum, { flop }) => sum + flop, 0);
}

/** zennit has no rule for LRN and so takes its gradient: what its EpsilonPlus is compared with where a network has LRN. */
export const epsilonPlusLrnGradient: Composite = {
  ...compositeByName("epsilonPlus"),
  name: "epsilonPlus, LRN by gradient",
  lrn: "gradient",
};

/** What every network is measured with, and at every number of threads. */
export function headlineComposites(name: SeededNetName): Composite[] {
  const both = ["li2019", "epsilonPlus"].map(compositeByName);
  return name === "bvlc_alexnet" ? [...both, epsilonPlusLrnGradient] : both;
}

/** What a network is measured with on one thread beside that: AlexNet with every composite there is. */
export function furtherComposites(name: SeededNetName, effort: Effort): Composite[] {
  const names = {
    alexnet: compositeNames(),
    bvlc_alexnet: [],
    vgg16: ["epsilonGammaBox", "epsilonAlpha2Beta1", "captumEpsilon", "gradient", "guidedBackprop"],
  }[name];
  const headline = headlineComposites(name);
  const others = names.filter((each) => headline.every((composite) => composite.name !== each));
  return others.slice(0, effort.once ? 1 : undefined).map(compositeByName);
}

/** What a network computed, for others to be checked against. */
export interface Computed {
  readonly logits: Float32Array;
  /** Relevance maps by composite. */
  readonly maps: ReadonlyMap<string, Float32Array>;
}

// Plans stay in a network's memory, which ends at 4 GiB; one plan of VGG-16 takes up to 1.2.
const fullBytes = 2 * 2 ** 30;

/** Calls `visit` with a network that has run and each composite; a network whose memory is full gives way to a fresh one. */
function eachComposite(
  build: () => ReturnType<typeof buildSeeded>,
  composites: readonly Composite[],
  visit: (network: Network, input: Tensor, start: Float32Array, composite: Composite) => void,
): void {
  let built = build();
  for (const composite of composites) {
    if (built.network.kernels.arena.usedBytes > fullBytes) built = build();
    const { network, input } = built;
    visit(network, input, topStart(network.forward(input).data), composite);
  }
}

/** Logits and maps by the direct algorithm; its network is garbage afterwards, so that two never stay in memory. */
export function computeDirect(
  module: WebAssembly.Module,
  name: SeededNetName,
  composites: readonly Composite[],
): Computed {
  const maps = new Map<string, Float32Array>();
  let logits: Float32Array = new Float32Array();
  const build = () => buildSeeded(module, name, { algorithm: "direct" });
  eachComposite(build, composites, (network, input, start, composite) => {
    logits = network.forward(input).data;
    maps.set(composite.name, network.relevancePlan(composite).run(start).relevance.data);
  });
  return { logits, maps };
}

/** What results are compared with, what that is called, and how far off logits and maps may be. */
export interface Reference extends Computed {
  readonly name: string;
  readonly logitsTolerance: number;
  readonly mapTolerance: number;
}

/** Composites one after another, each with its forward pass. */
export function benchComposites(
  module: WebAssembly.Module,
  name: SeededNetName,
  effort: Effort,
  composites: readonly Composite[],
  reference: Reference,
): { results: Result[]; maps: ReadonlyMap<string, Float32Array> } {
  const results: Result[] = [];
  const maps = new Map<string, Float32Array>();
  const build = () => buildSeeded(module, name);
  eachComposite(build, composites, (network, input, start, composite) => {
    const plan = network.relevancePlan(composite);
    const map = plan.run(start).relevance.data;
    maps.set(composite.name, map);
    const expected = reference.maps.get(composite.name) ?? [];
    const check = checked(`${name} ${composite.name}`, map, expected, reference.name, reference.mapTolerance);
    const timing = measure(effort, () => {
      network.forward(input);
      plan.run(start);
    });
    results.push({ group: name, by: "srmap", threads: 1, name: composite.name, check, timing });
  });
  return { results, maps };
}

/** A whole network: forward, headline composites, SR step, explanation, memory. */
export function benchNetwork(
  kernels: Kernels,
  name: SeededNetName,
  effort: Effort,
  reference: Reference,
): { results: Result[]; computed: Computed } {
  const { threads } = kernels;
  const { network, input, loadMs } = buildSeeded(kernels, name);
  const logits = network.forward(input).data;
  const common = { group: name, by: "srmap", threads };
  const check = checked(`${name} logits`, logits, reference.logits, reference.name, reference.logitsTolerance);
  const forward = measure(effort, () => void network.forward(input));
  const results: Result[] = [
    { ...common, name: "load", value: loadMs, unit: "ms" },
    { ...common, name: "forward", check, flop: forwardFlop(name), timing: forward },
  ];
  const maps = new Map<string, Float32Array>();
  const start = topStart(logits);
  const composites = headlineComposites(name);
  for (const composite of composites) {
    const plan = network.relevancePlan(composite);
    const map = plan.run(start).relevance.data;
    maps.set(composite.name, map);
    const expected = reference.maps.get(composite.name) ?? [];
    const mapCheck = checked(`${name} ${composite.name}`, map, expected, reference.name, reference.mapTolerance);
    const whole = measure(effort, () => {
      network.forward(input);
      plan.run(start);
    });
    results.push({ ...common, name: composite.name, check: mapCheck, timing: whole });
    if (composite.name === "li2019" || composite.name === "epsilonPlus") {
      const alone = measure(effort, () => void plan.run(start));
      results.push({ ...common, name: `${composite.name} without forward`, check: mapCheck, timing: alone });
    }
  }
  const map = maps.get("li2019");
  if (map) {
    const relevance = tensor(network.definition.inputShape, map);
    const [exact, fast] = (["exact", "fast"] as const).map((mode) => salientRelevance(kernels, relevance, { mode }));
    const alike = exact && fast ? correlation(exact.map.data, fast.map.data) : Number.NaN;
    if (!(alike > 0.99)) throw new Error(`${name}: exact and fast SR maps correlate by ${alike} only.`);
    for (const mode of ["exact", "fast"] as const) {
      const timing = measure(effort, () => void salientRelevance(kernels, relevance, { mode }));
      const srCheck = `exact and fast correlate by ${alike.toFixed(5)}`;
      results.push({ ...common, name: `SR step, ${mode}`, check: srCheck, timing });
    }
    const explained = explain(network, input, { composite: "li2019" });
    const same = checked(`${name} explanation`, explained.relevance.data, map, "relevance alone", 0);
    const timing = measure(effort, () => void explain(network, input, { composite: "li2019" }));
    results.push({ ...common, name: "explanation", check: same, timing });
  }
  const arenaMiB = kernels.arena.usedBytes / 2 ** 20;
  results.push({
    ...common,
    name: `kernel memory, ${composites.length} composites planned`,
    value: arenaMiB,
    unit: "MiB",
  });
  return { results, computed: { logits, maps } };
}
