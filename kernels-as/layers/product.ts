// Products and extremes of feature maps. A stride of 0 repeats an operand along that axis.

/**
 * y[h, w, c] = a[h, w, c] * b[h, w, c].
 * Layout: row, pixel and channel strides of a and b in elements, 0 where they are one wide and y is not. y may not alias a or b. Rows
 * [begin, end) are written.
 * Source: definition.
 */
export function productForward(
  y: usize, yRow: i32, yPixel: i32, a: usize, aRow: i32, aPixel: i32, aChannel: i32, b: usize, bRow: i32, bPixel: i32, bChannel: i32,
  width: i32, channels: i32, begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    for (let i = 0; i < width; i++) {
      const o = y + (<usize>r * <usize>yRow + <usize>(i * yPixel) << 2);
      const p = a + (<usize>r * <usize>aRow + <usize>(i * aPixel) << 2);
      const q = b + (<usize>r * <usize>bRow + <usize>(i * bPixel) << 2);
      let c = 0;
      if (aChannel & bChannel) {
        for (; c + 4 <= channels; c += 4) {
          const at = <usize>c << 2;
          v128.store(o + at, f32x4.mul(v128.load(p + at), v128.load(q + at)));
        }
      }
      for (; c < channels; c++) {
        f32.store(o + (<usize>c << 2), f32.load(p + (<usize>(c * aChannel) << 2)) * f32.load(q + (<usize>(c * bChannel) << 2)));
      }
    }
  }
}

/**
 * dx = sum over what repeats x of factor * r[h, w, c] * (other[h, w, c] or, where other is 0, 1): what a factor of a product gets.
 * Layout: as productForward, for r and other; dx has row, pixel and channel strides of which those along which x is repeated are 0. dx may
 * not alias r or other. Channels [begin, end) are done; where dx has no channels of its own (stride 0), all at once.
 * Source: adjoint of productForward in one factor; sums in float64, row by row.
 */
export function productBackward(
  dx: usize, dxRow: i32, dxPixel: i32, dxChannel: i32, r: usize, rRow: i32, rPixel: i32, other: usize, otherRow: i32, otherPixel: i32, otherChannel: i32,
  factor: f32, height: i32, width: i32, begin: i32, end: i32
): void {
  const heights = dxRow == 0 ? 1 : height;
  const widths = dxPixel == 0 ? 1 : width;
  const depths = dxChannel == 0 ? begin + 1 : end;
  for (let c = begin; c < depths; c++) {
    const lastChannel = dxChannel == 0 ? end : c + 1;
    for (let h = 0; h < heights; h++) {
      const lastRow = dxRow == 0 ? height : h + 1;
      for (let w = 0; w < widths; w++) {
        const lastPixel = dxPixel == 0 ? width : w + 1;
        let sum: f64 = 0;
        for (let k = c; k < lastChannel; k++) {
          for (let j = h; j < lastRow; j++) {
            for (let i = w; i < lastPixel; i++) {
              const v = <f64>f32.load(r + (<usize>j * <usize>rRow + <usize>(i * rPixel) + <usize>k << 2));
              sum += other ? v * <f64>f32.load(other + (<usize>j * <usize>otherRow + <usize>(i * otherPixel) + <usize>(k * otherChannel) << 2)) : v;
            }
          }
        }
        f32.store(dx + (<usize>h * <usize>dxRow + <usize>(w * dxPixel) + <usize>(c * dxChannel) << 2), <f32>(<f64>factor * sum));
      }
    }
  }
}

/**
 * y[r, i] = the larger (sign 1) or smaller (sign -1) of a[r, i] and b[r, i]; rows [begin, end) are written.
 * Layout: rows of `length` floats with strides in elements; y may alias a.
 * Source: definition.
 */
export function extremum(
  y: usize, yRow: i32, a: usize, aRow: i32, b: usize, bRow: i32, length: i32, sign: i32, begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    let p = a + (<usize>r * <usize>aRow << 2);
    let q = b + (<usize>r * <usize>bRow << 2);
    let o = y + (<usize>r * <usize>yRow << 2);
    for (const stop = o + (<usize>length << 2); o < stop; o += 4, p += 4, q += 4) {
      const v = f32.load(p);
      const w = f32.load(q);
      f32.store(o, sign > 0 ? max<f32>(v, w) : min<f32>(v, w));
    }
  }
}

/**
 * dx[r, i] = rest[r, i] where x[r, i] = y[r, i], else 0; what was taken leaves `rest`. Rows [begin, end) are done.
 * Layout: rows of `length` floats with strides in elements; nothing may alias.
 * Source: the winner takes all; called for each input in turn, the first of equals wins.
 */
export function takeEqual(
  dx: usize, dxRow: i32, rest: usize, restRow: i32, x: usize, xRow: i32, y: usize, yRow: i32, length: i32, begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    let p = x + (<usize>r * <usize>xRow << 2);
    let q = y + (<usize>r * <usize>yRow << 2);
    let s = rest + (<usize>r * <usize>restRow << 2);
    let o = dx + (<usize>r * <usize>dxRow << 2);
    for (const stop = o + (<usize>length << 2); o < stop; o += 4, p += 4, q += 4, s += 4) {
      const wins = f32.load(p) == f32.load(q);
      f32.store(o, wins ? f32.load(s) : 0);
      if (wins) f32.store(s, 0);
    }
  }
}
