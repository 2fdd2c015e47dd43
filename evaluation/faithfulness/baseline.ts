import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { seededRandom } from "../basics/random.ts";
import { gaussianBlur } from "../maps/gaussian-blur.ts";

/** What replaces a pixel. */
export type BaselineKind = "mean" | "blur" | "noise";

/**
 * The input [C,H,W] that perturbation goes to: each channel's mean, the channel blurred (sigma 10, Petsiuk et al. 2018 use one of
 * this strength), or uniform noise between the channel's smallest and largest value.
 */
export function perturbationBaseline(input: Tensor, kind: BaselineKind, seed = 1): Tensor {
  const [channels = 1, , width = 1] = input.shape;
  const area = input.data.length / channels;
  const out = new Float32Array(input.data.length);
  const random = seededRandom(seed);
  for (let channel = 0; channel < channels; channel++) {
    const plane = input.data.subarray(channel * area, (channel + 1) * area);
    const part = out.subarray(channel * area, (channel + 1) * area);
    if (kind === "blur") part.set(gaussianBlur(plane, width, 10));
    else if (kind === "mean") part.fill(plane.reduce((sum, value) => sum + value, 0) / area);
    else {
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const value of plane) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
      for (let i = 0; i < area; i++) part[i] = low + random() * (high - low);
    }
  }
  return tensor(input.shape, out);
}
