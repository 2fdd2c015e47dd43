import { checkMapAndMask, type MapValues, type Mask } from "../basics/check.ts";

/**
 * Area under the ROC curve of "is this pixel on the object" by the map's value: the chance that a pixel inside has a larger value
 * than one outside, equal values counting half. NaN when the object fills the photo.
 * Source: Fawcett 2006, An introduction to ROC analysis; the Mann-Whitney form. Quantus 0.6's AUC.
 * @param map [H,W]
 * @param mask [H,W]
 * @throws as checkMapAndMask
 */
export function insideOutsideAuc(map: MapValues, mask: Mask): number {
  const area = checkMapAndMask(map, mask);
  const inside = new Float64Array(area);
  const outside = new Float64Array(map.length - area);
  let [insideCount, outsideCount] = [0, 0];
  for (let i = 0; i < map.length; i++) {
    if (mask[i] !== 0) inside[insideCount++] = map[i]!;
    else outside[outsideCount++] = map[i]!;
  }
  inside.sort();
  outside.sort();
  if (outside.length === 0) return Number.NaN;
  let wins = 0;
  let below = 0;
  let notAbove = 0;
  for (const value of inside) {
    while (below < outside.length && outside[below]! < value) below++;
    while (notAbove < outside.length && outside[notAbove]! <= value) notAbove++;
    wins += (below + notAbove) / 2;
  }
  return wins / (area * outside.length);
}
