import type { MapValues, Mask } from "../basics/check.ts";
import { massAccuracy } from "./mass-accuracy.ts";

/**
 * Attribution localisation weighted by the object's size: mass inside over all mass, times the photo's area over the object's.
 * 1 is what a constant map gets, more is better than that; at most area of the photo over area of the object.
 * Source: Kohlbrenner et al. 2020, Towards Best Practice in Explaining Neural Network Decisions with LRP, equation 8 (mu_w).
 * Unweighted it is massAccuracy.
 * @param map [H,W]
 * @param mask [H,W]
 * @throws as checkMapAndMask
 */
export function attributionLocalisation(map: MapValues, mask: Mask): number {
  const area = mask.reduce((count, value) => count + Number(value !== 0), 0);
  return (massAccuracy(map, mask) * mask.length) / area;
}
