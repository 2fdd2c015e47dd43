// Where float32 cannot tell which value of a max pooling window is the largest: what finds such windows, and what settles them in double.

/** Positions that a window may have: their likenesses fit four bits each. */
const mostPositions = 16;

/**
 * Marks the windows of a max pooling in which float32 may have chosen the wrong winner: in some channel values are as close to the largest as
 * rounding, and they come from different patches.
 *   marks[oy,ox] = 1 where for some c with low < y[oy,ox,c] < high two positions hold x >= y - tolerances[c] and read patches that differ
 * Layout: marks [outH][outW] bytes; x, y NHWC with row and pixel strides in elements, y the maxima; windows are clipped to the image, as in
 * maxPool2dForward, and have at most 16 positions. The value of x at (i,j) comes from the patch that begins at patches + i*patchRow + j*patchPixel
 * elements, of patchRows rows, patchStride elements apart, of patchLength contiguous elements. tolerances [channels]. Rows [begin, end) are
 * written.
 * Source: definition; see docs/design.md, the numeric contract.
 */
export function maxPool2dNearTies(
  marks: usize, x: usize, xRow: i32, xPixel: i32, y: usize, yRow: i32, yPixel: i32,
  patches: usize, tolerances: usize, patchRow: i32, patchPixel: i32, patchStride: i32, patchRows: i32, patchLength: i32,
  inH: i32, inW: i32, outW: i32, channels: i32, kh: i32, kw: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32, dilationH: i32, dilationW: i32, low: f32, high: f32, begin: i32, end: i32
): void {
  const least = f32x4.splat(low);
  const most = f32x4.splat(high);
  const rowBytes = <usize>(dilationH * xRow) << 2;
  const columnBytes = <usize>(dilationW * xPixel) << 2;
  for (let oy = begin; oy < end; oy++) {
    const top = oy * strideH - padTop;
    const i0 = top < 0 ? (dilationH - 1 - top) / dilationH : 0;
    const rows = (top + (kh - 1) * dilationH < inH ? kh : (inH - 1 - top) / dilationH + 1) - i0;
    for (let ox = 0; ox < outW; ox++) {
      const left = ox * strideW - padLeft;
      const j0 = left < 0 ? (dilationW - 1 - left) / dilationW : 0;
      const columns = (left + (kw - 1) * dilationW < inW ? kw : (inW - 1 - left) / dilationW + 1) - j0;
      const y0 = top + i0 * dilationH;
      const x0 = left + j0 * dilationW;
      const first = x + (<usize>(y0 * xRow + x0 * xPixel) << 2);
      const best = y + (<usize>(oy * yRow + ox * yPixel) << 2);
      let likenesses: u64 = 0;
      let areKnown = false;
      let mark = 0;
      for (let c = 0; c < channels && !mark; c += 4) {
        const at = <usize>c << 2;
        if (c + 4 <= channels) {
          // most windows end here: nothing is close to the largest
          const b = v128.load(best + at);
          const isNear = areSeveral(first + at, rowBytes, columnBytes, rows, columns, f32x4.sub(b, v128.load(tolerances + at)));
          if (!v128.any_true(v128.and(isNear, v128.and(f32x4.gt(b, least), f32x4.lt(b, most))))) continue;
        }
        if (!areKnown) {
          const patch = patches + (<usize>(y0 * patchRow + x0 * patchPixel) << 2);
          likenesses = likenessesOf(patch, dilationH * patchRow, dilationW * patchPixel, rows, columns, patchStride, patchRows, patchLength);
          areKnown = true;
          if (!likenesses) break; // all are equal
        }
        for (let lane = c; lane < min(c + 4, channels); lane++) {
          const b = f32.load(best + (<usize>lane << 2));
          if (b > low && b < high && areApart(first + (<usize>lane << 2), rowBytes, columnBytes, rows, columns, b - f32.load(tolerances + (<usize>lane << 2)), likenesses)) {
            mark = 1;
          }
        }
      }
      store<u8>(marks + <usize>(oy * outW + ox), mark);
    }
  }
}

