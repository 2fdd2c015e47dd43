// Convolutions with at most three output channels: the gradient of a network's first layer. With outputs in the lanes five of eight
// would be idle; here the lanes are four input channels, and their sums are added at the end.

/** The four lanes of a sum, in a fixed tree. */
@inline
function laneSum(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/**
 * 2 pixels x 3 outputs. Each pixel's inputs are `rows` x `taps` runs of depthBytes contiguous bytes; weights are read in order. After a
 * run the pixel pointers move on by tapSkip bytes, after a row of runs by rowSkip bytes more.
 */
function tile2x3(
  rows: i32, taps: i32, depthBytes: usize, rowSkip: isize, tapSkip: isize, a0: usize, a1: usize, w: usize, outC: i32, y0: usize, y1: usize
): void {
  let c00 = f32x4.splat(0), c01 = c00, c02 = c00, c10 = c00, c11 = c00, c12 = c00;
  do {
    let t = taps;
    do {
      const stop = a0 + depthBytes;
      do {
        // a_p at [pixel p, ky, kx, c..c+3], w at [ky, kx, c/4, m, 0..3]
        const x0 = v128.load(a0);
        const x1 = v128.load(a1);
        const w0 = v128.load(w);
        c00 = f32x4.add(c00, f32x4.mul(x0, w0));
        c10 = f32x4.add(c10, f32x4.mul(x1, w0));
        const w1 = v128.load(w, 16);
        c01 = f32x4.add(c01, f32x4.mul(x0, w1));
        c11 = f32x4.add(c11, f32x4.mul(x1, w1));
        const w2 = v128.load(w, 32);
        c02 = f32x4.add(c02, f32x4.mul(x0, w2));
        c12 = f32x4.add(c12, f32x4.mul(x1, w2));
        a0 += 16;
        a1 += 16;
        w += 48;
      } while (a0 < stop);
      a0 += tapSkip;
      a1 += tapSkip;
    } while (--t);
    a0 += rowSkip;
    a1 += rowSkip;
  } while (--rows);
  f32.store(y0, laneSum(c00));
  f32.store(y1, laneSum(c10));
  if (outC > 1) {
    f32.store(y0, laneSum(c01), 4);
    f32.store(y1, laneSum(c11), 4);
  }
  if (outC > 2) {
    f32.store(y0, laneSum(c02), 8);
    f32.store(y1, laneSum(c12), 8);
  }
}

/**
 * 2-D convolution with stride 1 of one group with at most three output channels, without bias.
 *   y[oy,ox,m] = sum over i,j,c of w[m,c,i,j] * x[oy + i*dilationH, ox + j*dilationW, c]
 * Layout: y and x NHWC with the given row and pixel strides (elements), x points at the first tap of output (0,0); w packed
 * [kh][kw][inC/4][3][4] with zeros for outputs that are not there; inC a multiple of 4, outC 1 to 3. y may not alias x. Rows [begin, end)
 * of the output are written.
 * Fixed order: four partial sums, over c%4, each over i, j, c; their total is a tree.
 * Source: definition; checked against the float64 oracle.
 */
export function narrowConv2dForward(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32, w: usize,
  outW: i32, outC: i32, inC: i32, kh: i32, kw: i32, dilationH: i32, dilationW: i32, begin: i32, end: i32
): void {
  // The taps of one row form a single run when the group owns all channels of the pixel and there is no dilation.
  const merged = inC == xPixel && dilationW == 1;
  const taps = merged ? 1 : kw;
  const depthBytes = <usize>(merged ? kw * inC : inC) << 2;
  const tapSkip: isize = merged ? 0 : <isize>(dilationW * xPixel - inC) << 2;
  const rowSkip: isize = (<isize>(dilationH * xRow) << 2) - (merged ? <isize>depthBytes : <isize>(kw * dilationW * xPixel) << 2);
  const stepX = <usize>xPixel << 2;
  const stepY = <usize>yPixel << 2;
  for (let oy = begin; oy < end; oy++) {
    let a = x + (<usize>oy * <usize>xRow << 2);
    let to = y + (<usize>oy * <usize>yRow << 2);
    for (let ox = 0; ox < outW; ox += 2) {
      // past the last pixel the pointers stay, and the same value is stored again
      const hasSecond = ox + 1 < outW;
      tile2x3(kh, taps, depthBytes, rowSkip, tapSkip, a, hasSecond ? a + stepX : a, w, outC, to, hasSecond ? to + stepY : to);
      a += stepX << 1;
      to += stepY << 1;
    }
  }
}

/**
 * Packs the transposed weights of one group for narrowConv2dForward: the input gradient of one stride phase, as conv2dPackTransposed.
 *   packedT[a][b][m/4][c][m%4] = w[m][c][i(a)][j(b)], i(a) = lastI - a*stepI, j(b) = lastJ - b*stepJ; 0 for c from inC to 2
 * Layout: packed as conv2dPack writes it ([outC/8][kh][kw][inC][8]); packedT [taps rows][taps columns][outC/4][3][4]. outC a multiple
 * of 4, inC at most 3.
 * Source: adjoint of conv2dForward, taps of one residue class flipped.
 */
export function narrowConv2dPackTransposed(
  packedT: usize, packed: usize, outC: i32, inC: i32, kh: i32, kw: i32,
  rows: i32, lastI: i32, stepI: i32, columns: i32, lastJ: i32, stepJ: i32
): void {
  let out = packedT;
  for (let a = 0; a < rows; a++) {
    const i = lastI - a * stepI;
    for (let b = 0; b < columns; b++) {
      const j = lastJ - b * stepJ;
      for (let m = 0; m < outC; m += 4) {
        for (let c = 0; c < 3; c++) {
          // out at [a, b, m/4, c, 0..3]; packed at [m/8, i, j, c, m%8..m%8+3]
          const from = packed + (<usize>((((m >> 3) * kh + i) * kw + j) * inC + c) << 5) + (<usize>(m & 7) << 2);
          v128.store(out, c < inC ? v128.load(from) : f32x4.splat(0));
          out += 16;
        }
      }
    }
  }
}
