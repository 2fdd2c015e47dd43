import { spearman } from "../agreement/spearman.ts";
import { ssim } from "../agreement/ssim.ts";
import type { MapValues } from "../basics/check.ts";

/** Cascading: from the last layer down, each in addition to those above it; or each layer alone. */
export type RandomisationOrder = "cascading" | "independent";

/** How like the trained network's map the map of a randomised one is. */
export interface RandomisationStep {
  /** The layer that was randomised last. */
  readonly layer: string;
  /** Rank correlation of the maps, -1 to 1; NaN for a constant map. */
  readonly rankCorrelation: number;
  /** Structural similarity, at most 1. */
  readonly ssim: number;
}

/** What is randomised at each step, the layer of the step last. @param layers with parameters, in the order in which they run */
export function randomisationSteps(
  layers: readonly string[],
  order: RandomisationOrder,
): readonly (readonly string[])[] {
  const fromTop = [...layers].reverse();
  return fromTop.map((layer, i) => (order === "independent" ? [layer] : fromTop.slice(0, i + 1)));
}

/**
 * Model parameter randomisation: a map that shows what the network learned must change when its parameters become random.
 * Source: Adebayo et al. 2018, Sanity Checks for Saliency Maps, section 4, with both of its measures on maps without sign (pass those);
 * Quantus 0.6's MPRT with correlation_spearman, and with ssim, which it takes of maps flattened into one row: of them no window sees two
 * rows, so that its SSIM is another number.
 * @param map [H,W] of the trained network
 * @param width W in pixels
 * @param steps from `randomisationSteps`
 * @param remake makes the map, [H,W], of the network in which the parameters of these layers are random; the caller's seed
 * @throws RangeError for a step without a layer, and as `spearman` and `ssim`
 */
export function parameterRandomisation(
  map: MapValues,
  width: number,
  steps: readonly (readonly string[])[],
  remake: (randomised: readonly string[]) => MapValues,
): RandomisationStep[] {
  return steps.map((randomised) => {
    const layer = randomised.at(-1);
    if (layer === undefined)
      throw new RangeError("parameterRandomisation: a step names no layer. Take randomisationSteps.");
    const other = remake(randomised);
    return { layer, rankCorrelation: spearman(map, other), ssim: ssim(map, other, width) };
  });
}
