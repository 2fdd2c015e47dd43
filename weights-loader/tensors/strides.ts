import { elementCount, type Shape } from "../../engine/basics/tensor.ts";

// Strides in elements, one an axis.

/** True when strides describe C order without gaps (axes of size 1 may have any stride). */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

/** Copies a strided block into C order. `values[start]` is element [0,0,...]. */
export function gather(values: Float32Array, start: number, shape: Shape, strides: readonly number[]): Float32Array {
  const result = new Float32Array(elementCount(shape));
  const last = shape.length - 1;
  let next = 0;
  const walk = (axis: number, at: number): void => {
    const size = shape[axis] ?? 1;
    const stride = strides[axis] ?? 0;
    if (axis >= last) {
      for (let i = 0; i < size; i++) result[next++] = values[at + i * stride]!;
    } else {
      for (let i = 0; i < size; i++) walk(axis + 1, at + i * stride);
    }
  };
  if (result.length > 0) walk(0, start);
  return result;
}

/** Index distance from a tensor's first element to its last; without strides it is in C order. */
export function spanOf({ shape, strides }: { readonly shape: Shape; readonly strides?: readonly number[] }): number {
  if (strides === undefined) return elementCount(shape) - 1;
  let span = 0;
  for (const [axis, size] of shape.entries()) span += (size - 1) * (strides[axis] ?? 0);
  return span;
}
