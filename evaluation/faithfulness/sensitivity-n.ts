import { ShapeError } from "../../engine/basics/errors.ts";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { checkMap, type MapValues } from "../basics/check.ts";
import { pearson } from "../basics/pearson.ts";
import { seededRandom } from "../basics/random.ts";

/**
 * Sensitivity-n: Pearson's correlation, over random sets of n pixels, between the sum of the map on the set and the drop of the score
 * when the set is replaced. 1 for gradient times input of a linear model with a baseline of 0. NaN where one of them never varies.
 * Source: Ancona et al. 2018, Towards Better Understanding of Gradient-based Attribution Methods, section 3.3. Quantus 0.6 does something
 * else under this name: it correlates over photos, for sets that the map itself orders; a test holds it.
 * @param map [H,W], signed
 * @param input [C,H,W]
 * @param baseline [C,H,W], what replaced pixels become
 * @param n pixels in a set
 * @param sets how many: sets + 1 forward passes
 * @throws ShapeError for sizes that do not fit, RangeError for an n that is no whole number from 1 to H W, and as checkMap
 */
export function sensitivityN(
  map: MapValues,
  input: Tensor,
  baseline: Tensor,
  score: (input: Tensor) => number,
  n: number,
  sets = 100,
  seed = 1,
): number {
  checkMap(map);
  const [channels = 0] = input.shape;
  if (input.data.length !== channels * map.length || baseline.data.length !== input.data.length) {
    throw new ShapeError(
      `sensitivityN: map must have the ${input.data.length / channels} pixels of the input, got ${map.length}; the baseline ${baseline.data.length} values like the input's ${input.data.length}.`,
    );
  }
  if (!(Number.isSafeInteger(n) && n >= 1 && n <= map.length)) {
    throw new RangeError(`sensitivityN: n must be a whole number from 1 to ${map.length}, got ${n}.`);
  }
  const random = seededRandom(seed);
  const pixels = Uint32Array.from(map, (_, i) => i);
  const whole = score(input);
  const sums: number[] = [];
  const drops: number[] = [];
  for (let set = 0; set < sets; set++) {
    const data = input.data.slice();
    let sum = 0;
    // The first n of a shuffle (Fisher and Yates) that goes on from the last set's order.
    for (let k = 0; k < n; k++) {
      const other = k + Math.floor(random() * (pixels.length - k));
      const pixel = pixels[other]!;
      pixels[other] = pixels[k]!;
      pixels[k] = pixel;
      sum += map[pixel]!;
      for (let channel = 0; channel < channels; channel++) {
        data[channel * map.length + pixel] = baseline.data[channel * map.length + pixel]!;
      }
    }
    sums.push(sum);
    drops.push(whole - score(tensor(input.shape, data)));
  }
  return pearson(sums, drops);
}
