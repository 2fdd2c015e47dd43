import { ShapeError } from "../../engine/basics/errors.ts";
import { checkMap, type MapValues } from "../basics/check.ts";

/**
 * Structural similarity of two maps, 1 for equal ones: mean over all windows of `size` x `size` pixels that lie inside, uniform
 * weights, sample covariance, K1 = 0.01, K2 = 0.03, the range being that of both maps together.
 * Source: Wang et al. 2004, Image Quality Assessment; as `skimage.metrics.structural_similarity` and Quantus 0.6 compute it. Two
 * constant maps of one value get 1.
 * @param width W in pixels
 * @throws ShapeError for maps of other sizes or smaller than the window, and as checkMap
 */
export function ssim(a: MapValues, b: MapValues, width: number, size = 7): number {
  const height = a.length / width;
  if (a.length !== b.length || !Number.isInteger(height) || width < size || height < size) {
    throw new ShapeError(
      `ssim: maps must have one size of at least ${size}x${size}, got ${a.length} and ${b.length} pixels.`,
    );
  }
  checkMap(a);
  checkMap(b);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const map of [a, b]) {
    for (const value of map) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  const range = high - low;
  if (range === 0) return 1;
  const [c1, c2] = [(0.01 * range) ** 2, (0.03 * range) ** 2];
  const count = size * size;
  const norm = count / (count - 1);
  let sum = 0;
  for (let top = 0; top + size <= height; top++) {
    for (let left = 0; left + size <= width; left++) {
      let [ma, mb, aa, bb, ab] = [0, 0, 0, 0, 0];
      for (let y = top; y < top + size; y++) {
        for (let x = left; x < left + size; x++) {
          const [va, vb] = [a[y * width + x]! - low, b[y * width + x]! - low];
          ma += va;
          mb += vb;
          aa += va * va;
          bb += vb * vb;
          ab += va * vb;
        }
      }
      ma /= count;
      mb /= count;
      const [varA, varB] = [norm * (aa / count - ma * ma), norm * (bb / count - mb * mb)];
      const covariance = norm * (ab / count - ma * mb);
      const [meanA, meanB] = [ma + low, mb + low];
      sum +=
        ((2 * meanA * meanB + c1) * (2 * covariance + c2)) /
        ((meanA * meanA + meanB * meanB + c1) * (varA + varB + c2));
    }
  }
  return sum / ((height - size + 1) * (width - size + 1));
}
