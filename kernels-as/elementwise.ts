/**
 * out[i] = value for i in [begin, end).
 */
export function fill(out: usize, value: f32, begin: i32, end: i32): void {
  let p = out + ((<usize>begin) << 2);
  const stop = out + ((<usize>end) << 2);
  const v = f32x4.splat(value);
  while (p + 16 <= stop) {
    v128.store(p, v);
    p += 16;
  }
  while (p < stop) {
    f32.store(p, value);
    p += 4;
  }
}
