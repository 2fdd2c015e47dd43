import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { seededRandom } from "../basics/random.ts";
import { enlargeMap } from "./enlarge.ts";

/**
 * RISE: mean score of randomly masked inputs, weighted by the masks: sum of score x mask / (samples x keep). Masks are grids of
 * `cells` x `cells` zeros and ones, enlarged and shifted at random; what is masked becomes 0.
 * Source: Petsiuk et al. 2018, section 3.2 (cells 7, keep 0.5, 4000 masks for VGG-16).
 * @param input [C,H,W]
 * @param score called `samples` times
 * @returns [H,W]
 */
export function riseMap(
  input: Tensor,
  score: (input: Tensor) => number,
  samples = 1000,
  seed = 1,
  cells = 7,
  keep = 0.5,
): Float64Array {
  const [, height = 1, width = 1] = input.shape;
  const random = seededRandom(seed);
  const area = height * width;
  const [cellHeight, cellWidth] = [Math.ceil(height / cells), Math.ceil(width / cells)];
  const [bigHeight, bigWidth] = [(cells + 1) * cellHeight, (cells + 1) * cellWidth];
  const sums = new Float64Array(area);
  for (let sample = 0; sample < samples; sample++) {
    const grid = Float64Array.from({ length: (cells + 1) ** 2 }, () => Number(random() < keep));
    const big = enlargeMap(grid, cells + 1, cells + 1, bigWidth, bigHeight);
    const [dy, dx] = [Math.floor(random() * cellHeight), Math.floor(random() * cellWidth)];
    const mask = Float64Array.from(
      { length: area },
      (_, i) => big[(Math.floor(i / width) + dy) * bigWidth + (i % width) + dx]!,
    );
    const value = score(
      tensor(
        input.shape,
        input.data.map((each, i) => each * mask[i % area]!),
      ),
    );
    for (let i = 0; i < area; i++) sums[i]! += value * mask[i]!;
  }
  return sums.map((sum) => sum / (samples * keep));
}
