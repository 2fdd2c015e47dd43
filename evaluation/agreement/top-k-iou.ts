import { ShapeError } from "../../engine/basics/errors.ts";
import { checkMap, type MapValues } from "../basics/check.ts";

function topK(map: MapValues, k: number): Uint32Array {
  return Uint32Array.from(map, (_, i) => i)
    .sort((a, b) => map[b]! - map[a]! || a - b)
    .subarray(0, k);
}

/**
 * Intersection over union of the two maps' k largest pixels; among equal values the earlier pixel comes first.
 * @throws ShapeError for maps of other sizes, RangeError for a k that is no whole number from 1 to H W, and as checkMap
 */
export function topKIou(a: MapValues, b: MapValues, k: number): number {
  if (a.length !== b.length) throw new ShapeError(`topKIou: maps must have one size, got ${a.length} and ${b.length}.`);
  if (!(Number.isSafeInteger(k) && k >= 1 && k <= a.length)) {
    throw new RangeError(`topKIou: k must be a whole number from 1 to ${a.length}, got ${k}.`);
  }
  checkMap(a);
  checkMap(b);
  const own = new Set(topK(a, k));
  const shared = topK(b, k).filter((pixel) => own.has(pixel)).length;
  return shared / (2 * k - shared);
}
