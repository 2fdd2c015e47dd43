import { type Tensor, tensor } from "../../engine/basics/tensor.ts";

/**
 * Integrated gradients: (x - baseline) times the mean gradient on the way, taken in the middle of each step. The values sum to the
 * score's difference between x and the baseline, as closely as the steps are fine.
 * Source: Sundararajan et al. 2017, equation 3, by the midpoint rule.
 * @param input [C,H,W]
 * @param baseline [C,H,W]
 * @param gradient gradient of the score, [C,H,W]; called `steps` times
 */
export function integratedGradients(
  input: Tensor,
  baseline: Tensor,
  gradient: (input: Tensor) => Tensor,
  steps = 50,
): Tensor {
  const sum = new Float64Array(input.data.length);
  for (let step = 0; step < steps; step++) {
    const part = (step + 0.5) / steps;
    const between = input.data.map((value, i) => baseline.data[i]! + part * (value - baseline.data[i]!));
    const { data } = gradient(tensor(input.shape, between));
    for (let i = 0; i < sum.length; i++) sum[i]! += data[i]!;
  }
  return tensor(
    input.shape,
    input.data.map((value, i) => ((value - baseline.data[i]!) * sum[i]!) / steps),
  );
}
