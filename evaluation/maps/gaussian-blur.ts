import { gaussianBlur as blur } from "../../engine/salient/gaussian-blur.ts";
import type { MapValues } from "../basics/check.ts";

/**
 * A map blurred by a Gaussian of `sigma` pixels, cut at 4 sigma, mirrored at the edges (the edge pixel twice), as
 * `scipy.ndimage.gaussian_filter` does by default.
 * @param map [H,W]
 * @param width W in pixels
 */
export function gaussianBlur(map: MapValues, width: number, sigma: number): Float64Array {
  return blur(map, width, sigma, Math.exp);
}
