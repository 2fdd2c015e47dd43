import { checkMap, type MapValues } from "../basics/check.ts";

/**
 * Sparseness: the Gini index of |R|, 0 for a constant map, near 1 when one pixel has everything. NaN for an empty map.
 *   sum over i of (2 i - N - 1) a[i] / (N sum a), a sorted ascending, i from 1
 * Source: Chalasani et al. 2020, Concise Explanations of Neural Networks using Adversarial Training. Quantus 0.6 adds 1e-7 to each
 * value first; a test holds the difference.
 * @param map [H,W]
 * @throws as checkMap
 */
export function giniSparseness(map: MapValues): number {
  checkMap(map);
  const sorted = Float64Array.from(map, Math.abs).sort();
  let [weighted, total] = [0, 0];
  for (let i = 0; i < sorted.length; i++) {
    weighted += (2 * (i + 1) - sorted.length - 1) * sorted[i]!;
    total += sorted[i]!;
  }
  return total === 0 ? Number.NaN : weighted / (sorted.length * total);
}
