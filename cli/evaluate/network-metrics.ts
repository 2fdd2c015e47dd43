import type { Tensor } from "../../engine/basics/tensor.ts";
import {
  aopc,
  type BaselineKind,
  curveArea,
  maxSensitivity,
  type PerturbationCurve,
  type PerturbationOrder,
  parameterRandomisation,
  perturbationBaseline,
  perturbationCurve,
  type RandomisationOrder,
  randomisationSteps,
  randomLogit,
  regionPerturbationCurve,
  roadCurve,
  sensitivityN,
} from "../../evaluation/index.ts";
import { CommandError } from "../terminal/errors.ts";
import type { Measured, Measurement, Metric, Replacement } from "./metric.ts";

const ofClass = "probability of the class";
const alike = "SSIM with the trained network's map";
const likeness = "rank correlation with the trained network's map";

const nothing: Measurement = { value: Number.NaN };

/** The class's probability when the network is shown an input. */
function probability({ network, index }: Measured): (input: Tensor) => number {
  return (input) => network.probabilities(network.forward(input)).data[index] ?? Number.NaN;
}

/** 1 where the network says the class, 0 elsewhere. */
function isSaid({ network, index }: Measured): (input: Tensor) => number {
  return (input) => {
    const { data } = network.forward(input);
    return Number(data.every((logit) => logit <= data[index]!));
  };
}

const imageOf = (what: Measured, kind: BaselineKind): Tensor => perturbationBaseline(what.input, kind, what.seed);

/** Pixel by pixel from the photo to what replaces it. */
function removalCurve(what: Measured, usual: Replacement, order: PerturbationOrder): PerturbationCurve {
  const { map, input, steps, seed, baseline = usual } = what;
  if (baseline !== "linear") {
    return perturbationCurve(map, input, imageOf(what, baseline), probability(what), steps, order);
  }
  // Nothing to impute from is left at the end.
  const shares = Array.from({ length: steps }, (_, i) => i / steps);
  return roadCurve(map, input, probability(what), order, seed, shares);
}

const areaOf = (curve: PerturbationCurve): Measurement => ({ value: curveArea(curve), curve: curve.scores });
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function imageBaseline({ baseline }: Measured, usual: BaselineKind, metric: string): BaselineKind {
  if (baseline === "linear") throw new CommandError(`${metric}: knows no --baseline linear.`);
  return baseline ?? usual;
}

function road(what: Measured, order: PerturbationOrder): Measurement {
  const { scores } = roadCurve(what.map, what.input, isSaid(what), order, what.seed);
  return { value: mean(scores), curve: scores };
}

/** Parameter randomisation of all layers with parameters, one network after the other. */
async function randomise(
  what: Measured,
  order: RandomisationOrder,
  measure: "rankCorrelation" | "ssim",
): Promise<Measurement> {
  const { map, width, remake, randomised } = what;
  if (remake === undefined) return nothing;
  const steps = randomisationSteps(randomised.layers, order);
  const maps = new Map<readonly string[], Float64Array>();
  for (const step of steps) maps.set(step, remake({ network: await randomised.load(step) }));
  const found = parameterRandomisation(map, width, steps, (step) => maps.get(step) ?? map);
  const curve = [1, ...found.map((step) => step[measure])];
  // A constant map has no rank correlation: the mean is of the others.
  return { value: mean(curve.slice(1).filter((value) => !Number.isNaN(value))), curve };
}

