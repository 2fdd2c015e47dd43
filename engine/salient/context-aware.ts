import type { Tensor } from "../basics/tensor.ts";
import { allocatePerThread, type Kernels } from "../memory/kernels.ts";
import { named } from "../memory/named.ts";
import { allocatePlanes, type Planes, toTensor } from "../memory/planes.ts";
import type { ResolvedSalientRelevanceOptions } from "./options.ts";
import { patchBasis } from "./patch-basis.ts";
import { interpolateGrid, resampleTriangle } from "./resample.ts";

// Context-aware saliency: Goferman, Zelnik-Manor, Tal, "Context-Aware Saliency Detection", CVPR 2010, sections 3.1-3.2.
// A patch is salient when even the patches most similar to it differ from it; a similar one counts less from far away.

/** The patch centres of one image size: rows and columns 0, stride, 2 stride, ... of a height x width image. */
interface Grid {
  readonly height: number;
  readonly width: number;
  readonly rows: number;
  readonly columns: number;
  /** Blocks of two rows by four columns of centres, down and across. */
  readonly blockRows: number;
  readonly blockColumns: number;
}

/** floor(size + .5), the rounding of all sizes; no side below `least`. */
function roundSize(size: number, least: number): number {
  return Math.max(least, Math.floor(size + 0.5));
}

/** Height and width of a height x width map when its larger side becomes workSize. */
export function workShape(height: number, width: number, workSize: number): [height: number, width: number] {
  const factor = workSize / Math.max(height, width);
  return [roundSize(height * factor, 1), roundSize(width * factor, 1)];
}

/** Position along one axis of the patch centres of an image with `pixels` pixels, in pixels of the work size. */
function centres(count: number, stride: number, pixels: number, workPixels: number): Float64Array {
  return new Float64Array(count).map((_, i) => ((i * stride + 0.5) * workPixels) / pixels);
}

// How many coefficients stand for a patch in the tests of the search (kernels-as/nearest-*.ts): in boxes around blocks of
// patches; for tiles (the first `shared` pairs and one more); for pairs of patches (`used`). The norm of what they leave is one
// term more; an estimate has none. Measured on the reference maps, see bench/parts/salient-relevance.ts; a third more or fewer take as long.
const nearTerms = 2;
const searchTerms = {
  exact: { one: { shared: 6, used: 31 }, several: { shared: 7, used: 47 } },
  fast: { one: { shared: 2, used: 8 }, several: { shared: 2, used: 8 } },
} as const;
/** How many patches the basis is chosen from. Exact results do not depend on it; 128 take 8 ms less than 256, 64 find a worse basis. */
const sampleSizes = { exact: 128, fast: 256 } as const;
/** `half` of a place that holds no patch: it passes no test. */
const nowhere = 3e38;

/** Rows of numbers of the boxes around blocks (boundBlocks in kernels-as/salient/nearest-boxes.ts). */
const boxRows = 11;

