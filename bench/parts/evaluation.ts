import { tensor } from "../../engine/basics/tensor.ts";
import {
  attributionLocalisation,
  boxIous,
  gaussianBlur,
  insideOutsideAuc,
  type MapValues,
  massAccuracy,
  noisyLinearImputation,
  perturbationCurve,
  pointingGame,
  rankAccuracy,
  roadCurve,
  seededRandom,
  topKIntersection,
} from "../../evaluation/index.ts";
import { type Effort, measure } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";

const side = 224;
const area = side * side;
const boxes = [{ left: 50, top: 60, width: 100, height: 90 }];
const mask = Uint8Array.from({ length: area }, (_, i) =>
  Number(i % side >= 50 && i % side < 150 && i >= 60 * side && i < 150 * side),
);

/** Metrics of one map, each under 5 ms; what a curve of 50 steps costs besides its forward passes, of which it may take 55. */
export function benchEvaluation(effort: Effort): Result[] {
  const random = seededRandom(1);
  const noise = Float64Array.from({ length: area }, () => random());
  const maps = { noise, smooth: gaussianBlur(noise, side, 8) };
  const input = tensor(
    [3, side, side],
    Float32Array.from({ length: 3 * area }, () => random()),
  );
  const metrics: Readonly<Record<string, (map: MapValues) => unknown>> = {
    "pointing game, 15 pixels": (map) => pointingGame(map, mask, side, 15),
    "mass accuracy": (map) => massAccuracy(map, mask),
    "rank accuracy": (map) => rankAccuracy(map, mask),
    "top-k intersection": (map) => topKIntersection(map, mask),
    "attribution localisation": (map) => attributionLocalisation(map, mask),
    "AUC inside/outside": (map) => insideOutsideAuc(map, mask),
    "IoU of the box, 20 thresholds": (map) => boxIous(map, side, boxes),
  };
  const rows = Object.entries(metrics).flatMap(([name, metric]) =>
    Object.entries(maps).map(([kind, map]): Result => {
      const timing = measure(effort, () => void metric(map));
      return { group: "evaluation", name: `${name}, ${kind} map of ${side}x${side}`, by: "srmap", threads: 1, timing };
    }),
  );
  let passes = 0;
  const score = (): number => passes++;
  perturbationCurve(maps.smooth, input, input, score, 50);
  if (passes > 55) throw new Error(`a deletion curve of 50 steps took ${passes} forward passes.`);
  const missing = Uint32Array.from(noise.keys()).filter((i) => noise[i]! < 0.5);
  const work: Readonly<Record<string, () => unknown>> = {
    "deletion of 50 steps, without its forward passes": () => perturbationCurve(maps.smooth, input, input, score, 50),
    "imputation of half the pixels": () => noisyLinearImputation(input, missing),
    "ROAD of 9 shares, without its forward passes": () => roadCurve(maps.smooth, input, score),
  };
  return [
    ...rows,
    ...Object.entries(work).map(
      ([name, run]): Result => ({
        group: "evaluation",
        name,
        by: "srmap",
        threads: 1,
        check: `${passes} passes`,
        timing: measure(effort, () => void run()),
      }),
    ),
  ];
}
