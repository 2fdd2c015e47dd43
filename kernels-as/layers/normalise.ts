// Normalisation by statistics of the values themselves, over a group of channels at each pixel or over all pixels.

/** Sum of f(x) over the set: channels [first, last) of pixel (r, i), or of all pixels. */
@inline
function mean(x: usize, xRow: i32, xPixel: i32, first: i32, last: i32, r0: i32, r1: i32, i0: i32, i1: i32, about: f64, squared: bool): f64 {
  let sum: f64 = 0;
  for (let r = r0; r < r1; r++) {
    for (let i = i0; i < i1; i++) {
      const p = x + (<usize>r * <usize>xRow + <usize>(i * xPixel) << 2);
      for (let c = first; c < last; c++) {
        const v = <f64>f32.load(p + (<usize>c << 2)) - about;
        sum += squared ? v * v : v;
      }
    }
  }
  return sum / (<f64>(last - first) * <f64>(r1 - r0) * <f64>(i1 - i0));
}

/**
 * y = (x - mean) / sqrt(mean of (x - mean)^2 + epsilon), the means over a set; without `centre` the mean is taken to be 0.
 *   perPixel 1: a set is `size` channels of one pixel; rows [begin, end) are written. 0: of all pixels; sets [begin, end) are.
 * Layout: y, x NHWC with row and pixel strides in elements; y may alias x. Float64 inside.
 * Source: Ioffe and Szegedy 2015 (without its batch), Ba et al. 2016, Wu and He 2018, Zhang and Sennrich 2019 (centre 0).
 */
export function normaliseForward(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32, height: i32, width: i32, channels: i32, size: i32, perPixel: i32,
  centre: i32, epsilon: f64, begin: i32, end: i32
): void {
  const firstSet = perPixel ? 0 : begin;
  const lastSet = perPixel ? channels / size : end;
  const firstRow = perPixel ? begin : 0;
  const lastRow = perPixel ? end : 1;
  const pixels = perPixel ? width : 1;
  for (let r = firstRow; r < lastRow; r++) {
    for (let i = 0; i < pixels; i++) {
      const r1 = perPixel ? r + 1 : height;
      const i1 = perPixel ? i + 1 : width;
      for (let s = firstSet; s < lastSet; s++) {
        const m = centre ? mean(x, xRow, xPixel, s * size, (s + 1) * size, r, r1, i, i1, 0, false) : 0;
        const k = 1 / Math.sqrt(mean(x, xRow, xPixel, s * size, (s + 1) * size, r, r1, i, i1, m, true) + epsilon);
        for (let h = r; h < r1; h++) {
          for (let w = i; w < i1; w++) {
            for (let c = s * size; c < (s + 1) * size; c++) {
              const v = <f64>f32.load(x + (<usize>h * <usize>xRow + <usize>(w * xPixel + c) << 2));
              f32.store(y + (<usize>h * <usize>yRow + <usize>(w * yPixel + c) << 2), <f32>((v - m) * k));
            }
          }
        }
      }
    }
  }
}

/**
 * Input gradient of normaliseForward:
 *   dx = (dy - (centre ? mean of dy : 0) - y * mean of dy * y) / sqrt(mean of (x - mean)^2 + epsilon), the means over the set
 * Layout: as normaliseForward; dx may not alias anything.
 * Source: derivative of normaliseForward.
 */
export function normaliseInputGrad(
  dx: usize, dxRow: i32, dxPixel: i32, dy: usize, dyRow: i32, dyPixel: i32, x: usize, xRow: i32, xPixel: i32, height: i32, width: i32,
  channels: i32, size: i32, perPixel: i32, centre: i32, epsilon: f64, begin: i32, end: i32
): void {
  const firstSet = perPixel ? 0 : begin;
  const lastSet = perPixel ? channels / size : end;
  const firstRow = perPixel ? begin : 0;
  const lastRow = perPixel ? end : 1;
  const pixels = perPixel ? width : 1;
  for (let r = firstRow; r < lastRow; r++) {
    for (let i = 0; i < pixels; i++) {
      const r1 = perPixel ? r + 1 : height;
      const i1 = perPixel ? i + 1 : width;
      for (let s = firstSet; s < lastSet; s++) {
        const first = s * size;
        const last = first + size;
        const m = centre ? mean(x, xRow, xPixel, first, last, r, r1, i, i1, 0, false) : 0;
        const k = 1 / Math.sqrt(mean(x, xRow, xPixel, first, last, r, r1, i, i1, m, true) + epsilon);
        const shift = centre ? mean(dy, dyRow, dyPixel, first, last, r, r1, i, i1, 0, false) : 0;
        let dot: f64 = 0;
        for (let h = r; h < r1; h++) {
          for (let w = i; w < i1; w++) {
            for (let c = first; c < last; c++) {
              const v = (<f64>f32.load(x + (<usize>h * <usize>xRow + <usize>(w * xPixel + c) << 2)) - m) * k;
              dot += v * <f64>f32.load(dy + (<usize>h * <usize>dyRow + <usize>(w * dyPixel + c) << 2));
            }
          }
        }
        dot /= <f64>size * <f64>(r1 - r) * <f64>(i1 - i);
        for (let h = r; h < r1; h++) {
          for (let w = i; w < i1; w++) {
            for (let c = first; c < last; c++) {
              const v = (<f64>f32.load(x + (<usize>h * <usize>xRow + <usize>(w * xPixel + c) << 2)) - m) * k;
              const g = <f64>f32.load(dy + (<usize>h * <usize>dyRow + <usize>(w * dyPixel + c) << 2));
              f32.store(dx + (<usize>h * <usize>dxRow + <usize>(w * dxPixel + c) << 2), <f32>((g - shift - v * dot) * k));
            }
          }
        }
      }
    }
  }
}
