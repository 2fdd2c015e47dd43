import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { seededNormal } from "../basics/normal.ts";

/**
 * SmoothGrad: the mean gradient over inputs with Gaussian noise of `noise` times the input's range.
 * Source: Smilkov et al. 2017, section 3 (10 to 20 %, 50 samples).
 * @param input [C,H,W]
 * @param gradient gradient of the score, [C,H,W]; called `samples` times
 */
export function smoothGrad(
  input: Tensor,
  gradient: (input: Tensor) => Tensor,
  samples = 25,
  noise = 0.15,
  seed = 1,
): Tensor {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of input.data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const sigma = noise * (high - low);
  const normal = seededNormal(seed);
  const sum = new Float64Array(input.data.length);
  for (let sample = 0; sample < samples; sample++) {
    const { data } = gradient(
      tensor(
        input.shape,
        input.data.map((value) => value + sigma * normal()),
      ),
    );
    for (let i = 0; i < sum.length; i++) sum[i]! += data[i]!;
  }
  return tensor(
    input.shape,
    Float32Array.from(sum, (value) => value / samples),
  );
}
