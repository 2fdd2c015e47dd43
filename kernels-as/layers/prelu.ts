// The rectifier with a slope for each channel.

/**
 * y[r, i] = x < 0 ? slope[i % channels] * x : x; rows [begin, end) are written.
 * Source: PReLU, He et al. 2015.
 */
export function preluForward(
  y: usize, yRow: i32, x: usize, xRow: i32, slope: usize, width: i32, channels: i32, begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    let p = x + (<usize>r * <usize>xRow << 2);
    let o = y + (<usize>r * <usize>yRow << 2);
    for (let i = 0; i < width; i++) {
      for (let c = 0; c < channels; c++, p += 4, o += 4) {
        const v = f32.load(p);
        f32.store(o, v < 0 ? v * f32.load(slope + (<usize>c << 2)) : v);
      }
    }
  }
}

/**
 * dx[r, i] = x < 0 ? slope[i % channels] * dy : dy, 0 where positiveOnly and dy <= 0; rows [begin, end) are written.
 * Source: derivative of preluForward, that from the right at 0.
 */
export function preluGrad(
  dx: usize, dxRow: i32, dy: usize, dyRow: i32, x: usize, xRow: i32, slope: usize, width: i32, channels: i32, positiveOnly: i32,
  begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    let p = x + (<usize>r * <usize>xRow << 2);
    let q = dy + (<usize>r * <usize>dyRow << 2);
    let o = dx + (<usize>r * <usize>dxRow << 2);
    for (let i = 0; i < width; i++) {
      for (let c = 0; c < channels; c++, p += 4, q += 4, o += 4) {
        const v = f32.load(q);
        f32.store(o, positiveOnly && v <= 0 ? 0 : f32.load(p) < 0 ? v * f32.load(slope + (<usize>c << 2)) : v);
      }
    }
  }
}
