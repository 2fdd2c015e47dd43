import { checkMap, type MapValues, type Mask } from "../basics/check.ts";

/** Cells of the grid along each side. */
export const gridSide = 16;

/** What is kept of a map: enough to see that attention moved, on a few hundred bytes. */
export interface AttentionSummary {
  /** Share of the map's sum in each cell, 16 x 16, rows from the top. All 0 for an empty map. */
  readonly grid: readonly number[];
  /** Centre of mass as shares of width and height, from the left and the top; the middle for an empty map. */
  readonly centroid: readonly [x: number, y: number];
  /** The five cells with the largest shares, as column and row, largest first. */
  readonly top: readonly (readonly [column: number, row: number])[];
}

const rounded = (value: number): number => Number(value.toPrecision(6));

/**
 * Sums up a map without negative values.
 * @param map [H,W], at least as large as the grid
 * @param width W in pixels
 * @throws RangeError for values that are not finite
 */
export function summarizeAttention(map: MapValues, width: number): AttentionSummary {
  checkMap(map);
  const height = map.length / width;
  const cells = new Float64Array(gridSide * gridSide);
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let i = 0; i < map.length; i++) {
    const [x, y, value] = [i % width, Math.floor(i / width), map[i]!];
    cells[Math.floor((y * gridSide) / height) * gridSide + Math.floor((x * gridSide) / width)]! += value;
    sum += value;
    sumX += value * (x + 0.5);
    sumY += value * (y + 0.5);
  }
  const order = [...cells.keys()].sort((a, b) => cells[b]! - cells[a]! || a - b);
  return {
    grid: [...cells].map((cell) => (sum === 0 ? 0 : rounded(cell / sum))),
    centroid: sum === 0 ? [0.5, 0.5] : [rounded(sumX / sum / width), rounded(sumY / sum / height)],
    top: order.slice(0, 5).map((cell) => [cell % gridSide, Math.floor(cell / gridSide)] as const),
  };
}

/** Share of a map's sum that lies on a mask; 0 for an empty map. */
export function shareOn(map: MapValues, mask: Mask): number {
  let [inside, sum] = [0, 0];
  for (let i = 0; i < map.length; i++) {
    sum += map[i]!;
    if (mask[i] !== 0) inside += map[i]!;
  }
  return sum === 0 ? 0 : rounded(inside / sum);
}
