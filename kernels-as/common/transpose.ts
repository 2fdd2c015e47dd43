/** Stores four rows of four floats as columns: out[j][i] = r_i[j], rows of out `stride` bytes apart. */
@inline
export function storeTransposed(out: usize, stride: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<f64>(low01, low23, 0, 2));
  v128.store(out + stride, v128.shuffle<f64>(low01, low23, 1, 3));
  v128.store(out + 2 * stride, v128.shuffle<f64>(high01, high23, 0, 2));
  v128.store(out + 3 * stride, v128.shuffle<f64>(high01, high23, 1, 3));
}
