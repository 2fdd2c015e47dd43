import { ShapeError } from "./errors.ts";

/** Sizes of a tensor, outermost first. */
export type Shape = readonly number[];

/** A dense float32 tensor, C order (last axis contiguous), NCHW where it holds images: as in PyTorch and ONNX. */
export interface Tensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** Number of elements of a shape; 1 for a scalar shape `[]`. */
export function elementCount(shape: Shape): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/**
 * Whether a value of this shape can be held: 2^28 elements are a GiB of the 4 that WebAssembly has. Images have at most 2^22 channels, rows
 * and columns, since some layers keep a list of them. What a file merely claims is refused by this before anything is made of that size.
 */
export function isHoldable(shape: Shape): boolean {
  return elementCount(shape) <= 2 ** 28 && (shape.length === 1 || shape.every((size) => size <= 2 ** 22));
}

/** True when both shapes have the same rank and sizes. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** `[1,3,224,224]`, the way shapes are written in messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(",")}]`;
}

/**
 * Makes a tensor over existing data (not copied).
 * @throws ShapeError when the shape is not made of non-negative integers or its product is not the data's length.
 */
export function tensor(shape: Shape, data: Float32Array): Tensor {
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new ShapeError(`tensor: shape must be made of non-negative integers, got ${formatShape(shape)}.`);
  }
  if (elementCount(shape) !== data.length) {
    throw new ShapeError(
      `tensor: shape ${formatShape(shape)} needs ${elementCount(shape)} elements, got ${data.length}.`,
    );
  }
  return { shape, data };
}

/** Elements from one place along an axis to the next, C order. */
export function stridesOf(shape: Shape): number[] {
  const strides: number[] = [];
  let step = 1;
  for (const size of [...shape].reverse()) {
    strides.unshift(step);
    step *= size;
  }
  return strides;
}
