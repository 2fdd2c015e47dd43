import { type Composite, compositeByName, compositeNames } from "../engine/composites.ts";
import { explain } from "../engine/explain.ts";
import type { Kernels } from "../engine/kernels.ts";
import { salientRelevance } from "../engine/salient-relevance.ts";
import { tensor } from "../engine/tensor.ts";
import type { SeededNetName } from "../test/cases/seeded-nets.ts";
import { checked, correlation } from "./difference.ts";
import { type Effort, measure } from "./measure.ts";
import type { Result } from "./result.ts";
import { buildSeeded, topStart } from "./seeded.ts";
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

/** What a network is measured with on one thread: AlexNet with every composite there is. */
export function measuredComposites(name: SeededNetName, effort: Effort): Composite[] {
  const more = {
    alexnet: compositeNames(),
    bvlc_alexnet: [],
    vgg16: ["epsilonGammaBox", "epsilonAlpha2Beta1", "captumEpsilon", "gradient", "guidedBackprop"],
  }[name];
  const headline = headlineComposites(name);
  const others = more.filter((each) => headline.every((composite) => composite.name !== each));
  return [...headline, ...others.slice(0, effort.once ? 1 : undefined).map(compositeByName)];
}

/** What a network computed, for others to be checked against. */
export interface Computed {
  readonly logits: Float32Array;
  /** Relevance maps by composite. */
  readonly maps: ReadonlyMap<string, Float32Array>;
}

/** Logits and maps by the direct algorithm; its network is garbage afterwards, so that two never stay in memory. */
export function computeDirect(
  module: WebAssembly.Module,
  name: SeededNetName,
  composites: readonly Composite[],
): Computed {
  const { network, input } = buildSeeded(module, name, { algorithm: "direct" });
  const logits = network.forward(input).data;
  const start = topStart(logits);
  const maps = new Map(
    composites.map((composite) => [composite.name, network.relevancePlan(composite).run(start).relevance.data]),
  );
  return { logits, maps };
}

/** What results are compared with, what that is called, and how far off logits and maps may be. */
export interface Reference extends Computed {
  readonly name: string;
  readonly logitsTolerance: number;
  readonly mapTolerance: number;
}

/** A whole network: forward, composites, SR step, explanation, memory. */
export function benchNetwork(
  kernels: Kernels,
  name: SeededNetName,
  effort: Effort,
  composites: readonly Composite[],
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
    const explained = explain(network, input);
    const same = checked(`${name} explanation`, explained.relevance.data, map, "relevance alone", 0);
    const timing = measure(effort, () => void explain(network, input));
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
