import { checkMapAndMask, type MapValues, type Mask } from "../basics/check.ts";
import { topKShare } from "./top-k-share.ts";

/**
 * Of the K largest values, K being the object's area in pixels, the share that lies on the object.
 * Source: Arras et al. 2022, CLEVR-XAI, section 3.3. Quantus 0.6 breaks ties by the order in which numpy's unstable sort leaves
 * them, we share them (topKShare); without ties it is the same.
 * @param map [H,W]
 * @param mask [H,W]
 * @throws as checkMapAndMask
 */
export function rankAccuracy(map: MapValues, mask: Mask): number {
  return topKShare(map, mask, checkMapAndMask(map, mask));
}
