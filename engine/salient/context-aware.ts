import type { Tensor } from "../basics/tensor.ts";
import type { Kernels } from "../memory/kernels.ts";
import { allocatePlanes, type Planes, toTensor } from "../memory/planes.ts";
import { centres, gridsOf } from "./grid.ts";
import { meanNearest } from "./nearest-patches.ts";
import type { ResolvedSalientRelevanceOptions } from "./options.ts";
import { gatherPatches } from "./patch-table.ts";
import { interpolateGrid } from "./resample.ts";

// Context-aware saliency: Goferman, Zelnik-Manor, Tal, "Context-Aware Saliency Detection", CVPR 2010, sections 3.1-3.2.
// A patch is salient when even the patches most similar to it differ from it; a similar one counts less from far away.

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
  const { stride } = options;
  const { height, width } = feature;
  const grids = gridsOf(height, width, scale, options);
  const mark = kernels.arena.mark();
  try {
    const table = gatherPatches(kernels, feature, grids, options);
    const means = meanNearest(kernels, table, feature.count, options);
    const [queries] = grids;
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
