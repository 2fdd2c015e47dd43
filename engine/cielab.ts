import type { Kernels } from "./kernels.ts";
import { allocatePlanes, type Planes, valuesOf } from "./plane.ts";

// sRGB (IEC 61966-2-1) to CIE XYZ, white point D65.
const toXyz = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
] as const;
const white = [0.95047, 1, 1.08883] as const;
// CIE 15: the bounds of the linear part of f, in exact fractions.
const epsilon = 216 / 24389;
const kappa = 24389 / 27;

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
  const linear = linearLevels();
  const planes = allocatePlanes(kernels, 3, height, width);
  const out = valuesOf(kernels, planes);
  const { cbrt } = kernels.call;
  const f = (t: number): number => (t > epsilon ? cbrt(t) : (kappa * t + 16) / 116);
  const pixels = height * width;
  for (let i = 0; i < pixels; i++) {
    const red = linear[rgb[3 * i]!]!;
    const green = linear[rgb[3 * i + 1]!]!;
    const blue = linear[rgb[3 * i + 2]!]!;
    const fx = f((toXyz[0][0] * red + toXyz[0][1] * green + toXyz[0][2] * blue) / white[0]);
    const fy = f((toXyz[1][0] * red + toXyz[1][1] * green + toXyz[1][2] * blue) / white[1]);
    const fz = f((toXyz[2][0] * red + toXyz[2][1] * green + toXyz[2][2] * blue) / white[2]);
    out[i] = 116 * fy - 16;
    out[pixels + i] = 500 * (fx - fy);
    out[2 * pixels + i] = 200 * (fy - fz);
  }
  return planes;
}
