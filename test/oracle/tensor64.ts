import type { Shape } from "../../engine/basics/tensor.ts";

/** A float64 tensor in C order: what oracles compute with. Images are [C,H,W], vectors [F]. */
export interface Tensor64 {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** Number of elements of a shape. */
export function count(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Copies values into a float64 tensor; refuses a wrong length. */
export function tensor64(shape: Shape, values: ArrayLike<number>): Tensor64 {
  if (values.length !== count(shape)) throw new RangeError(`[${shape.join(",")}] is not ${values.length} values`);
  return { shape, data: Float64Array.from(values) };
}

/** Channels, height and width of an image; a vector is F channels of one pixel. */
export function imageSizes(shape: Shape): readonly [channels: number, height: number, width: number] {
  const [channels = 1, height = 1, width = 1] = shape;
  if (shape.length !== 1 && shape.length !== 3) throw new RangeError(`[${shape.join(",")}] is no image and no vector`);
  return [channels, height, width];
}

/** Sum of all values, in order. */
export function total(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}
