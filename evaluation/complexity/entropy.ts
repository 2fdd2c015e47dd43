import { checkMap, type MapValues } from "../basics/check.ts";

/**
 * Complexity: the entropy of |R| as shares of its sum, in nats: 0 for one pixel, ln(H W) for a constant map. NaN for an empty map.
 * Source: Bhatt et al. 2020, Evaluating and Aggregating Feature-based Model Explanations, section 3.3. Quantus 0.6 adds 1e-12
 * inside the logarithm.
 * @param map [H,W]
 * @throws as checkMap
 */
export function entropyComplexity(map: MapValues): number {
  checkMap(map);
  let total = 0;
  for (const value of map) total += Math.abs(value);
  if (total === 0) return Number.NaN;
  let sum = 0;
  for (const value of map) {
    const share = Math.abs(value) / total;
    if (share > 0) sum -= share * Math.log(share);
  }
  return sum;
}
