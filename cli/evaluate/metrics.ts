import type { Tensor } from "../../engine/basics/tensor.ts";
import type { Network } from "../../engine/network/network.ts";
import {
  aopc,
  attributionLocalisation,
  type BaselineKind,
  boxIous,
  curveArea,
  entropyComplexity,
  giniSparseness,
  insideOutsideAuc,
  massAccuracy,
  type PlacedObjects,
  perturbationBaseline,
  perturbationCurve,
  pointingGame,
  rankAccuracy,
  topKIntersection,
} from "../../evaluation/index.ts";
import { UsageError } from "../terminal/errors.ts";

/** What a map is measured on. */
export interface Measured {
  readonly map: Float64Array;
  readonly width: number;
  readonly placed: PlacedObjects;
  readonly network: Network;
  readonly input: Tensor;
  readonly index: number;
  readonly seed: number;
  /** Forward passes that a curve may take, besides the first. */
  readonly steps: number;
}

/** A number, or a curve of which the numbers are made later. */
export type Measurement = { readonly value: number; readonly curve?: readonly number[] };

interface Metric {
  readonly help: string;
  /** Whether more is better. */
  readonly isMoreBetter: boolean;
  measure(what: Measured): Measurement;
}

/** The class's probability when the network is shown an input. */
function probability({ network, index }: Measured): (input: Tensor) => number {
  return (input) => network.probabilities(network.forward(input)).data[index] ?? Number.NaN;
}

function curve(
  what: Measured,
  kind: BaselineKind,
  isInsertion: boolean,
  order: "most" | "least",
): Measurement & { drop: number } {
  const baseline = perturbationBaseline(what.input, kind, what.seed);
  const [from, to] = isInsertion ? [baseline, what.input] : [what.input, baseline];
  const found = perturbationCurve(what.map, from, to, probability(what), what.steps, order);
  return { value: curveArea(found), curve: found.scores, drop: aopc(found) };
}

const number = (value: number): Measurement => ({ value });

/** Every metric by name. */
export const metrics: Readonly<Record<string, Metric>> = {
  pointing: {
    help: "pointing game",
    isMoreBetter: true,
    measure: ({ map, width, placed }) => number(pointingGame(map, placed.mask, width)),
  },
  pointing15: {
    help: "pointing game with 15 pixels of tolerance",
    isMoreBetter: true,
    measure: ({ map, width, placed }) => number(pointingGame(map, placed.mask, width, 15)),
  },
  mass: {
    help: "mass accuracy",
    isMoreBetter: true,
    measure: ({ map, placed }) => number(massAccuracy(map, placed.mask)),
  },
  rank: {
    help: "rank accuracy",
    isMoreBetter: true,
    measure: ({ map, placed }) => number(rankAccuracy(map, placed.mask)),
  },
  topk: {
    help: "share of the 1000 largest values inside",
    isMoreBetter: true,
    measure: ({ map, placed }) => number(topKIntersection(map, placed.mask, Math.min(1000, map.length))),
  },
  localisation: {
    help: "mass inside over its share of the area",
    isMoreBetter: true,
    measure: ({ map, placed }) => number(attributionLocalisation(map, placed.mask)),
  },
  auc: {
    help: "AUC inside/outside",
    isMoreBetter: true,
    measure: ({ map, placed }) => number(insideOutsideAuc(map, placed.mask)),
  },
  box: {
    help: "IoU of the thresholded map's box; MaxBoxAcc of all photos",
    isMoreBetter: true,
    measure({ map, width, placed }) {
      const ious = boxIous(map, width, placed.boxes);
      return { value: Math.max(...ious), curve: ious };
    },
  },
  sparseness: { help: "Gini index", isMoreBetter: true, measure: ({ map }) => number(giniSparseness(map)) },
  entropy: { help: "entropy in nats", isMoreBetter: false, measure: ({ map }) => number(entropyComplexity(map)) },
  deletion: {
    help: "area under the class's probability while the largest go to the mean",
    isMoreBetter: false,
    measure: (what) => curve(what, "mean", false, "most"),
  },
  insertion: {
    help: "the same while they come back into the blurred photo",
    isMoreBetter: true,
    measure: (what) => curve(what, "blur", true, "most"),
  },
  lerf: {
    help: "area under the probability while the smallest go to the mean",
    isMoreBetter: true,
    measure: (what) => curve(what, "mean", false, "least"),
  },
  aopc: {
    help: "area over the perturbation curve, largest first, to seeded noise",
    isMoreBetter: true,
    measure(what) {
      const { drop, curve: scores = [] } = curve(what, "noise", false, "most");
      return { value: drop, curve: scores };
    },
  },
};

/** A metric by name. @throws UsageError */
export function metricNamed(name: string): Metric {
  const found = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
  if (found === undefined) {
    throw new UsageError(`--metrics: there is no metric "${name}". Known are ${Object.keys(metrics).join(", ")}.`);
  }
  return found;
}
