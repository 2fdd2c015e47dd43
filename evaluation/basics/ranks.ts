import type { MapValues } from "./check.ts";

/**
 * Ranks of values, 1 for the smallest; equal values share the mean of their ranks, as `scipy.stats.rankdata` gives them.
 * @returns [N] float64
 */
export function averageRanks(values: MapValues): Float64Array {
  const order = Uint32Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let k = start; k < end; k++) ranks[order[k]!] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}