/** What the search needs of the patches, in kernel memory. Their places are spread so that any run of blocks is a sample. */
interface PatchTable {
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

function gather(
  kernels: Kernels,
  feature: Planes,
  grids: readonly Grid[],
  options: ResolvedSalientRelevanceOptions,
): PatchTable {
  const { arena, split } = kernels;
  const { patchSize, stride, positionWeight } = options;
  const { count: channels, height, width } = feature;
  const perPixel = positionWeight / Math.max(height, width);
  const blocks = grids.reduce((sum, { blockRows, blockColumns }) => sum + blockRows * blockColumns, 0);
  const length = Math.ceil((channels * patchSize * patchSize) / 4) * 4;
  const count = grids.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const step = spreadingStep(blocks);
  const places = new Int32Array(count);
  const quads: number[] = [];
  const patches = arena.allocate(blocks * 8 * length * 4);
  const x = arena.allocate(blocks * 8 * 4);
  const y = arena.allocate(blocks * 8 * 4);
  const placesAt = arena.allocate(count * 4);
  let first = 0;
  let firstBlock = 0;
  for (const { height: h, width: w, rows, columns, blockRows, blockColumns } of grids) {
    const image = resampleTriangle(kernels, feature, h, w).address;
    const across = new Float32Array(centres(columns, stride, w, width).map((at) => at * perPixel));
    const down = new Float32Array(centres(rows, stride, h, height).map((at) => at * perPixel));
    const xs = arena.f32(x, blocks * 8);
    const ys = arena.f32(y, blocks * 8);
    for (let n = 0; n < blockRows * blockColumns; n++) {
      const block = ((firstBlock + n) * step) % blocks; // blocks follow each other in spread order
      const top = 2 * Math.floor(n / blockColumns);
      const left = 4 * (n % blockColumns);
      for (let lane = 0; lane < 8; lane++) {
        // Half a block is a square of four.
        const a = top + ((lane >> 1) & 1);
        const b = left + 2 * (lane >> 2) + (lane & 1);
        const place = block * 8 + lane;
        const isTaken = a < rows && b < columns;
        xs[place] = across[isTaken ? b : left]!;
        ys[place] = down[isTaken ? a : top]!;
        if (isTaken) places[first + a * columns + b] = place;
        if (first === 0 && isTaken && lane % 4 === 0) quads.push(place);
      }
    }
    firstBlock += blockRows * blockColumns;
    arena.i32(placesAt, count).set(places);
    const here = placesAt + first * 4;
    split(
      "gatherPatches",
      rows * columns,
      ...named("gatherPatches", {
        out: patches,
        places: here,
        image,
        channels,
        height: h,
        width: w,
        columns,
        size: patchSize,
        stride,
        length,
      }),
    );
    first += rows * columns;
  }
  const queries = grids[0]!.rows * grids[0]!.columns;
  return { blocks, length, patches, x, y, places, placesAt, quads: Int32Array.from(quads).sort(), queries };
}

/** Places of a sample of the queries, evenly spread. */
function samplePlaces({ queries, places }: PatchTable, size: number): Int32Array {
  const count = Math.min(size, queries);
  return Int32Array.from({ length: count }, (_, n) => places[Math.floor((n * queries) / count)]!);
}

/** Mean distance of each query to its nearest other patches: address of float64 by place. */
function meanNearest(
  kernels: Kernels,
  table: PatchTable,
  channels: number,
  options: ResolvedSalientRelevanceOptions,
): number {
  const { call, arena, split } = kernels;
  const { blocks, length, patches, x, y, places, quads } = table;
  const isExact = options.mode === "exact";
  const dimension = channels * options.patchSize * options.patchSize;
  const neighbours = Math.min(options.neighbours, places.length - 1);
  if (neighbours === 0) return arena.allocate(blocks * 8 * 8); // one patch alone has nothing to differ from

  const wanted = searchTerms[options.mode][channels === 1 ? "one" : "several"];
  const used = Math.min(dimension, wanted.used);
  const near = Math.min(used, nearTerms);
  const shared = Math.min(wanted.shared, (used - 1) >> 1);
  const pairCount = shared + 1 + Math.ceil((used - 2 * shared + (isExact ? 1 : 0)) / 2);
  const count = Math.ceil(used / 4) * 4;
  const sample = samplePlaces(table, sampleSizes[options.mode]);
  const { mean: meanAt, vectors: basis } = patchBasis(
    kernels,
    patches,
    sample,
    length,
    channels,
    options.patchSize,
    count,
  );
  const all = blocks * 8;
  const nearAt = arena.allocate(all * (nearTerms + 1) * 4);
  const pairs = arena.allocate(all * pairCount * 4);
  const unit = arena.allocate(all * 4);
  const rows = arena.allocate(all * count * 4);
  const half = arena.allocate(all * 4);
  const rest = arena.allocate(all * 4);
  const noRest = arena.allocate(all * 4);
  const scratch = allocatePerThread(kernels, Math.max((length + count) * 16, call.meanNearestScratch(neighbours)));
  // Rounding of sums of `length` squares and of the bounds, with much room: (length/4 + terms + 20) 2^-24 would do.
  const rounding = (length + 64) * 2 ** -23;
  const share = 1 - rounding;
  split(
    "projectPatches",
    all,
    ...named("projectPatches", {
      near: nearAt,
      pairs,
      unit,
      half,
      rest,
      rows,
      scratch,
      patches,
      basis,
      mean: meanAt,
      length,
      count,
      nearUsed: near,
      nearTerms: nearTerms + 1,
      shared,
      used,
      pairCount,
      wholeNorms: isExact ? 1 : 0,
      share,
    }),
  );
  const [values, valueLength, left] = isExact ? [patches, length, noRest] : [rows, count, rest];
  const halves = arena.f32(half, all);
  const isTaken = new Uint8Array(all);
  for (const place of places) isTaken[place] = 1;
  for (let place = 0; place < all; place++) if (isTaken[place] === 0) halves[place] = nowhere;
  const boxGroups = Math.ceil(blocks / 4);
  const boxes = arena.allocate(boxGroups * boxRows * 4 * 4);
  arena.f32(boxes + (boxGroups * boxRows - 1) * 16, 4).fill(nowhere); // for blocks beyond the last
  split("boundBlocks", blocks, boxes, nearAt, left, half, x, y);
  const quadsAt = arena.allocate(quads.length * 4);
  arena.i32(quadsAt, quads.length).set(quads);
  const means = arena.allocate(all * 8);
  // The chunk that the guess is made from holds 512 places, but in 64 blocks that lie together: a coarser sample than its
  // number says, hence six standard deviations (measured: with 2.5 one query in twelve is searched twice).
  const expected = (neighbours * 512) / places.length;
  const within = Math.ceil(expected + 6 * Math.sqrt(expected)) + 1;
  const rank = within <= 50 ? within : 0;
  split(
    "meanNearest",
    quads.length,
    ...named("meanNearest", {
      out: means,
      scratch,
      quads: quadsAt,
      values,
      rest: left,
      near: nearAt,
      pairs,
      unit,
      half,
      x,
      y,
      boxes,
      blocks,
      length: valueLength,
      shared,
      pairCount,
      neighbours,
      rank,
    }),
  );
  return means;
}

/**
 * Saliency of a feature image at one scale: 1 - exp(-mean of the K smallest distances).
 * @param feature channels in [0,1], of the work size
 * @param map of the work size: receives the values, interpolated
 * @returns the values on the grid of patch centres
 */
export function scaleSaliency(
  kernels: Kernels,
  feature: Planes,
  scale: number,
  options: ResolvedSalientRelevanceOptions,
  map: Planes,
): Tensor {
  const { patchSize, stride, minimumScale } = options;
  const { height, width } = feature;
  const sizes = [1, ...options.subScales.filter((s) => s !== 1)].filter((s) => scale * s >= minimumScale - 1e-9);
  const grids = sizes.map((s): Grid => {
    // No side below a patch: mirroring needs half a patch, and such a small map has nothing more to say.
    const h = roundSize(height * scale * s, patchSize);
    const w = roundSize(width * scale * s, patchSize);
    const rows = Math.ceil(h / stride);
    const columns = Math.ceil(w / stride);
    return { height: h, width: w, rows, columns, blockRows: Math.ceil(rows / 2), blockColumns: Math.ceil(columns / 4) };
  });
  const mark = kernels.arena.mark();
  try {
    const table = gather(kernels, feature, grids, options);
    const means = meanNearest(kernels, table, feature.count, options);
    const queries = grids[0]!;
    const grid = allocatePlanes(kernels, 1, queries.rows, queries.columns);
    kernels.split("saliencyOf", table.queries, grid.address, means, table.placesAt);
    const rows = centres(queries.rows, stride, queries.height, height).map((position) => position - 0.5);
    const columns = centres(queries.columns, stride, queries.width, width).map((position) => position - 0.5);
    interpolateGrid(kernels, grid, rows, columns, map);
    return toTensor(kernels, grid);
  } finally {
    kernels.arena.release(mark);
  }
}
