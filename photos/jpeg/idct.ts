// The "islow" inverse cosine transform of libjpeg (jidctint.c, after Loeffler, Ligtenberg and Moschytz, ICASSP 1989), which
// Pillow, OpenCV and browsers use: 13-bit constants, two bits more kept between the passes. The same integers give the same
// pixels; a more exact transform would give others. Values beyond 16 bits, which only damaged files have, are cut as libjpeg-turbo's
// vector code cuts them on x86: some sums wrap, and what the first pass hands on saturates.
const constBits = 13;
const pass1Bits = 2;
const shift1 = constBits - pass1Bits;
const half1 = 1 << (shift1 - 1);
const shift2 = constBits + pass1Bits + 3;
// The 128 that the encoder took off comes back together with the rounding.
const half2 = (1 << (shift2 - 1)) + (128 << shift2);

const c0298 = 2446; // 0.298631336 * 2^13, and so on
const c0390 = 3196;
const c0541 = 4433;
const c0765 = 6270;
const c0899 = 7373;
const c1175 = 9633;
const c1501 = 12299;
const c1847 = 15137;
const c1961 = 16069;
const c2053 = 16819;
const c2562 = 20995;
const c3072 = 25172;

const workspace = new Int32Array(64);

const wrapped = (value: number): number => (value << 16) >> 16;
const saturated = (value: number): number => (value > 32767 ? 32767 : value < -32768 ? -32768 : value);

/** Columns: coefficients to values with two bits more. */
function transformColumns(x: Int16Array, w: Int32Array): void {
  let below = 0;
  for (let i = 8; i < 64; i++) below |= x[i]!;
  for (let i = 0; i < 8; i++) {
    if (below === 0) {
      const dc = wrapped(x[i]! << pass1Bits);
      for (let k = i; k < 64; k += 8) w[k] = dc;
      continue;
    }
    const x1 = x[i + 8]!;
    const x2 = x[i + 16]!;
    const x3 = x[i + 24]!;
    const x4 = x[i + 32]!;
    const x5 = x[i + 40]!;
    const x6 = x[i + 48]!;
    const x7 = x[i + 56]!;
    if ((x1 | x2 | x3 | x4 | x5 | x6 | x7) === 0) {
      const dc = saturated(x[i]! << pass1Bits);
      for (let k = i; k < 64; k += 8) w[k] = dc;
      continue;
    }
    const e1 = Math.imul(x2 + x6, c0541);
    const t2 = e1 - Math.imul(x6, c1847);
    const t3 = e1 + Math.imul(x2, c0765);
    const t0 = wrapped(x[i]! + x4) << constBits;
    const t1 = wrapped(x[i]! - x4) << constBits;
    const even0 = t0 + t3 + half1;
    const even3 = t0 - t3 + half1;
    const even1 = t1 + t2 + half1;
    const even2 = t1 - t2 + half1;
    const x73 = wrapped(x7 + x3);
    const x51 = wrapped(x5 + x1);
    const z5 = Math.imul(x73 + x51, c1175);
    const z1 = -Math.imul(x7 + x1, c0899);
    const z2 = -Math.imul(x5 + x3, c2562);
    const z3 = z5 - Math.imul(x73, c1961);
    const z4 = z5 - Math.imul(x51, c0390);
    const odd0 = Math.imul(x7, c0298) + z1 + z3;
    const odd1 = Math.imul(x5, c2053) + z2 + z4;
    const odd2 = Math.imul(x3, c3072) + z2 + z3;
    const odd3 = Math.imul(x1, c1501) + z1 + z4;
    w[i] = saturated((even0 + odd3) >> shift1);
    w[i + 56] = saturated((even0 - odd3) >> shift1);
    w[i + 8] = saturated((even1 + odd2) >> shift1);
    w[i + 48] = saturated((even1 - odd2) >> shift1);
    w[i + 16] = saturated((even2 + odd1) >> shift1);
    w[i + 40] = saturated((even2 - odd1) >> shift1);
    w[i + 24] = saturated((even3 + odd0) >> shift1);
    w[i + 32] = saturated((even3 - odd0) >> shift1);
  }
}

/** Rows: those values to samples. */
function transformRows(w: Int32Array, samples: Uint8ClampedArray, to: number, stride: number): void {
  let q = to;
  for (let i = 0; i < 64; i += 8, q += stride) {
    const x2 = w[i + 2]!;
    const x6 = w[i + 6]!;
    const e1 = Math.imul(x2 + x6, c0541);
    const t2 = e1 - Math.imul(x6, c1847);
    const t3 = e1 + Math.imul(x2, c0765);
    const t0 = wrapped(w[i]! + w[i + 4]!) << constBits;
    const t1 = wrapped(w[i]! - w[i + 4]!) << constBits;
    const even0 = t0 + t3 + half2;
    const even3 = t0 - t3 + half2;
    const even1 = t1 + t2 + half2;
    const even2 = t1 - t2 + half2;
    const x1 = w[i + 1]!;
    const x3 = w[i + 3]!;
    const x5 = w[i + 5]!;
    const x7 = w[i + 7]!;
    const x73 = wrapped(x7 + x3);
    const x51 = wrapped(x5 + x1);
    const z5 = Math.imul(x73 + x51, c1175);
    const z1 = -Math.imul(x7 + x1, c0899);
    const z2 = -Math.imul(x5 + x3, c2562);
    const z3 = z5 - Math.imul(x73, c1961);
    const z4 = z5 - Math.imul(x51, c0390);
    const odd0 = Math.imul(x7, c0298) + z1 + z3;
    const odd1 = Math.imul(x5, c2053) + z2 + z4;
    const odd2 = Math.imul(x3, c3072) + z2 + z3;
    const odd3 = Math.imul(x1, c1501) + z1 + z4;
    samples[q] = (even0 + odd3) >> shift2;
    samples[q + 7] = (even0 - odd3) >> shift2;
    samples[q + 1] = (even1 + odd2) >> shift2;
    samples[q + 6] = (even1 - odd2) >> shift2;
    samples[q + 2] = (even2 + odd1) >> shift2;
    samples[q + 5] = (even2 - odd1) >> shift2;
    samples[q + 3] = (even3 + odd0) >> shift2;
    samples[q + 4] = (even3 - odd0) >> shift2;
  }
}

/**
 * 8 x 8 samples of a block.
 * @param x 64 coefficients times their quantisation factors, row by row
 * @param samples where to write: 8 rows from `to`, `stride` apart; clamped to 0 to 255
 */
export function inverseDct(x: Int16Array, samples: Uint8ClampedArray, to: number, stride: number): void {
  transformColumns(x, workspace);
  transformRows(workspace, samples, to, stride);
}

/** As `inverseDct` for a block whose only coefficient is the first. */
export function inverseDctOfMean(dc: number, samples: Uint8ClampedArray, to: number, stride: number): void {
  const value = ((wrapped(dc << pass1Bits) + (1 << (pass1Bits + 2))) >> (pass1Bits + 3)) + 128;
  for (let row = 0, q = to; row < 8; row++, q += stride) samples.fill(value, q, q + 8);
}
