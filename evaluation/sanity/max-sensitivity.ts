import { ShapeError } from "../../engine/basics/errors.ts";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { checkMap, type MapValues } from "../basics/check.ts";
import { seededRandom } from "../basics/random.ts";

/**
 * Max-sensitivity: how much a map changes, at most, when uniform noise within +-radius is added to the input: largest
 * |map(x + noise) - map(x)| / |map(x)| of Frobenius norms. 0 for a map that does not look at the input, NaN for one that is 0 everywhere.
 * Source: Yeh et al. 2019, On the (In)fidelity and Sensitivity of Explanations, definition 2; divided by the map's norm, so that maps of
 * any scale can be compared, as Quantus 0.6 and captum 0.9 do.
 * @param input [C,H,W]
 * @param explain makes the map of an input, always of one size
 * @param samples how many noisy inputs
 * @throws ShapeError when the maps differ in size, and as checkMap
 */
export function maxSensitivity(
  input: Tensor,
  explain: (input: Tensor) => MapValues,
  radius = 0.2,
  samples = 10,
  seed = 1,
): number {
  const random = seededRandom(seed);
  const own = Float64Array.from(explain(input));
  checkMap(own);
  const norm = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
  if (norm === 0) return Number.NaN;
  let largest = 0;
  for (let sample = 0; sample < samples; sample++) {
    const noisy = explain(
      tensor(
        input.shape,
        input.data.map((value) => value + radius * (2 * random() - 1)),
      ),
    );
    checkMap(noisy);
    if (noisy.length !== own.length) {
      throw new ShapeError(`maxSensitivity: maps must have one size, got ${own.length} and ${noisy.length}.`);
    }
    let sum = 0;
    for (let i = 0; i < own.length; i++) sum += (noisy[i]! - own[i]!) ** 2;
    largest = Math.max(largest, Math.sqrt(sum) / norm);
  }
  return largest;
}
