import { ShapeError } from "../../engine/basics/errors.ts";
import type { Tensor } from "../../engine/basics/tensor.ts";
import { checkMap, type MapValues } from "../basics/check.ts";
import { noisyLinearImputation } from "./noisy-linear-imputation.ts";
import { type PerturbationCurve, type PerturbationOrder, perturbationOrder } from "./perturbation-curve.ts";

/** Shares of the pixels that are removed: the deciles. */
const deciles: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/**
 * ROAD, remove and debias: scores while a growing share of the pixels, in the map's order, is replaced by noisy linear imputation, each
 * time from the whole input. One forward pass a share. With a score of 1 where the network still says the class and 0 elsewhere, the
 * mean of many photos is the paper's accuracy.
 * Source: Rong et al. 2022, section 4; Quantus 0.6's ROAD, which counts int(H W share) pixels, as is done here.
 * @param map [H,W]
 * @param input [C,H,W]
 * @param score asks the network
 * @throws ShapeError for sizes that do not fit, and as checkMap
 */
export function roadCurve(
  map: MapValues,
  input: Tensor,
  score: (input: Tensor) => number,
  order: PerturbationOrder = "most",
  seed = 1,
  shares: readonly number[] = deciles,
  noise = 0.01,
): PerturbationCurve {
  checkMap(map);
  const [channels = 0] = input.shape;
  if (input.data.length !== channels * map.length) {
    throw new ShapeError(
      `roadCurve: map must have the ${input.data.length / channels} pixels of the input, got ${map.length}.`,
    );
  }
  const pixels = perturbationOrder(map, order);
  const scores = shares.map((share) => {
    const missing = pixels.subarray(0, Math.floor(share * pixels.length + 1e-9));
    return score(noisyLinearImputation(input, missing, noise, seed));
  });
  return { shares, scores };
}
