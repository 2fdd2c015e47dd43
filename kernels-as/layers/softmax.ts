/**
 * Softmax over the channels of every pixel: y[c] = exp(x[c] - max) / sum of exp(x - max).
 * Layout: y, x NHWC with row and pixel strides in elements; y may alias x. Rows [begin, end) are written.
 * Source: definition; exp is the module's own, double inside, so that no host function decides the bytes.
 */
export function softmax(y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32, width: i32, channels: i32, begin: i32, end: i32): void {
  for (let r = begin; r < end; r++) {
    for (let i = 0; i < width; i++) {
      const a = x + (<usize>r * <usize>xRow + <usize>(i * xPixel) << 2);
      const o = y + (<usize>r * <usize>yRow + <usize>(i * yPixel) << 2);
      let largest: f32 = -Infinity;
      for (let c: usize = 0; c < <usize>channels << 2; c += 4) largest = max<f32>(largest, f32.load(a + c));
      let sum: f64 = 0;
      for (let c: usize = 0; c < <usize>channels << 2; c += 4) sum += Math.exp(<f64>f32.load(a + c) - <f64>largest);
      for (let c: usize = 0; c < <usize>channels << 2; c += 4) {
        f32.store(o + c, <f32>(Math.exp(<f64>f32.load(a + c) - <f64>largest) / sum));
      }
    }
  }
}
