// The products of Winograd's algorithm (winograd.ts): most of its time, and most of its rounding, which the transforms back multiply.

/** c + x u. */
@inline
function plus(c: v128, x: v128, u: v128): v128 {
  return f32x4.add(c, f32x4.mul(x, u));
}

/** The sums of the first run become the totals of four tiles. */
@inline
function startTotals(
  m0: usize, m1: usize, m2: usize, m3: usize,
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128
): void {
  v128.store(m0, c00);
  v128.store(m0, c01, 16);
  v128.store(m1, c10);
  v128.store(m1, c11, 16);
  v128.store(m2, c20);
  v128.store(m2, c21, 16);
  v128.store(m3, c30);
  v128.store(m3, c31, 16);
}

/** Adds the sums of a further run. */
@inline
function addToTotals(
  m0: usize, m1: usize, m2: usize, m3: usize,
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128
): void {
  v128.store(m0, f32x4.add(v128.load(m0), c00));
  v128.store(m0, f32x4.add(v128.load(m0, 16), c01), 16);
  v128.store(m1, f32x4.add(v128.load(m1), c10));
  v128.store(m1, f32x4.add(v128.load(m1, 16), c11), 16);
  v128.store(m2, f32x4.add(v128.load(m2), c20));
  v128.store(m2, f32x4.add(v128.load(m2, 16), c21), 16);
  v128.store(m3, f32x4.add(v128.load(m3), c30));
  v128.store(m3, f32x4.add(v128.load(m3, 16), c31), 16);
}

/**
 * One point, all tiles by fours, 8 output channels: m[t][o] = sum over c of v[t/4][c][t%4] * u[c][o].
 * Layout: m [4 fours][mStep bytes], v [fours][inC][4], u [inC][8] of depthBytes. fours > 0, inC a multiple of 8 and >= 16.
 * Sums are cut into runs of 16 channels, the last one of 8 where inC is no multiple of 16, and the totals of the runs are added in order:
 * 0.63 of the error of one running sum, in maps of vgg-mini.
 * A whole run is straight-line code: in a loop it takes 9 % longer (measured), so only the module that must be small has the loop alone;
 * starting from -0 it gives the same bytes. The ways out between two channels keep V8 from loading the next one's operands before the first
 * one's arithmetic is done, which would spill; each differs from the others, as V8 drops a test that it has made before. Exported so
 * that it stays a function of its own: inside winogradConv2d V8 runs out of registers (measured: 7 % slower at 512 channels). See
 * tile4x8 in conv2d.ts for the shape of the tile.
 * Source: definition; a part of winogradConv2d.
 */
