import { seededRandom } from "../basics/random.ts";

/** A mean with its interval. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Values that went into it; NaN ones do not. */
  readonly count: number;
}

/**
 * Mean with its percentile bootstrap interval: the same seed gives the same numbers on every machine.
 * Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13; quantiles as numpy's default (linear).
 * @param level share of the bootstrap means inside, for example 0.95
 */
export function bootstrapMean(values: readonly number[], seed = 1, draws = 2000, level = 0.95): Interval {
  const present = Float64Array.from(values.filter((value) => !Number.isNaN(value)));
  const count = present.length;
  if (count === 0) return { mean: Number.NaN, low: Number.NaN, high: Number.NaN, count };
  const mean = present.reduce((sum, value) => sum + value, 0) / count;
  const random = seededRandom(seed);
  const means = Float64Array.from({ length: draws }, () => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += present[Math.floor(random() * count)]!;
    return sum / count;
  }).sort();
  const quantile = (share: number): number => {
    const at = share * (draws - 1);
    const below = means[Math.floor(at)]!;
    return below + (means[Math.ceil(at)]! - below) * (at - Math.floor(at));
  };
  return { mean, low: quantile((1 - level) / 2), high: quantile((1 + level) / 2), count };
}
