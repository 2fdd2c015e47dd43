import { checkMapAndMask, type MapValues, type Mask } from "../basics/check.ts";
import { topKShare } from "./top-k-share.ts";

/**
 * Share of the k largest values that lie on the object.
 * Source: Theiner et al. 2021, Interpretable Semantic Photo Geolocation, section 3.3 (k = 1000, Quantus 0.6's default).
 * @param map [H,W]
 * @param mask [H,W]
 * @throws RangeError for a k that is no whole number from 1 to H W, and as checkMapAndMask
 */
export function topKIntersection(map: MapValues, mask: Mask, k = 1000): number {
  checkMapAndMask(map, mask);
  if (!(Number.isSafeInteger(k) && k >= 1 && k <= map.length)) {
    throw new RangeError(`topKIntersection: k must be a whole number from 1 to ${map.length}, got ${k}.`);
  }
  return topKShare(map, mask, k);
}
