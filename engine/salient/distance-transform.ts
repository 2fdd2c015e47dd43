import { allocatePerThread, type Kernels } from "../memory/kernels.ts";
import { allocatePlanes, type Planes } from "../memory/planes.ts";

/**
 * Euclidean distance of each pixel to the nearest one of its plane that is above the threshold, exact; Infinity everywhere
 * when none is.
 */
export function distanceTransform(kernels: Kernels, planes: Planes, threshold: number): Planes {
  const { arena, split } = kernels;
  const { address, count, height, width } = planes;
  const out = allocatePlanes(kernels, count, height, width);
  const mark = arena.mark();
  const columns = arena.reserve(count * height * width * 4);
  split("distanceColumns", count * width, columns, address, threshold, height, width);
  const scratch = allocatePerThread(kernels, width * 12);
  split("distanceRows", count * height, out.address, scratch, columns, height, width);
  arena.release(mark);
  return out;
}
