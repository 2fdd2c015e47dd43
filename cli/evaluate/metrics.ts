import {
  attributionLocalisation,
  boxIous,
  effectiveComplexity,
  entropyComplexity,
  giniSparseness,
  insideOutsideAuc,
  massAccuracy,
  pointingGame,
  rankAccuracy,
  topKIntersection,
} from "../../evaluation/index.ts";
import { UsageError } from "../terminal/errors.ts";
import type { Measurement, Metric } from "./metric.ts";
import { networkMetrics } from "./network-metrics.ts";

const number = (value: number): Measurement => ({ value });

/** Every metric by name. */
export const metrics: Readonly<Record<string, Metric>> = {
  pointing: {
    help: "pointing game: 1 where the map's largest value lies on the object",
    isMoreBetter: true,
    measure: ({ map, width, placed }) => number(pointingGame(map, placed.mask, width)),
  },
  pointing15: {
    help: "pointing game: 1 where the map's largest value lies within 15 pixels of the object",
    isMoreBetter: true,
    measure: ({ map, width, placed }) => number(pointingGame(map, placed.mask, width, 15)),
  },
  mass: {
    help: "mass accuracy: share of the map's sum on the object",
    isMoreBetter: true,
    measure: ({ map, placed }) => number(massAccuracy(map, placed.mask)),
  },
  rank: {
    help: "rank accuracy: of the K largest values, K the object's pixels, the share on it",
    isMoreBetter: true,
    measure: ({ map, placed }) => number(rankAccuracy(map, placed.mask)),
  },
  topk: {
    help: "share of the 1000 largest values on the object",
    isMoreBetter: true,
    measure: ({ map, placed }) => number(topKIntersection(map, placed.mask, Math.min(1000, map.length))),
  },
  localisation: {
    help: "share of the map's sum on the object over its share of the area; 1 for an even map",
    isMoreBetter: true,
    measure: ({ map, placed }) => number(attributionLocalisation(map, placed.mask)),
  },
  auc: {
    help: "chance that a pixel on the object is worth more than one beside it (area under the ROC curve)",
    isMoreBetter: true,
    measure: ({ map, placed }) => number(insideOutsideAuc(map, placed.mask)),
  },
  box: {
    help: "overlap (IoU) of the object's box with the one around what is left above the best threshold; MaxBoxAcc: share of photos above .5 at the threshold that is best for all",
    isMoreBetter: true,
    measure({ map, width, placed }) {
      const ious = boxIous(map, width, placed.boxes);
      return { value: Math.max(...ious), curve: ious };
    },
  },
  sparseness: {
    help: "Gini index: 0 for an even map, 1 for a single pixel",
    isMoreBetter: true,
    measure: ({ map }) => number(giniSparseness(map)),
  },
  complexity: {
    help: "pixels above a hundred-thousandth of the map's largest",
    isMoreBetter: false,
    measure({ map }) {
      const largest = map.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      return number(largest === 0 ? Number.NaN : effectiveComplexity(map, 1e-5 * largest));
    },
  },
  entropy: {
    help: "entropy of the map's values in nats",
    isMoreBetter: false,
    measure: ({ map }) => number(entropyComplexity(map)),
  },
  ...networkMetrics,
};

/** A metric by name. @throws UsageError */
export function metricNamed(name: string): Metric {
  const found = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
  if (found === undefined) {
    throw new UsageError(`--metrics: there is no metric "${name}". Known are ${Object.keys(metrics).join(", ")}.`);
  }
  return found;
}
