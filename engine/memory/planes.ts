import { type Tensor, tensor } from "../basics/tensor.ts";
import type { Kernels } from "./kernels.ts";

/**
 * Planes of one size in kernel memory, one after another, each row by row in float64: channels of an image, or maps. The
 * Salient Relevance step computes with them from start to end.
 */
export interface Planes {
  readonly address: number;
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/** Reserves memory for planes; their values are whatever is there. */
export function allocatePlanes({ arena }: Kernels, count: number, height: number, width: number): Planes {
  return { address: arena.reserve(count * height * width * 8), count, height, width };
}

/** Plane k of a stack, as a stack of one. */
export function planeAt({ address, height, width }: Planes, k: number): Planes {
  return { address: address + k * height * width * 8, count: 1, height, width };
}

/** View of the values, plane by plane, row by row; do not keep it across an allocation. */
export function valuesOf({ arena }: Kernels, { address, count, height, width }: Planes): Float64Array {
  return arena.f64(address, count * height * width);
}

/** A single plane as float32 [height,width]. */
export function toTensor(kernels: Kernels, plane: Planes): Tensor {
  return tensor([plane.height, plane.width], new Float32Array(valuesOf(kernels, plane)));
}

/** Smallest and largest value of each row, through all planes: address of [count*height,2]. */
export function rangesOf({ arena, split }: Kernels, { address, count, height, width }: Planes): number {
  const ranges = arena.reserve(count * height * 16);
  split("rangeRows", count * height, ranges, address, width);
  return ranges;
}

/** Each plane becomes (x - min) / (max - min), in place; zeros where it is constant. */
export function normaliseRange(kernels: Kernels, planes: Planes): void {
  const { arena, split } = kernels;
  const { address, count, height, width } = planes;
  const mark = arena.mark();
  const ranges = rangesOf(kernels, planes);
  split("normaliseRows", count * height, address, ranges, height, width);
  arena.release(mark);
}

/** The mean of planes, into `out`. */
export function meanOf({ split }: Kernels, { address, count, height, width }: Planes, out: Planes): void {
  const pixels = height * width;
  split("sumPlanes", pixels, out.address, address, count, pixels, count);
}
