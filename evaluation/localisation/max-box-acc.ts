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

/** Areas of pixels that touch by a side or a corner, grown pixel by pixel: a forest in which each root knows its area and box. */
class Areas {
  readonly #width: number;
  readonly #height: number;
  /** The parent of each pixel, -1 where it is not on. */
  readonly #parent: Int32Array;
  /** Of each root: pixels; its box; the first pixel in rows from the top. */
  readonly #count: Int32Array;
  readonly #x0: Int32Array;
  readonly #x1: Int32Array;
  readonly #y0: Int32Array;
  readonly #y1: Int32Array;
  readonly #first: Int32Array;
  /** Root of the largest area, -1 before the first pixel; of equal ones, that whose first pixel comes first. */
  #largest = -1;

  constructor(width: number, height: number) {
    const list = (): Int32Array => new Int32Array(width * height);
    this.#width = width;
    this.#height = height;
    this.#parent = list().fill(-1);
    [this.#count, this.#first] = [list(), list()];
    [this.#x0, this.#x1, this.#y0, this.#y1] = [list(), list(), list(), list()];
  }

  #rootOf(pixel: number): number {
    const parent = this.#parent;
    let root = pixel;
    while (parent[root] !== root) {
      parent[root] = parent[parent[root]!]!;
      root = parent[root]!;
    }
    return root;
  }

  /** The smaller area goes below the larger one's root. */
  #join(a: number, b: number): number {
    const [root, other] = this.#count[a]! >= this.#count[b]! ? [a, b] : [b, a];
    this.#parent[other] = root;
    this.#count[root]! += this.#count[other]!;
    if (this.#first[other]! < this.#first[root]!) this.#first[root] = this.#first[other]!;
    if (this.#x0[other]! < this.#x0[root]!) this.#x0[root] = this.#x0[other]!;
    if (this.#x1[other]! > this.#x1[root]!) this.#x1[root] = this.#x1[other]!;
    if (this.#y0[other]! < this.#y0[root]!) this.#y0[root] = this.#y0[other]!;
    if (this.#y1[other]! > this.#y1[root]!) this.#y1[root] = this.#y1[other]!;
    return root;
  }

  add(pixel: number): void {
    const width = this.#width;
    const parent = this.#parent;
    const x = pixel % width;
    const y = (pixel - x) / width;
    const [left, right] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)];
    const bottom = Math.min(this.#height - 1, y + 1);
    let root = -1;
    for (let row = Math.max(0, y - 1); row <= bottom; row++) {
      const end = row * width + right;
      for (let next = row * width + left; next <= end; next++) {
        const above = parent[next]!;
        if (above < 0 || above === root) continue;
        const other = this.#rootOf(next);
        if (root < 0) root = other;
        else if (other !== root) root = this.#join(root, other);
      }
    }
    if (root < 0) {
      root = pixel;
      this.#count[root] = 1;
      this.#first[root] = pixel;
      [this.#x0[root], this.#x1[root], this.#y0[root], this.#y1[root]] = [x, x, y, y];
    } else {
      this.#count[root]! += 1;
      if (pixel < this.#first[root]!) this.#first[root] = pixel;
      if (x < this.#x0[root]!) this.#x0[root] = x;
      if (x > this.#x1[root]!) this.#x1[root] = x;
      if (y < this.#y0[root]!) this.#y0[root] = y;
      if (y > this.#y1[root]!) this.#y1[root] = y;
    }
    parent[pixel] = root;
    const own = this.#count[root]!;
    const best = this.#largest;
    // An area that was joined to this one has fewer pixels than this one.
    const isMore = best < 0 || own > this.#count[best]!;
    if (isMore || (own === this.#count[best]! && this.#first[root]! < this.#first[best]!)) this.#largest = root;
  }

  /** Box around the largest area; undefined when no pixel is on. */
  get box(): Box | undefined {
    const root = this.#largest;
    if (root < 0) return undefined;
    const [left, top] = [this.#x0[root]!, this.#y0[root]!];
    return { left, top, width: this.#x1[root]! - left + 1, height: this.#y1[root]! - top + 1 };
  }
}

/** How many of the thresholds, ascending, a value is at or above. */
function countReached(value: number, thresholds: readonly number[]): number {
  let [low, high] = [0, thresholds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value >= thresholds[middle]!) low = middle + 1;
    else high = middle;
  }
  return low;
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
  // From the highest threshold down pixels are only ever added, each once: sorted by how many thresholds they reach.
  const ascending = [...thresholds.keys()].sort((a, b) => thresholds[a]! - thresholds[b]!);
  const sorted = ascending.map((at) => thresholds[at]!);
  const reached = new Uint16Array(map.length);
  for (let i = 0; i < map.length; i++) reached[i] = countReached((map[i]! - low) / range, sorted);
  const ends = new Uint32Array(sorted.length + 1);
  for (const count of reached) ends[count]!++;
  for (let count = sorted.length - 1; count >= 0; count--) ends[count]! += ends[count + 1]!;
  const places = ends.slice();
  const pixels = new Uint32Array(map.length);
  for (let pixel = map.length - 1; pixel >= 0; pixel--) pixels[--places[reached[pixel]!]!] = pixel;
  const areas = new Areas(width, map.length / width);
  const ious = thresholds.map(() => 0);
  let added = 0;
  for (let count = sorted.length; count > 0; count--) {
    for (const end = ends[count]!; added < end; added++) areas.add(pixels[added]!);
    const found = areas.box;
    if (found !== undefined) ious[ascending[count - 1]!] = Math.max(...boxes.map((box) => boxIou(found, box)));
  }
  return ious;
}

/** MaxBoxAcc: the share of photos whose IoU reaches `least`, at the threshold that is best for all of them. */
export function maxBoxAcc(
  ious: readonly (readonly number[])[],
  least = 0.5,
  thresholds: readonly number[] = boxThresholds,
): { readonly accuracy: number; readonly threshold: number } {
  const ragged = ious.find((photo) => photo.length !== thresholds.length);
  if (ragged !== undefined) {
    throw new RangeError(
      `maxBoxAcc: a photo has ${ragged.length} IoUs, got ${thresholds.length} thresholds. Give one each.`,
    );
  }
  let best = { accuracy: Number.NaN, threshold: Number.NaN };
  for (const [i, threshold] of thresholds.entries()) {
    const accuracy = ious.filter((photo) => photo[i]! >= least).length / ious.length;
    if (!(accuracy <= best.accuracy)) best = { accuracy, threshold };
  }
  return best;
}
