import { checkMapAndMask, type MapValues, type Mask } from "../basics/check.ts";

/**
 * Share of the map's mass inside the object: sum of max(R, 0) on it over the sum everywhere. NaN for a map without mass.
 * Also known as the energy pointing game (Wang et al. 2020, Score-CAM) and, there weighted by size, as attribution localisation
 * (Kohlbrenner et al. 2020, whose mu it is for one box).
 * Source: Arras et al. 2022, CLEVR-XAI, section 3.3. Quantus 0.6 does not cut at 0: on maps without negative values it is the same.
 * @param map [H,W]
 * @param mask [H,W]
 * @throws as checkMapAndMask
 */
export function massAccuracy(map: MapValues, mask: Mask): number {
  checkMapAndMask(map, mask);
  let inside = 0;
  let total = 0;
  for (let i = 0; i < map.length; i++) {
    const mass = Math.max(0, map[i]!);
    total += mass;
    if (mask[i] !== 0) inside += mass;
  }
  return total === 0 ? Number.NaN : inside / total;
}
