import { ShapeError } from "../../engine/basics/errors.ts";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { checkMap, type MapValues } from "../basics/check.ts";
import type { PerturbationCurve, PerturbationOrder } from "./perturbation-curve.ts";

/**
 * Scores while square regions of a fixed grid are replaced, one more each time, in the order of the map's sum on them: regions + 1
 * forward passes. `aopc` of the curve is the area over it.
 * Source: Samek et al. 2017, Evaluating the Visualization of What a Deep Neural Network Has Learned, section III-B: regions of 9x9,
 * 100 of them, to uniform noise. The grid begins at the top left; the last regions of a row are cut at the edge, where Quantus 0.6
 * pads both sides: equal where the side divides height and width.
 * @param map [H,W]
 * @param from [C,H,W] network input
 * @param to [C,H,W], what regions become
 * @param score asks the network
 * @param side of a region in pixels
 * @param regions at most so many
 * @throws ShapeError for sizes that do not fit, RangeError for a side or number that is no whole number above 0, and as checkMap
 */
export function regionPerturbationCurve(
  map: MapValues,
  from: Tensor,
  to: Tensor,
  score: (input: Tensor) => number,
  side = 9,
  regions = 100,
  order: PerturbationOrder = "most",
): PerturbationCurve {
  checkMap(map);
  const [channels = 0, height = 1, width = 1] = from.shape;
  if (height * width !== map.length || to.data.length !== from.data.length) {
    throw new ShapeError(
      `regionPerturbationCurve: map must have the ${height * width} pixels of the input, got ${map.length}; the baseline ${to.data.length} values like the input's ${from.data.length}.`,
    );
  }
  if (!(Number.isSafeInteger(side) && side > 0 && Number.isSafeInteger(regions) && regions > 0)) {
    throw new RangeError(
      `regionPerturbationCurve: side and regions must be whole numbers above 0, got ${side} and ${regions}.`,
    );
  }
  const [rows, columns] = [Math.ceil(height / side), Math.ceil(width / side)];
  const sums = new Float64Array(rows * columns);
  for (let i = 0; i < map.length; i++) {
    sums[Math.floor(i / width / side) * columns + Math.floor((i % width) / side)]! += map[i]!;
  }
  const sign = order === "most" ? 1 : -1;
  const ordered = [...sums.keys()].sort((a, b) => sign * (sums[b]! - sums[a]!) || a - b);
  const data = from.data.slice();
  const shares: number[] = [0];
  const scores: number[] = [score(tensor(from.shape, data))];
  let done = 0;
  for (const region of ordered.slice(0, regions)) {
    const [top, left] = [Math.floor(region / columns) * side, (region % columns) * side];
    const [bottom, right] = [Math.min(height, top + side), Math.min(width, left + side)];
    for (let channel = 0; channel < channels; channel++) {
      for (let y = top; y < bottom; y++) {
        const at = (channel * height + y) * width;
        data.set(to.data.subarray(at + left, at + right), at + left);
      }
    }
    done += (bottom - top) * (right - left);
    shares.push(done / map.length);
    scores.push(score(tensor(from.shape, data)));
  }
  return { shares, scores };
}
