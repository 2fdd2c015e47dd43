import type { Kernels } from "../memory/kernels.ts";
import { allocatePlanes, type Planes } from "../memory/planes.ts";

/** v^2.4 for v in (0, 1] by Newton's method on the fifth root, without the host's `pow`: v^2.4 = v^2 (v^(1/5))^2. */
function power24(v: number): number {
  let root = 1;
  for (let step = 0; step < 40; step++) root -= (root - v / (root * root * root * root)) / 5;
  return v * v * root * root;
}

/** sRGB levels 0..255 to linear light in [0,1]. */
export function linearLevels(): Float64Array {
  return Float64Array.from({ length: 256 }, (_, level) => {
    const v = level / 255;
    return v <= 0.04045 ? v / 12.92 : power24((v + 0.055) / 1.055);
  });
}

/**
 * CIELAB of an 8-bit sRGB picture: planes L* (0..100), a*, b*.
 * @param rgb height*width*3 levels, pixel by pixel
 */
export function labPlanes(kernels: Kernels, rgb: Uint8Array, height: number, width: number): Planes {
  const { arena, split } = kernels;
  const planes = allocatePlanes(kernels, 3, height, width);
  const mark = arena.mark();
  const levels = arena.allocate(rgb.length);
  arena.u8(levels, rgb.length).set(rgb);
  const linear = arena.allocate(256 * 8);
  arena.f64(linear, 256).set(linearLevels());
  split("labPlanes", height * width, planes.address, levels, linear, height * width);
  arena.release(mark);
  return planes;
}
