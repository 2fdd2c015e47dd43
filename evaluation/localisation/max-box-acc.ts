import { ShapeError } from "../../engine/basics/errors.ts";
import { checkMap, type MapValues } from "../basics/check.ts";

/** A rectangle in pixels: left and top edge, width, height; fractions allowed. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Thresholds 0, 0.05, ..., 0.95 of the map's range. */
export const boxThresholds: readonly number[] = Array.from({ length: 20 }, (_, i) => i / 20);

/** Intersection over union of two boxes. */
export function boxIou(a: Box, b: Box): number {
  const width = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const height = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  const shared = Math.max(0, width) * Math.max(0, height);
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** Box around the largest area of pixels that touch by a side or a corner. */
function largestBox(isOn: Uint8Array, width: number, stack: Int32Array): Box | undefined {
  let best: Box | undefined;
  let most = 0;
  const height = isOn.length / width;
  for (let seed = 0; seed < isOn.length; seed++) {
    if (isOn[seed] === 0) continue;
    let [count, top] = [0, 1];
    let [x0, x1, y0, y1] = [width, -1, height, -1];
    stack[0] = seed;
    isOn[seed] = 0;
    while (top > 0) {
      const pixel = stack[--top]!;
      const x = pixel % width;
      const y = (pixel - x) / width;
      count++;
      x0 = Math.min(x0, x);
      x1 = Math.max(x1, x);
      y0 = Math.min(y0, y);
      y1 = Math.max(y1, y);
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const next = row * width + column;
          if (isOn[next] === 0) continue;
          isOn[next] = 0;
          stack[top++] = next;
        }
      }
    }
    if (count > most) {
      most = count;
      best = { left: x0, top: y0, width: x1 - x0 + 1, height: y1 - y0 + 1 };
    }
  }
  return best;
}

/**
 * For each threshold, the best intersection over union of an object's box with the box around the largest area of the map at or
 * above it; the map is first brought to 0..1 by its smallest and largest value. A constant map becomes 0 everywhere.
 * Source: Choe et al. 2020, Evaluating Weakly Supervised Object Localization Methods Right, section 3.2. They take the contour of
 * the largest area by OpenCV, whose area goes through the pixels' centres; here pixels are counted.
 * @param map [H,W]
 * @param width W in pixels
 * @throws ShapeError without boxes, and as checkMap
 */
export function boxIous(
  map: MapValues,
  width: number,
  boxes: readonly Box[],
  thresholds: readonly number[] = boxThresholds,
): number[] {
  checkMap(map);
  if (boxes.length === 0) throw new ShapeError("boxIous: needs at least one box, got none.");
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of map) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const range = high > low ? high - low : 1;
  const stack = new Int32Array(map.length);
  return thresholds.map((threshold) => {
    const isOn = Uint8Array.from(map, (value) => Number((value - low) / range >= threshold));
    const found = largestBox(isOn, width, stack);
    return found === undefined ? 0 : Math.max(...boxes.map((box) => boxIou(found, box)));
  });
}

/** MaxBoxAcc: the share of photos whose IoU reaches `least`, at the threshold that is best for all of them. */
export function maxBoxAcc(
  ious: readonly (readonly number[])[],
  least = 0.5,
  thresholds: readonly number[] = boxThresholds,
): { readonly accuracy: number; readonly threshold: number } {
  let best = { accuracy: Number.NaN, threshold: Number.NaN };
  for (const [i, threshold] of thresholds.entries()) {
    const accuracy = ious.filter((photo) => (photo[i] ?? 0) >= least).length / ious.length;
    if (!(accuracy <= best.accuracy)) best = { accuracy, threshold };
  }
  return best;
}
