import type { Kernels } from "../../engine/memory/kernels.ts";
import { allocatePlanes, type Planes, valuesOf } from "../../engine/memory/planes.ts";

/** Puts planes, one after another, into kernel memory. */
export function planesOf(kernels: Kernels, data: ArrayLike<number>, height: number, width: number): Planes {
  const planes = allocatePlanes(kernels, data.length / (height * width), height, width);
  valuesOf(kernels, planes).set(data);
  return planes;
}