/** Lanes of channels in which more than one position of the window at `row` holds at least `limit`. */
@inline
function areSeveral(row: usize, rowBytes: usize, columnBytes: usize, rows: i32, columns: i32, limit: v128): v128 {
  let count = i32x4.splat(0);
  for (let i = 0; i < rows; i++) {
    let from = row; // x at [i, j, c..c+3]
    for (let j = 0; j < columns; j++) {
      count = i32x4.sub(count, f32x4.ge(v128.load(from), limit));
      from += columnBytes;
    }
    row += rowBytes;
  }
  return i32x4.gt_s(count, i32x4.splat(1));
}

/** For each position, row by row, the number of the first one whose patch is equal; four bits each. */
function likenessesOf(
  patch: usize, rowStep: i32, columnStep: i32, rows: i32, columns: i32, patchStride: i32, patchRows: i32, patchLength: i32
): u64 {
  let result: u64 = 0;
  const count = min(rows * columns, mostPositions);
  for (let p = 1; p < count; p++) {
    const own = patch + (<usize>(p / columns * rowStep + p % columns * columnStep) << 2);
    let q = 0;
    for (; q < p; q++) {
      const isFirst = (<i32>(result >> (q << 2)) & 15) == q; // others are like one before
      if (isFirst && equalPatches(own, patch + (<usize>(q / columns * rowStep + q % columns * columnStep) << 2), patchStride, patchRows, patchLength)) break;
    }
    result |= <u64>q << (p << 2);
  }
  return result;
}

/** True where values of at least `limit` lie at positions that are not alike. */
function areApart(first: usize, rowBytes: usize, columnBytes: usize, rows: i32, columns: i32, limit: f32, likenesses: u64): bool {
  let likeness = -1;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      if (f32.load(first + <usize>i * rowBytes + <usize>j * columnBytes) >= limit) {
        const own = <i32>(likenesses >> (i * columns + j << 2)) & 15;
        if (likeness >= 0 && own != likeness) return true;
        likeness = own;
      }
    }
  }
  return false;
}

/**
 * 1 where two patches of an image are equal, element by element; a NaN equals nothing.
 * Layout: a, b at the first elements of `rows` rows, rowStride elements apart, of `length` contiguous elements.
 * Source: definition.
 */
export function equalPatches(a: usize, b: usize, rowStride: i32, rows: i32, length: i32): i32 {
  const whole = length & ~3;
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < whole; k += 4) {
      // a, b at [i, k..k+3]
      if (v128.any_true(f32x4.ne(v128.load(a + (<usize>k << 2)), v128.load(b + (<usize>k << 2))))) return 0;
    }
    for (let k = whole; k < length; k++) {
      if (f32.load(a + (<usize>k << 2)) != f32.load(b + (<usize>k << 2))) return 0;
    }
    a += <usize>rowStride << 2;
    b += <usize>rowStride << 2;
  }
  return 1;
}

/**
 * One output of a convolution, summed in double.
 *   bias + sum over i,j,c of w[i,j,c] * x[i*dilationH, j*dilationW, c]
 * Layout: x at the first tap of the output, NHWC with strides in elements; w at the output's lane of a pack of conv2dPack, wStep elements
 * from one (i,j,c) to the next (8; 4 in a depthwise pack, with inC 1); bias of the output or 0.
 * Fixed order: the bias, then by i, j, c.
 * Source: definition; checked against the float64 oracle.
 */
export function conv2dSum64(
  x: usize, xRow: i32, xPixel: i32, w: usize, bias: usize, wStep: i32, inC: i32, kh: i32, kw: i32, dilationH: i32, dilationW: i32
): f64 {
  let sum: f64 = bias ? <f64>f32.load(bias) : 0;
  for (let i = 0; i < kh; i++) {
    for (let j = 0; j < kw; j++) {
      let at = x + (<usize>(i * dilationH * xRow + j * dilationW * xPixel) << 2);
      for (let c = 0; c < inC; c++) {
        // x at [i, j, c], w at [i, j, c, lane]
        sum += <f64>f32.load(w) * <f64>f32.load(at);
        at += 4;
        w += <usize>wStep << 2;
      }
    }
  }
  return sum;
}
