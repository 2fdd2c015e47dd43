import { seededRandom } from "../basics/random.ts";

/**
 * Paired test whether differences have mean 0: two-sided p, the share of `draws` random sign changes (and the data as they are)
 * whose mean is at least as far from 0. Needs no normal distribution.
 * Source: Fisher 1935, The Design of Experiments, section 21; (b + 1) / (m + 1) as Phipson and Smyth 2010.
 * @param differences one per photo; NaN ones do not count
 * @returns NaN without differences
 */
export function signFlipTest(differences: readonly number[], seed = 1, draws = 9999): number {
  const present = differences.filter((value) => !Number.isNaN(value));
  if (present.length === 0) return Number.NaN;
  const random = seededRandom(seed);
  const observed = Math.abs(present.reduce((sum, value) => sum + value, 0));
  // A sum in another order may differ in its last bits from the one it equals.
  const least = observed - 1e-12 * present.reduce((sum, value) => sum + Math.abs(value), 0);
  let asFar = 0;
  for (let draw = 0; draw < draws; draw++) {
    let sum = 0;
    for (const value of present) sum += random() < 0.5 ? value : -value;
    if (Math.abs(sum) >= least) asFar++;
  }
  return (asFar + 1) / (draws + 1);
}
