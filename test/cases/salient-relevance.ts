import type { SalientRelevanceOptions } from "../../engine/salient/options.ts";

/** A random relevance map and the settings to try on it. */
export interface SalientRelevanceCase {
  readonly reason: string;
  readonly shape: readonly number[];
  readonly options: SalientRelevanceOptions;
}

/** Small maps: the work size is small so that the all-pairs oracle stays quick. */
export const salientRelevanceCases: readonly SalientRelevanceCase[] = [
  { reason: "lab, the defaults but for size", shape: [3, 28, 28], options: { workSize: 40 } },
  { reason: "gray, the defaults but for size", shape: [3, 28, 28], options: { workSize: 40, feature: "gray" } },
  { reason: "wide", shape: [3, 17, 31], options: { workSize: 45 } },
  { reason: "tall, two channels", shape: [2, 33, 12], options: { workSize: 45, feature: "gray" } },
  { reason: "one channel as [H,W], made larger than it is", shape: [11, 14], options: { workSize: 43 } },
  { reason: "one channel as [1,1,H,W], gray", shape: [1, 1, 15, 14], options: { workSize: 30, feature: "gray" } },
  { reason: "map larger than the work size", shape: [3, 61, 50], options: { workSize: 31 } },
  { reason: "map of the work size", shape: [3, 32, 32], options: { workSize: 32 } },
  { reason: "very wide: sides below a patch", shape: [3, 2, 60], options: { workSize: 40 } },
  { reason: "one pixel", shape: [3, 1, 1], options: { workSize: 25 } },
  { reason: "more neighbours than candidates", shape: [3, 20, 20], options: { workSize: 20, neighbours: 1000 } },
  { reason: "one neighbour", shape: [3, 20, 20], options: { workSize: 30, neighbours: 1 } },
  {
    reason: "one patch: nothing to compare with",
    shape: [3, 8, 8],
    options: { workSize: 8, stride: 50, subScales: [1] },
  },
  {
    reason: "odd neighbour count, small patches",
    shape: [3, 21, 18],
    options: { workSize: 30, neighbours: 13, patchSize: 3 },
  },
  { reason: "patches of one pixel", shape: [3, 12, 12], options: { workSize: 24, patchSize: 1, stride: 2 } },
  { reason: "large patches", shape: [3, 24, 24], options: { workSize: 34, patchSize: 11, stride: 4 } },
  { reason: "stride 1", shape: [1, 12, 12], options: { workSize: 16, stride: 1 } },
  { reason: "positions do not count", shape: [3, 20, 20], options: { workSize: 30, positionWeight: 0 } },
  { reason: "positions count a lot", shape: [3, 20, 20], options: { workSize: 30, positionWeight: 50 } },
  { reason: "one scale, one sub-scale", shape: [3, 20, 20], options: { workSize: 30, scales: [1], subScales: [1] } },
  {
    reason: "other scales, sub-scales out of order",
    shape: [3, 20, 24],
    options: { workSize: 30, scales: [0.7, 1.3], subScales: [0.4, 1] },
  },
  { reason: "all sub-scales kept", shape: [3, 20, 20], options: { workSize: 40, minimumScale: 0 } },
  { reason: "foci in the mean map", shape: [3, 24, 20], options: { workSize: 32, foci: "mean", fociThreshold: 0.6 } },
  { reason: "no foci", shape: [3, 24, 20], options: { workSize: 32, foci: "none" } },
  { reason: "everything is a focus", shape: [3, 24, 20], options: { workSize: 32, fociThreshold: 0, foci: "mean" } },
  { reason: "nothing is a focus", shape: [3, 24, 20], options: { workSize: 32, fociThreshold: 1 } },
  { reason: "centre prior", shape: [3, 18, 26], options: { workSize: 32, centrePrior: 0.3 } },
];
