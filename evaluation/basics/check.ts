import { ShapeError } from "../../engine/basics/errors.ts";

/** A map's values [H,W], rows from the top: larger means more important. */
export type MapValues = Float32Array | Float64Array;

/** One byte per pixel, [H,W]: 1 on the object, 0 elsewhere. */
export type Mask = Uint8Array;

/**
 * Refuses a map of which no metric could say anything.
 * @throws RangeError for values that are not finite, ShapeError for an empty map
 */
export function checkMap(map: MapValues): void {
  if (map.length === 0) throw new ShapeError("map: must have at least one pixel, got none.");
  let at = -1;
  for (let i = map.length - 1; i >= 0; i--) if (!Number.isFinite(map[i])) at = i;
  if (at >= 0)
    throw new RangeError(`map: values must be finite, got ${map[at]} at pixel ${at}. Check how it was made.`);
}

/**
 * Refuses a map and a mask that do not belong together; counts the mask's pixels.
 * @returns how many pixels the mask has
 * @throws ShapeError for other sizes, RangeError for an empty mask and as checkMap
 */
export function checkMapAndMask(map: MapValues, mask: Mask): number {
  if (map.length !== mask.length) {
    throw new ShapeError(
      `mask: must have the map's ${map.length} pixels, got ${mask.length}. Resize and crop it as the photo was.`,
    );
  }
  checkMap(map);
  let area = 0;
  for (let i = 0; i < mask.length; i++) if (mask[i] !== 0) area++;
  if (area === 0) throw new RangeError("mask: is empty, so that nothing lies inside the object.");
  return area;
}
