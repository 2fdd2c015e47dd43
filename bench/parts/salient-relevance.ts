import { tensor } from "../../engine/basics/tensor.ts";
import { instantiateKernels } from "../../engine/memory/kernels.ts";
import { type SalientRelevance, salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { mapShape, speckledMap, spots } from "../../test/cases/salient-relevance-224.ts";
import { type Effort, measure } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";

/** Largest difference from the oracle's values at the spots of a feature. */
function offBy({ grids, options }: SalientRelevance): number {
  let largest = 0;
  for (const { feature, scale, row, column, value } of spots) {
    if (feature !== options.feature) continue;
    const grid = grids[options.scales.indexOf(scale)];
    const got = grid?.data[row * (grid.shape[1] ?? 0) + column] ?? Number.NaN;
    largest = Math.max(largest, Math.abs(got - value));
  }
  return largest;
}

/** The Salient Relevance step on a 224x224 map, exact and fast, with both features. */
export function benchSalientRelevance(module: WebAssembly.Module, effort: Effort): Result[] {
  const kernels = instantiateKernels(module);
  const map = tensor(mapShape, speckledMap());
  // The fast mode estimates: its error on reference maps is at most 1.8e-2.
  const tolerances = { exact: 1e-6, fast: 2.5e-2 } as const;
  return (["exact", "fast"] as const).flatMap((mode) =>
    (["lab", "gray"] as const).map((feature): Result => {
      const off = offBy(salientRelevance(kernels, map, { mode, feature }));
      if (!(off <= tolerances[mode])) throw new Error(`salient relevance, ${mode}, ${feature}: off by ${off}.`);
      return {
        group: "salient relevance",
        name: `224x224 ${feature}, ${mode}`,
        by: "srmap",
        threads: 1,
        check: `float64 oracle ${off.toExponential(1)}`,
        timing: measure(effort, () => void salientRelevance(kernels, map, { mode, feature })),
      };
    }),
  );
}