export function winogradProduct(m: usize, mStep: usize, v: usize, u: usize, depthBytes: usize, fours: i32): void {
  const whole = u + (depthBytes & ~511);
  const end = u + depthBytes;
  do {
    const m1 = m + mStep, m2 = m1 + mStep, m3 = m2 + mStep;
    let w = u;
    if (ASC_SHRINK_LEVEL == 0) {
      do {
        // w at [c, 0..7], v at [t/4, c, 0..3]
        let c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128;
        do { // once; no way out is ever taken, as w is a multiple of 16
          {
            const u0 = v128.load(w), u1 = v128.load(w, 16);
            const x0 = v128.load_splat<f32>(v);
            c00 = f32x4.mul(x0, u0); c01 = f32x4.mul(x0, u1);
            const x1 = v128.load_splat<f32>(v, 4);
            c10 = f32x4.mul(x1, u0); c11 = f32x4.mul(x1, u1);
            const x2 = v128.load_splat<f32>(v, 8);
            c20 = f32x4.mul(x2, u0); c21 = f32x4.mul(x2, u1);
            const x3 = v128.load_splat<f32>(v, 12);
            c30 = f32x4.mul(x3, u0); c31 = f32x4.mul(x3, u1);
          }
          if (w == 1) break;
          {
            const u0 = v128.load(w, 32), u1 = v128.load(w, 48);
            const x0 = v128.load_splat<f32>(v, 16);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 20);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 24);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 28);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 2) break;
          {
            const u0 = v128.load(w, 64), u1 = v128.load(w, 80);
            const x0 = v128.load_splat<f32>(v, 32);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 36);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 40);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 44);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 3) break;
          {
            const u0 = v128.load(w, 96), u1 = v128.load(w, 112);
            const x0 = v128.load_splat<f32>(v, 48);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 52);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 56);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 60);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 4) break;
          {
            const u0 = v128.load(w, 128), u1 = v128.load(w, 144);
            const x0 = v128.load_splat<f32>(v, 64);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 68);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 72);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 76);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 5) break;
          {
            const u0 = v128.load(w, 160), u1 = v128.load(w, 176);
            const x0 = v128.load_splat<f32>(v, 80);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 84);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 88);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 92);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 6) break;
          {
            const u0 = v128.load(w, 192), u1 = v128.load(w, 208);
            const x0 = v128.load_splat<f32>(v, 96);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 100);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 104);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 108);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 7) break;
          {
            const u0 = v128.load(w, 224), u1 = v128.load(w, 240);
            const x0 = v128.load_splat<f32>(v, 112);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 116);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 120);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 124);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 8) break;
          {
            const u0 = v128.load(w, 256), u1 = v128.load(w, 272);
            const x0 = v128.load_splat<f32>(v, 128);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 132);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 136);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 140);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 9) break;
          {
            const u0 = v128.load(w, 288), u1 = v128.load(w, 304);
            const x0 = v128.load_splat<f32>(v, 144);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 148);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 152);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 156);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 10) break;
          {
            const u0 = v128.load(w, 320), u1 = v128.load(w, 336);
            const x0 = v128.load_splat<f32>(v, 160);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 164);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 168);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 172);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 11) break;
          {
            const u0 = v128.load(w, 352), u1 = v128.load(w, 368);
            const x0 = v128.load_splat<f32>(v, 176);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 180);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 184);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 188);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 12) break;
          {
            const u0 = v128.load(w, 384), u1 = v128.load(w, 400);
            const x0 = v128.load_splat<f32>(v, 192);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 196);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 200);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 204);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 13) break;
          {
            const u0 = v128.load(w, 416), u1 = v128.load(w, 432);
            const x0 = v128.load_splat<f32>(v, 208);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 212);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 216);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 220);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 14) break;
          {
            const u0 = v128.load(w, 448), u1 = v128.load(w, 464);
            const x0 = v128.load_splat<f32>(v, 224);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 228);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 232);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 236);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
          if (w == 15) break;
          {
            const u0 = v128.load(w, 480), u1 = v128.load(w, 496);
            const x0 = v128.load_splat<f32>(v, 240);
            c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
            const x1 = v128.load_splat<f32>(v, 244);
            c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
            const x2 = v128.load_splat<f32>(v, 248);
            c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
            const x3 = v128.load_splat<f32>(v, 252);
            c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
          }
        } while (false);
        if (w == u) startTotals(m, m1, m2, m3, c00, c01, c10, c11, c20, c21, c30, c31);
        else addToTotals(m, m1, m2, m3, c00, c01, c10, c11, c20, c21, c30, c31);
        v += 256;
        w += 512;
      } while (w < whole);
    }
    while (w < end) {
      const isFirst = ASC_SHRINK_LEVEL > 0 && w == u;
      const stop = min(w + 512, end);
      let c00 = f32x4.splat(-0.0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
      do {
        const u0 = v128.load(w), u1 = v128.load(w, 16);
        const x0 = v128.load_splat<f32>(v);
        c00 = plus(c00, x0, u0); c01 = plus(c01, x0, u1);
        const x1 = v128.load_splat<f32>(v, 4);
        c10 = plus(c10, x1, u0); c11 = plus(c11, x1, u1);
        const x2 = v128.load_splat<f32>(v, 8);
        c20 = plus(c20, x2, u0); c21 = plus(c21, x2, u1);
        const x3 = v128.load_splat<f32>(v, 12);
        c30 = plus(c30, x3, u0); c31 = plus(c31, x3, u1);
        v += 16;
        w += 32;
      } while (w < stop);
      if (isFirst) startTotals(m, m1, m2, m3, c00, c01, c10, c11, c20, c21, c30, c31);
      else addToTotals(m, m1, m2, m3, c00, c01, c10, c11, c20, c21, c30, c31);
    }
    m = m3 + mStep;
  } while (--fours);
}
