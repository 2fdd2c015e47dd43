import { checkMapAndMask, type MapValues, type Mask } from "../basics/check.ts";

/**
 * Pointing game: 1 when the map's largest value lies on the object, or no further from it than `tolerance` pixels (Euclidean).
 * Where several pixels share the largest value it is the share of them that hit: what a draw among them would give.
 * Source: Zhang et al. 2018, Top-down Neural Attention by Excitation Backprop, section 4.1 (15 pixels). Quantus 0.6 counts a hit
 * where any of the tied maxima lies on the object, so that a constant map always hits; without ties it is the same.
 * @param map [H,W]
 * @param mask [H,W]
 * @param width W in pixels
 * @throws as checkMapAndMask
 */
export function pointingGame(map: MapValues, mask: Mask, width: number, tolerance = 0): number {
  checkMapAndMask(map, mask);
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of map) largest = Math.max(largest, value);
  let maxima = 0;
  let hits = 0;
  for (let i = 0; i < map.length; i++) {
    if (map[i] !== largest) continue;
    maxima++;
    if (isNear(mask, width, i % width, Math.floor(i / width), tolerance)) hits++;
  }
  return hits / maxima;
}

function isNear(mask: Mask, width: number, x: number, y: number, tolerance: number): boolean {
  const height = mask.length / width;
  const reach = Math.floor(tolerance);
  for (let row = Math.max(0, y - reach); row <= Math.min(height - 1, y + reach); row++) {
    for (let column = Math.max(0, x - reach); column <= Math.min(width - 1, x + reach); column++) {
      const isInReach = (row - y) ** 2 + (column - x) ** 2 <= tolerance ** 2;
      if (isInReach && mask[row * width + column] !== 0) return true;
    }
  }
  return false;
}
