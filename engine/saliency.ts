import type { Kernels } from "./kernels.ts";
import { normaliseRange, type Plane, zeroPlane } from "./plane.ts";
import { interpolateGrid, resampleTriangle } from "./resample.ts";
import type { ResolvedSalientRelevanceOptions } from "./salient-options.ts";

// Context-aware saliency: Goferman, Zelnik-Manor, Tal, "Context-Aware Saliency Detection", CVPR 2010, sections 3.1-3.2.
// A patch is salient when even the patches most similar to it differ from it; a similar one counts less from far away.

/** The patch centres of one image size: rows and columns 0, stride, 2 stride, ... of a height x width image. */
interface Grid {
  readonly height: number;
  readonly width: number;
  readonly rows: number;
  readonly columns: number;
}

/** Saliency at one scale. */
export interface ScaleSaliency {
  /** The scale r. */
  readonly scale: number;
  /** 1 - exp(-mean of the K smallest distances), on the grid of patch centres. */
  readonly grid: Plane;
  /** The grid interpolated to the work size, min-max to [0,1]. */
  readonly map: Plane;
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
  return Float64Array.from({ length: count }, (_, i) => ((i * stride + 0.5) * workPixels) / pixels);
}

/**
 * Saliency of a feature image at one scale.
 * @param feature channels in [0,1], all of the work size
 */
export function scaleSaliency(
  { call, arena }: Kernels,
  feature: readonly Plane[],
  scale: number,
  options: ResolvedSalientRelevanceOptions,
): ScaleSaliency {
  const { patchSize, stride, minimumScale } = options;
  const { height, width } = feature[0] ?? zeroPlane(1, 1);
  const larger = Math.max(height, width);
  const sizes = [1, ...options.subScales.filter((s) => s !== 1)].filter((s) => scale * s >= minimumScale - 1e-9);
  const grids = sizes.map((s): Grid => {
    // No side below a patch: mirroring needs half a patch, and such a small map has nothing more to say.
    const h = roundSize(height * scale * s, patchSize);
    const w = roundSize(width * scale * s, patchSize);
    return { height: h, width: w, rows: Math.ceil(h / stride), columns: Math.ceil(w / stride) };
  });
  const queries = grids[0]!;
  const queryCount = queries.rows * queries.columns;
  const candidates = grids.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const length = Math.ceil((feature.length * patchSize * patchSize) / 4) * 4;
  const neighbours = Math.min(options.neighbours, candidates - 1);

  const mark = arena.mark();
  try {
    const patches = arena.allocate(candidates * length * 4);
    const y = arena.allocate(candidates * 4);
    const x = arena.allocate(candidates * 4);
    let first = 0;
    for (const grid of grids) {
      const count = grid.rows * grid.columns;
      const plane = grid.height * grid.width;
      const image = arena.allocate(feature.length * plane * 4);
      const pixels = arena.f32(image, feature.length * plane);
      feature.forEach((channel, c) => {
        pixels.set(resampleTriangle(channel, grid.height, grid.width).data, c * plane);
      });
      const rows = centres(grid.rows, stride, grid.height, height);
      const columns = centres(grid.columns, stride, grid.width, width);
      const ys = arena.f32(y + first * 4, count);
      const xs = arena.f32(x + first * 4, count);
      for (let i = 0; i < count; i++) {
        ys[i] = rows[Math.floor(i / grid.columns)]! / larger;
        xs[i] = columns[i % grid.columns]! / larger;
      }
      const out = patches + first * length * 4;
      const { height: h, width: w } = grid;
      call.gatherPatches(out, image, feature.length, h, w, grid.columns, patchSize, stride, length, 0, count);
      first += count;
    }
    const means = arena.allocate(queryCount * 8);
    const scratch = arena.allocate(candidates * 4);
    // A call per row of queries: V8 replaces a function by its optimised code only when it is called again.
    for (let row = 0; row < queries.rows; row++) {
      const begin = row * queries.columns;
      const end = begin + queries.columns;
      call.meanNearestDirect(
        means,
        patches,
        y,
        x,
        scratch,
        candidates,
        length,
        neighbours,
        options.positionWeight,
        begin,
        end,
      );
    }
    const grid = zeroPlane(queries.rows, queries.columns);
    arena.f64(means, queryCount).forEach((mean, i) => {
      grid.data[i] = 1 - call.exp(-mean);
    });
    const rows = centres(queries.rows, stride, queries.height, height).map((position) => position - 0.5);
    const columns = centres(queries.columns, stride, queries.width, width).map((position) => position - 0.5);
    return { scale, grid, map: normaliseRange(interpolateGrid(grid, rows, columns, height, width)) };
  } finally {
    arena.release(mark);
  }
}
