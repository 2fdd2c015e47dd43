import type { Tensor } from "../../engine/basics/tensor.ts";

/** Relevance [C,H,W] as one value a pixel: the sum over the channels of |R|. */
export function absoluteMap({ shape, data }: Tensor): Float64Array {
  const area = data.length / (shape[0] ?? 1);
  const map = new Float64Array(area);
  for (let i = 0; i < data.length; i++) map[i % area]! += Math.abs(data[i]!);
  return map;
}

/** Relevance [C,H,W] as one value a pixel: the sum over the channels where it speaks for the target, 0 elsewhere. */
export function positiveMap({ shape, data }: Tensor): Float64Array {
  const area = data.length / (shape[0] ?? 1);
  const map = new Float64Array(area);
  for (let i = 0; i < data.length; i++) map[i % area]! += data[i]!;
  return map.map((value) => Math.max(0, value));
}
