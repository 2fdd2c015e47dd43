import type { Tensor } from "../../engine/basics/tensor.ts";

/** How channels are weighted. */
export type ActivationMapKind = "gradcam" | "gradcam++" | "layercam";

/** Every `ActivationMapKind`. */
export const activationMapKinds: readonly ActivationMapKind[] = ["gradcam", "gradcam++", "layercam"];

/** Weight of every position of one channel, [h w], from the feature map A and its gradient G. */
function weights(kind: ActivationMapKind, a: Float32Array, g: Float32Array): (i: number) => number {
  if (kind === "layercam") return (i) => Math.max(0, g[i]!);
  if (kind === "gradcam") {
    let sum = 0;
    for (const value of g) sum += value;
    return () => sum / g.length;
  }
  let mass = 0;
  for (const value of a) mass += value;
  let weight = 0;
  for (const value of g) {
    if (value === 0) continue;
    const alpha = value ** 2 / (2 * value ** 2 + mass * value ** 3 + 1e-6);
    weight += Math.max(0, value) * alpha;
  }
  return () => weight;
}

/**
 * A class activation map of a layer: max(0, sum over channels of weight x A), [h,w].
 *   gradcam: weight = mean of G over the positions (Selvaraju et al. 2017, equation 1)
 *   gradcam++: sum of alpha max(0, G), alpha = G^2 / (2 G^2 + sum A G^3 + 1e-6) (Chattopadhyay et al. 2018, equation 19)
 *   layercam: max(0, G) at each position (Jiang et al. 2021, equation 6)
 * G may be the relevance of any rule set divided by A in its place.
 * @param featureMap A [C,h,w]
 * @param gradient G [C,h,w]
 */
export function classActivationMap(kind: ActivationMapKind, featureMap: Tensor, gradient: Tensor): Float64Array {
  const [channels = 1, height = 1, width = 1] = featureMap.shape;
  const area = height * width;
  const map = new Float64Array(area);
  for (let channel = 0; channel < channels; channel++) {
    const a = featureMap.data.subarray(channel * area, (channel + 1) * area);
    const weight = weights(kind, a, gradient.data.subarray(channel * area, (channel + 1) * area));
    for (let i = 0; i < area; i++) map[i]! += weight(i) * a[i]!;
  }
  return map.map((value) => Math.max(0, value));
}
