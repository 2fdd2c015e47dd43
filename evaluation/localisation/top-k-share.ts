import type { MapValues, Mask } from "../basics/check.ts";

/**
 * Share of the k largest values that lie on the object. Of the values that tie for the last places, as many count as a draw among
 * them would give on average: a constant map gets the object's share of the area, whatever the order of its pixels.
 * @param k 1 to H W
 */
export function topKShare(map: MapValues, mask: Mask, k: number): number {
  const threshold = map.slice().sort()[map.length - k]!;
  let [above, insideAbove, tied, insideTied] = [0, 0, 0, 0];
  for (let i = 0; i < map.length; i++) {
    const value = map[i]!;
    if (value < threshold) continue;
    const isInside = Number(mask[i] !== 0);
    if (value > threshold) {
      above++;
      insideAbove += isInside;
    } else {
      tied++;
      insideTied += isInside;
    }
  }
  return (insideAbove + ((k - above) * insideTied) / tied) / k;
}
