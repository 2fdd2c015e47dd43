import { ShapeError } from "../../engine/basics/errors.ts";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { checkMap, type MapValues } from "../basics/check.ts";

/** Which pixels go first: those the map calls most relevant, or least. */
export type PerturbationOrder = "most" | "least";

/** A curve of scores and what it took. */
export interface PerturbationCurve {
  /** Share of the pixels that were replaced, 0 to 1. */
  readonly shares: readonly number[];
  /** The network's score at each share. */
  readonly scores: readonly number[];
}

/** Pixels in the order in which they are replaced; of equal values the earlier pixel goes first. */
export function perturbationOrder(map: MapValues, order: PerturbationOrder): Uint32Array {
  const sign = order === "most" ? 1 : -1;
  return Uint32Array.from(map, (_, i) => i).sort((a, b) => sign * (map[b]! - map[a]!) || a - b);
}

/**
 * Scores while the pixels of `from` are replaced by those of `to`, step by step in the map's order: steps + 1 forward passes.
 * Deletion: from the photo to a baseline. Insertion: from a baseline (a blurred photo) to the photo.
 * Source: Petsiuk et al. 2018, RISE, section 4.2; single pixels of Samek et al. 2017 as regions of size 1.
 * @param map [H,W]
 * @param from [C,H,W] network input
 * @param to [C,H,W]
 * @param score asks the network; must be finite
 * @throws ShapeError for sizes that do not fit, RangeError for steps that are no whole number above 0, and as checkMap
 */
export function perturbationCurve(
  map: MapValues,
  from: Tensor,
  to: Tensor,
  score: (input: Tensor) => number,
  steps = 50,
  order: PerturbationOrder = "most",
): PerturbationCurve {
  checkMap(map);
  const [channels = 0] = from.shape;
  if (from.data.length !== channels * map.length || to.data.length !== from.data.length) {
    throw new ShapeError(
      `perturbationCurve: map must have the ${from.data.length / channels} pixels of the input, got ${map.length}; the baseline ${to.data.length} values like the input's ${from.data.length}.`,
    );
  }
  if (!(Number.isSafeInteger(steps) && steps > 0 && steps <= map.length)) {
    throw new RangeError(`perturbationCurve: steps must be a whole number from 1 to ${map.length}, got ${steps}.`);
  }
  const pixels = perturbationOrder(map, order);
  const data = from.data.slice();
  const shares: number[] = [0];
  const scores: number[] = [score(tensor(from.shape, data))];
  let done = 0;
  for (let step = 1; step <= steps; step++) {
    const end = Math.round((step * pixels.length) / steps);
    for (; done < end; done++) {
      for (let channel = 0; channel < channels; channel++) {
        const at = channel * map.length + pixels[done]!;
        data[at] = to.data[at]!;
      }
    }
    shares.push(done / pixels.length);
    scores.push(score(tensor(from.shape, data)));
  }
  return { shares, scores };
}
