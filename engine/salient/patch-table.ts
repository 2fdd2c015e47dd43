import * as kernel from "../../kernels-as/kernel-calls.js";
import type { Kernels } from "../memory/kernels.ts";
import type { Planes } from "../memory/planes.ts";
import { centres, type Grid } from "./grid.ts";
import type { ResolvedSalientRelevanceOptions } from "./options.ts";
import { resampleTriangle } from "./resample.ts";

/** What the search needs of the patches, in kernel memory. Their places are spread so that any run of blocks is a sample. */
export interface PatchTable {
  readonly blocks: number;
  readonly length: number;
  readonly patches: number;
  /** Positions of the centres times positionWeight, per place. */
  readonly x: number;
  readonly y: number;
  /** Places of the patches, grid after grid, row by row. */
  readonly places: Int32Array;
  /** The same in kernel memory. */
  readonly placesAt: number;
  /** First places of the groups of four queries. */
  readonly quads: Int32Array;
  /** How many of the patches are queries: those of the first grid. */
  readonly queries: number;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** A step that visits all of 0..n-1 in an order without pattern when taken modulo n: about n over the golden ratio. */
function spreadingStep(n: number): number {
  let step = Math.max(1, Math.floor(n * 0.6180339887));
  while (greatestCommonDivisor(step, n) !== 1) step++;
  return step;
}

/** Where the patches of a grid go: patch (row, column) to place `block * 8 + lane`, the blocks in spread order from `firstBlock` on. */
function forEachPlace(
  { rows, columns, blockRows, blockColumns }: Grid,
  blockOf: (n: number) => number,
  use: (place: number, row: number, column: number, isTaken: boolean) => void,
): void {
  for (let n = 0; n < blockRows * blockColumns; n++) {
    const block = blockOf(n);
    const top = 2 * Math.floor(n / blockColumns);
    const left = 4 * (n % blockColumns);
    for (let lane = 0; lane < 8; lane++) {
      // Half a block is a square of four.
      const a = top + ((lane >> 1) & 1);
      const b = left + 2 * (lane >> 2) + (lane & 1);
      const isTaken = a < rows && b < columns;
      use(block * 8 + lane, isTaken ? a : top, isTaken ? b : left, isTaken);
    }
  }
}

/** The patches of a feature image on all grids; the first grid's are the queries. */
export function gatherPatches(
  kernels: Kernels,
  feature: Planes,
  grids: readonly [queries: Grid, ...others: Grid[]],
  options: ResolvedSalientRelevanceOptions,
): PatchTable {
  const { arena } = kernels;
  const { patchSize: size, stride, positionWeight } = options;
  const { count: channels, height, width } = feature;
  const perPixel = positionWeight / Math.max(height, width);
  const blocks = grids.reduce((sum, { blockRows, blockColumns }) => sum + blockRows * blockColumns, 0);
  const length = Math.ceil((channels * size * size) / 4) * 4;
  const count = grids.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const step = spreadingStep(blocks);
  const places = new Int32Array(count);
  const quads: number[] = [];
  const patches = arena.allocate(blocks * 8 * length * 4);
  const x = arena.allocate(blocks * 8 * 4);
  const y = arena.allocate(blocks * 8 * 4);
  const placesAt = arena.allocate(count * 4);
  let [first, firstBlock] = [0, 0];
  for (const grid of grids) {
    const { height: h, width: w, rows, columns } = grid;
    const image = resampleTriangle(kernels, feature, h, w).address;
    const across = new Float32Array(centres(columns, stride, w, width).map((at) => at * perPixel));
    const down = new Float32Array(centres(rows, stride, h, height).map((at) => at * perPixel));
    const [xs, ys] = [arena.f32(x, blocks * 8), arena.f32(y, blocks * 8)];
    const blockOf = (n: number): number => ((firstBlock + n) * step) % blocks; // they follow each other in spread order
    forEachPlace(grid, blockOf, (place, row, column, isTaken) => {
      xs[place] = across[column]!;
      ys[place] = down[row]!;
      if (isTaken) places[first + row * columns + column] = place;
      if (first === 0 && isTaken && place % 4 === 0) quads.push(place);
    });
    firstBlock += grid.blockRows * grid.blockColumns;
    arena.i32(placesAt, count).set(places);
    const sizes = { channels, height: h, width: w, columns, size, stride, length };
    kernel.gatherPatches(kernels, rows * columns, { out: patches, places: placesAt + first * 4, image, ...sizes });
    first += rows * columns;
  }
  const queries = grids[0].rows * grids[0].columns;
  return { blocks, length, patches, x, y, places, placesAt, quads: Int32Array.from(quads).sort(), queries };
}