/** The metrics that ask the network. */
export const networkMetrics: Readonly<Record<string, Metric>> = {
  deletion: {
    help: "area under the class's probability while the pixels, largest values first, go to the mean colour",
    axes: { first: "the photo", last: "all pixels replaced", measured: ofClass },
    isMoreBetter: false,
    measure: (what) => areaOf(removalCurve(what, "mean", "most")),
  },
  insertion: {
    help: "area under the class's probability while the pixels, largest values first, come back into the blurred photo",
    axes: { first: "the blurred photo", last: "all pixels back", measured: ofClass },
    isMoreBetter: true,
    measure(what) {
      const { map, input, steps } = what;
      const from = imageOf(what, imageBaseline(what, "blur", "insertion"));
      return areaOf(perturbationCurve(map, from, input, probability(what), steps));
    },
  },
  lerf: {
    help: "area under the class's probability while the pixels, smallest values first, go to the mean colour",
    axes: { first: "the photo", last: "all pixels replaced", measured: ofClass },
    isMoreBetter: true,
    measure: (what) => areaOf(removalCurve(what, "mean", "least")),
  },
  aopc: {
    help: "what the class's probability loses, on average over the curve, while the pixels, largest values first, go to seeded noise",
    axes: { first: "the photo", last: "all pixels replaced", measured: ofClass },
    isMoreBetter: true,
    measure(what) {
      const found = removalCurve(what, "noise", "most");
      return { value: aopc(found), curve: found.scores };
    },
  },
  regions: {
    help: "what the class's probability loses, on average over the curve, while regions of 9x9 pixels, largest sums first, go to seeded noise",
    axes: { first: "the photo", last: "the regions of --budget replaced", measured: ofClass },
    isMoreBetter: true,
    measure(what) {
      const { map, input, steps } = what;
      const to = imageOf(what, imageBaseline(what, "noise", "regions"));
      const found = regionPerturbationCurve(map, input, to, probability(what), 9, steps);
      return { value: aopc(found), curve: found.scores };
    },
  },
  road: {
    help: "ROAD: how often the class is still said when the pixels with the largest values, 10 to 90 % of them, are imputed from the others",
    axes: { first: "10 % imputed", last: "90 % imputed", measured: "photos that are still said to be the class" },
    isMoreBetter: false,
    measure: (what) => road(what, "most"),
  },
  "road-lerf": {
    help: "ROAD the other way: how often the class is still said when the pixels with the smallest values are imputed",
    axes: { first: "10 % imputed", last: "90 % imputed", measured: "photos that are still said to be the class" },
    isMoreBetter: true,
    measure: (what) => road(what, "least"),
  },
  "sensitivity-n": {
    help: "correlation of the map's sum on random sets of 5 % of the pixels with what the probability loses",
    isMoreBetter: true,
    measure(what) {
      const { map, input, steps, seed, baseline } = what;
      if (baseline === "linear") throw new CommandError("sensitivity-n: knows no --baseline linear.");
      const n = Math.max(1, Math.round(0.05 * map.length));
      const image = imageOf(what, baseline ?? "mean");
      return { value: sensitivityN(map, input, image, probability(what), n, steps, seed) };
    },
  },
  "max-sensitivity": {
    help: "how far the map moves, at most, under noise of 0.2 in the network's input, ten samples",
    isMoreBetter: false,
    measure({ input, remake, seed }) {
      if (remake === undefined) return nothing;
      return { value: maxSensitivity(input, (other) => remake({ input: other }), 0.2, 10, seed) };
    },
  },
  cascade: {
    help: "parameter randomisation from the last layer down: mean rank correlation with the trained network's map",
    axes: { first: "trained", last: "all layers random", measured: likeness },
    isMoreBetter: false,
    measure: (what) => randomise(what, "cascading", "rankCorrelation"),
  },
  "cascade-ssim": {
    help: "parameter randomisation from the last layer down: mean SSIM with the trained network's map",
    axes: { first: "trained", last: "all layers random", measured: alike },
    isMoreBetter: false,
    measure: (what) => randomise(what, "cascading", "ssim"),
  },
  layers: {
    help: "parameter randomisation of each layer alone: mean rank correlation with the trained network's map",
    axes: { first: "trained", last: "one layer random, the last to the first", measured: likeness },
    isMoreBetter: false,
    measure: (what) => randomise(what, "independent", "rankCorrelation"),
  },
  "layers-ssim": {
    help: "parameter randomisation of each layer alone: mean SSIM with the trained network's map",
    axes: { first: "trained", last: "one layer random, the last to the first", measured: alike },
    isMoreBetter: false,
    measure: (what) => randomise(what, "independent", "ssim"),
  },
  "random-logit": {
    help: "SSIM with the map of another class, drawn by the seed",
    isMoreBetter: false,
    measure({ map, width, index, network, remake, seed }) {
      if (remake === undefined) return nothing;
      const { classCount } = network;
      return { value: randomLogit(map, width, index, classCount, (other) => remake({ index: other }), seed + index) };
    },
  },
};
