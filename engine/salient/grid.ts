import type { ResolvedSalientRelevanceOptions } from "./options.ts";

/** The patch centres of one image size: rows and columns 0, stride, 2 stride, ... of a height x width image. */
export interface Grid {
  readonly height: number;
  readonly width: number;
  readonly rows: number;
  readonly columns: number;
  /** Blocks of two rows by four columns of centres, down and across. */
  readonly blockRows: number;
  readonly blockColumns: number;
}

/** floor(size + .5), the rounding of all sizes; no side below `least`. */
export function roundSize(size: number, least: number): number {
  return Math.max(least, Math.floor(size + 0.5));
}

/** Height and width of a height x width map when its larger side becomes workSize. */
export function workShape(height: number, width: number, workSize: number): [height: number, width: number] {
  const factor = workSize / Math.max(height, width);
  return [roundSize(height * factor, 1), roundSize(width * factor, 1)];
}

/** Position along one axis of the patch centres of an image with `pixels` pixels, in pixels of the work size. */
export function centres(count: number, stride: number, pixels: number, workPixels: number): Float64Array {
  return new Float64Array(count).map((_, i) => ((i * stride + 0.5) * workPixels) / pixels);
}

/** The grids that a feature image of this size is searched on at one scale: the queries', and those of its sub-scales. */
export function gridsOf(
  height: number,
  width: number,
  scale: number,
  { patchSize, stride, minimumScale, subScales }: ResolvedSalientRelevanceOptions,
): readonly [queries: Grid, ...others: Grid[]] {
  const gridOf = (s: number): Grid => {
    // No side below a patch: mirroring needs half a patch, and such a small map has nothing more to say.
    const h = roundSize(height * scale * s, patchSize);
    const w = roundSize(width * scale * s, patchSize);
    const rows = Math.ceil(h / stride);
    const columns = Math.ceil(w / stride);
    return { height: h, width: w, rows, columns, blockRows: Math.ceil(rows / 2), blockColumns: Math.ceil(columns / 4) };
  };
  return [gridOf(1), ...subScales.filter((s) => s !== 1 && scale * s >= minimumScale - 1e-9).map(gridOf)];
}
