import { storeTransposed } from "../common/transpose";

// Weights as conv2dForward reads them: panels of eight output channels.

/**
 * Packs rows of a weight tensor of one group for conv2dForward.
 *   packed[m/8][i][j][c][m%8] = w[m - first][c][i][j] * (scale ? scale[m - first] : 1) for m in [first, first + rows)
 * Layout: w OIHW, C order, starting at row `first` of the group; scale [rows] or 0. packed must be zero before the first call.
 * Source: layout of conv2dForward.
 */
export function conv2dPack(packed: usize, w: usize, scale: usize, first: i32, rows: i32, inC: i32, kh: i32, kw: i32): void {
  const taps = kh * kw;
  for (let r = 0; r < rows; r++) {
    const m = first + r;
    const factor: f32 = scale ? f32.load(scale + (<usize>r << 2)) : 1;
    const panel = packed + (<usize>(m >> 3) * <usize>(taps * inC) << 5) + (<usize>(m & 7) << 2);
    for (let c = 0; c < inC; c++) {
      let out = panel + (<usize>c << 5); // packed at [m/8, 0, c, m%8]
      for (let t = 0; t < taps; t++) {
        f32.store(out, f32.load(w) * factor);
        w += 4; // w at [m, c, t]
        out += <usize>inC << 5; // packed at [m/8, t, c, m%8]
      }
    }
  }
}

/**
 * Packs the transposed weights of one group for the input gradient of one stride phase, itself a convolution of dy.
 *   packedT[c/8][a][b][m][c%8] = w[m][c][i(a)][j(b)], i(a) = lastI - a*stepI, j(b) = lastJ - b*stepJ
 * Layout: packed as conv2dPack writes it ([outC/8][kh][kw][inC][8]); packedT [ceil(inC/8)][taps rows][taps columns][outC][8].
 * Source: adjoint of conv2dForward, taps of one residue class flipped.
 */
export function conv2dPackTransposed(
  packedT: usize, packed: usize, outC: i32, inC: i32, kh: i32, kw: i32,
  rows: i32, lastI: i32, stepI: i32, columns: i32, lastJ: i32, stepJ: i32
): void {
  let panel = packedT;
  for (let c = 0; c < inC; c += 8) {
    const lanes = min(8, inC - c);
    for (let a = 0; a < rows; a++) {
      for (let b = 0; b < columns; b++) {
        const tap = (lastI - a * stepI) * kw + lastJ - b * stepJ;
        for (let m = 0; m < outC; m += 8) {
          const from = packed + (<usize>(((m >> 3) * kh * kw + tap) * inC + c) << 5); // packed at [m/8, i, j, c, 0]
          const count = min(8, outC - m);
          if (lanes == 8 && count == 8) transpose8x8(panel, from);
          else {
            for (let t: usize = 0; t < <usize>count; t++) {
              for (let lane: usize = 0; lane < <usize>lanes; lane++) {
                f32.store(panel + (t << 5) + (lane << 2), f32.load(from + (lane << 5) + (t << 2)));
              }
            }
          }
          panel += <usize>count << 5; // packedT at [c/8, a, b, m + 8, 0]
        }
      }
    }
  }
}

/** to[j][i] = from[i][j] for 8 x 8 floats. */
function transpose8x8(to: usize, from: usize): void {
  transpose4x4(to, from);
  transpose4x4(to + 128, from + 16);
  transpose4x4(to + 16, from + 128);
  transpose4x4(to + 144, from + 144);
}

/** The same for 4 x 4 floats in rows of 8. */
@inline
function transpose4x4(to: usize, from: usize): void {
  storeTransposed(to, 32, v128.load(from), v128.load(from, 32), v128.load(from, 64), v128.load(from, 96));
}
