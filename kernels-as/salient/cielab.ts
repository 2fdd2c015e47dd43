// Colour for the Salient Relevance step.

// CIE 15: the bounds of the linear part of f, in exact fractions.
const epsilon: f64 = 216.0 / 24389.0;
const kappa: f64 = 24389.0 / 27.0;

/** CIE 15, the nonlinear part of CIELAB. */
function f(t: f64): f64 {
  return t > epsilon ? Math.cbrt(t) : (kappa * t + 16) / 116;
}

/**
 * CIELAB of an 8-bit sRGB picture (IEC 61966-2-1, white point D65): planes L* (0..100), a*, b*.
 * Layout: out [3,pixels] float64, rgb [pixels,3] bytes, linear [256] float64: the light of each level, in [0,1]. Pixels
 * [begin,end) are written.
 * Source: IEC 61966-2-1 (the light of a level) and CIE 15 (CIELAB).
 */
export function labPlanes(out: usize, rgb: usize, linear: usize, pixels: i32, begin: i32, end: i32): void {
  const plane = (<usize>pixels) << 3;
  let p = rgb + <usize>begin * 3;
  let to = out + ((<usize>begin) << 3);
  for (let i = begin; i < end; i++) {
    const r = f64.load(linear + ((<usize>load<u8>(p)) << 3));
    const g = f64.load(linear + ((<usize>load<u8>(p, 1)) << 3));
    const b = f64.load(linear + ((<usize>load<u8>(p, 2)) << 3));
    const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
    const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
    const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
    f64.store(to, 116 * y - 16);
    f64.store(to + plane, 500 * (x - y));
    f64.store(to + 2 * plane, 200 * (y - z));
    p += 3; // rgb at [i+1,0]
    to += 8;
  }
}
