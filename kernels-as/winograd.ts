// Winograd's minimal filtering for 3x3 convolutions with stride 1: F(2x2,3x3) and F(4x4,3x3), told apart by `size`, the outputs
// of a tile along one axis. A tile of (size+2)^2 inputs becomes as many points; at each point the convolution is a matrix product
// over channels; the products become size^2 outputs. 16 multiplications instead of 36 (size 2), 36 instead of 144 (size 4).
//   y = A^T [ (G g G^T) . (B^T d B) ] A          Lavin and Gray 2015 (arXiv 1509.09308), section 4; interpolation points
//   0, 1, -1 (size 2) and 0, 1, -1, 2, -2 (size 4), and infinity.
// Exact zeros are not kept: an output whose true value is 0 may come out as a rounding error of its tile.

/**
 * Bytes from one point's slab to the next for `tiles` tiles of `channels`. A power of two would put all points of a tile
 * into one set of the first-level cache (measured: 223 against 184 ms for VGG-16).
 */
@inline
function slabBytes(tiles: i32, channels: i32): usize {
  return ((<usize>(tiles * channels) << 2) + 4095 & ~4095) + 64;
}

/** B^T of size 4 applied to six vectors; results go to out, `step` bytes apart. */
@inline
function inputTransform4(out: usize, step: usize, r0: v128, r1: v128, r2: v128, r3: v128, r4: v128, r5: v128): void {
  const four = f32x4.splat(4);
  const five = f32x4.splat(5);
  const p = f32x4.sub(r4, f32x4.mul(four, r2));
  const q = f32x4.sub(r3, f32x4.mul(four, r1));
  const s = f32x4.sub(r4, r2);
  const d = f32x4.sub(r3, r1);
  const t = f32x4.add(d, d);
  v128.store(out, f32x4.add(f32x4.mul(four, r0), f32x4.sub(r4, f32x4.mul(five, r2))));
  v128.store(out + step, f32x4.add(p, q));
  v128.store(out + 2 * step, f32x4.sub(p, q));
  v128.store(out + 3 * step, f32x4.add(s, t));
  v128.store(out + 4 * step, f32x4.sub(s, t));
  v128.store(out + 5 * step, f32x4.add(f32x4.mul(four, r1), f32x4.sub(r5, f32x4.mul(five, r3))));
}

/** B^T of size 2 applied to four vectors. */
@inline
function inputTransform2(out: usize, step: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  v128.store(out, f32x4.sub(r0, r2));
  v128.store(out + step, f32x4.add(r1, r2));
  v128.store(out + 2 * step, f32x4.sub(r2, r1));
  v128.store(out + 3 * step, f32x4.sub(r1, r3));
}

/** Four channels of one tile: x [size+2][size+2] pixels -> points, slabs apart. scratch: 576 bytes. */
function tileInput4(points: usize, slab: usize, x: usize, row: usize, pixel: usize, scratch: usize): void {
  let s = x;
  for (let out = scratch; out < scratch + 96; out += 16) {
    // s at column j of the tile, out at [point row 0, j]
    inputTransform4(out, 96, v128.load(s), v128.load(s + row), v128.load(s + 2 * row), v128.load(s + 3 * row), v128.load(s + 4 * row), v128.load(s + 5 * row));
    s += pixel;
  }
  for (let q = scratch; q < scratch + 576; q += 96) {
    inputTransform4(points, slab, v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 48), v128.load(q, 64), v128.load(q, 80));
    points += 6 * slab;
  }
}

function tileInput2(points: usize, slab: usize, x: usize, row: usize, pixel: usize, scratch: usize): void {
  let s = x;
  for (let out = scratch; out < scratch + 64; out += 16) {
    inputTransform2(out, 64, v128.load(s), v128.load(s + row), v128.load(s + 2 * row), v128.load(s + 3 * row));
    s += pixel;
  }
  for (let q = scratch; q < scratch + 256; q += 64) {
    inputTransform2(points, slab, v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 48));
    points += 4 * slab;
  }
}

/** Transforms tiles [first, last) of a block; v [points][tiles][inC]. */
function transformInput(
  v: usize, slab: usize, x: usize, xRow: i32, xPixel: i32, inC: i32, size: i32, tilesX: i32, scratch: usize, first: i32, last: i32
): void {
  const row = <usize>xRow << 2;
  const pixel = <usize>xPixel << 2;
  for (let t = first; t < last; t++) {
    const ty = t / tilesX;
    const tx = t - ty * tilesX;
    const corner = x + <usize>(ty * size) * row + <usize>(tx * size) * pixel;
    for (let c: usize = 0; c < <usize>inC << 2; c += 16) {
      if (size == 4) tileInput4(v + c, slab, corner + c, row, pixel, scratch);
      else tileInput2(v + c, slab, corner + c, row, pixel, scratch);
    }
    v += <usize>inC << 2; // v at [0, t, 0]
  }
}

/** 4 tiles x 8 output channels of one point; see tile4x8 in conv2d.ts for the shape of the tile. */
function product4x8(depthBytes: usize, a0: usize, a1: usize, a2: usize, a3: usize, u: usize, y0: usize, y1: usize, y2: usize, y3: usize): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  const stop = u + depthBytes;
  do {
    // u at [c, 0..7]; a_t at [tile t, c]
    const u0 = v128.load(u);
    const u1 = v128.load(u, 16);
    const x0 = v128.load_splat<f32>(a0);
    c00 = f32x4.add(c00, f32x4.mul(x0, u0));
    c01 = f32x4.add(c01, f32x4.mul(x0, u1));
    const x1 = v128.load_splat<f32>(a1);
    c10 = f32x4.add(c10, f32x4.mul(x1, u0));
    c11 = f32x4.add(c11, f32x4.mul(x1, u1));
    const x2 = v128.load_splat<f32>(a2);
    c20 = f32x4.add(c20, f32x4.mul(x2, u0));
    c21 = f32x4.add(c21, f32x4.mul(x2, u1));
    const x3 = v128.load_splat<f32>(a3);
    c30 = f32x4.add(c30, f32x4.mul(x3, u0));
    c31 = f32x4.add(c31, f32x4.mul(x3, u1));
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    u += 32;
  } while (u < stop);
  v128.store(y0, c00);
  v128.store(y0, c01, 16);
  v128.store(y1, c10);
  v128.store(y1, c11, 16);
  v128.store(y2, c20);
  v128.store(y2, c21, 16);
  v128.store(y3, c30);
  v128.store(y3, c31, 16);
}

/** m[t][o] = sum over c of v[t][c] * u[c][o] at points [begin, end), output channels in panels of 8. */
function multiplyPoints(
  m: usize, mSlab: usize, v: usize, vSlab: usize, u: usize, tiles: i32, inC: i32, outC: i32, begin: i32, end: i32
): void {
  const vStep = <usize>inC << 2;
  const mStep = <usize>outC << 2;
  const panelBytes = <usize>inC << 5;
  for (let point = begin; point < end; point++) {
    const from = v + <usize>point * vSlab;
    let panel = u + <usize>(point * (outC >> 3)) * panelBytes;
    for (let o: usize = 0; o < mStep; o += 32) {
      let a0 = from;
      let y0 = m + <usize>point * mSlab + o;
      for (let remaining = tiles; remaining > 0; remaining -= 4) {
        // past the last tile the pointers stay, and the same value is stored again
        const a1 = remaining > 1 ? a0 + vStep : a0, y1 = remaining > 1 ? y0 + mStep : y0;
        const a2 = remaining > 2 ? a1 + vStep : a1, y2 = remaining > 2 ? y1 + mStep : y1;
        const a3 = remaining > 3 ? a2 + vStep : a2, y3 = remaining > 3 ? y2 + mStep : y2;
        product4x8(panelBytes, a0, a1, a2, a3, panel, y0, y1, y2, y3);
        a0 = a3 + vStep;
        y0 = y3 + mStep;
      }
      panel += panelBytes;
    }
  }
}

/** A^T of size 4 applied to six vectors; four results, `step` bytes apart. */
@inline
function outputTransform4(out: usize, step: usize, m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128): void {
  const a = f32x4.add(m1, m2);
  const b = f32x4.sub(m1, m2);
  const c = f32x4.add(m3, m4);
  const d = f32x4.sub(m3, m4);
  v128.store(out, f32x4.add(f32x4.add(m0, a), c));
  v128.store(out + step, f32x4.add(b, f32x4.add(d, d)));
  v128.store(out + 2 * step, f32x4.add(a, f32x4.mul(f32x4.splat(4), c)));
  v128.store(out + 3 * step, f32x4.add(f32x4.add(b, f32x4.mul(f32x4.splat(8), d)), m5));
}

/** A^T of size 2 applied to four vectors; two results. */
@inline
function outputTransform2(out: usize, step: usize, m0: v128, m1: v128, m2: v128, m3: v128): void {
  v128.store(out, f32x4.add(f32x4.add(m0, m1), m2));
  v128.store(out + step, f32x4.sub(f32x4.sub(m1, m2), m3));
}

/** Four channels of one tile: points -> scratch[size][size] outputs in rows. scratch: 384 bytes behind the result. */
function tileOutput4(result: usize, points: usize, slab: usize, scratch: usize): void {
  for (let out = scratch; out < scratch + 96; out += 16) {
    // points at [row i of six, ...]; out at [0, i]
    outputTransform4(out, 96, v128.load(points), v128.load(points + slab), v128.load(points + 2 * slab),
      v128.load(points + 3 * slab), v128.load(points + 4 * slab), v128.load(points + 5 * slab));
    points += 6 * slab;
  }
  for (let q = scratch; q < scratch + 384; q += 96) {
    // q at [column j]; result at [0, j]
    outputTransform4(result, 64, v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 48), v128.load(q, 64), v128.load(q, 80));
    result += 16;
  }
}

function tileOutput2(result: usize, points: usize, slab: usize, scratch: usize): void {
  for (let out = scratch; out < scratch + 64; out += 16) {
    outputTransform2(out, 64, v128.load(points), v128.load(points + slab), v128.load(points + 2 * slab), v128.load(points + 3 * slab));
    points += 4 * slab;
  }
  for (let q = scratch; q < scratch + 128; q += 64) {
    outputTransform2(result, 32, v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 48));
    result += 16;
  }
}

/** Transforms tiles [first, last) of a block back, adds the bias, clamps and stores what lies inside the image. */
function transformOutput(
  y: usize, yRow: i32, yPixel: i32, m: usize, slab: usize, bias: usize, outH: i32, outW: i32, outC: i32, size: i32, tilesX: i32,
  low: f32, high: f32, scratch: usize, first: i32, last: i32
): void {
  const lo = f32x4.splat(low);
  const hi = f32x4.splat(high);
  const resultRow = <usize>size << 4;
  const work = scratch + 256;
  for (let t = first; t < last; t++) {
    const ty = t / tilesX;
    const tx = t - ty * tilesX;
    const corner = y + (<usize>(ty * size * yRow + tx * size * yPixel) << 2);
    const rows = min(size, outH - ty * size);
    const columns = <usize>min(size, outW - tx * size) << 4;
    for (let c: usize = 0; c < <usize>outC << 2; c += 16) {
      if (size == 4) tileOutput4(scratch, m + c, slab, work);
      else tileOutput2(scratch, m + c, slab, work);
      const b = bias ? v128.load(bias + c) : f32x4.splat(0);
      for (let i = 0; i < rows; i++) {
        let out = corner + (<usize>(i * yRow) << 2) + c;
        const from = scratch + <usize>i * resultRow;
        for (let j: usize = 0; j < columns; j += 16) {
          v128.store(out, f32x4.min(f32x4.max(f32x4.add(v128.load(from + j), b), lo), hi));
          out += <usize>yPixel << 2;
        }
      }
    }
    m += <usize>outC << 2; // m at [0, t, 0]
  }
}

/**
 * 3x3 convolution with stride 1 of one group by Winograd's algorithm, with bias and clamping.
 *   y[oy,ox,o] = clamp(bias[o] + sum over i,j,c of w[o,c,i,j] * x[oy+i, ox+j, c], low, high)
 * Layout: y and x NHWC with row and pixel strides in elements; x points at the first tap of output (0,0) and must be readable, and
 * zero past the image, up to whole tiles: ceil(outH / size) * size + 2 rows and so many columns. u as winogradPack writes it, bias
 * [outC] or 0. inC and outC are multiples of 8. y may not alias x.
 * scratch: winogradScratchBytes of blockTiles tiles. Tiles [begin, end), row by row, are written, blockTiles at a time.
 * Fixed order: every product sums over c in ascending order, so blocks and ranges do not change a byte.
 * Source: Lavin and Gray 2015; checked against the float64 oracle of the direct convolution.
 */
export function winogradConv2d(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32, u: usize, bias: usize, scratch: usize,
  outH: i32, outW: i32, outC: i32, inC: i32, size: i32, low: f32, high: f32, blockTiles: i32, begin: i32, end: i32
): void {
  const points = (size + 2) * (size + 2);
  const tilesX = (outW + size - 1) / size;
  const vSlab = slabBytes(blockTiles, inC);
  const mSlab = slabBytes(blockTiles, outC);
  const v = scratch + 1024;
  const m = v + <usize>points * vSlab;
  for (let t = begin; t < end; t += blockTiles) {
    const last = min(t + blockTiles, end);
    transformInput(v, vSlab, x, xRow, xPixel, inC, size, tilesX, scratch, t, last);
    multiplyPoints(m, mSlab, v, vSlab, u, last - t, inC, outC, 0, points);
    transformOutput(y, yRow, yPixel, m, mSlab, bias, outH, outW, outC, size, tilesX, low, high, scratch, t, last);
  }
}

/**
 * Bytes of scratch that winogradConv2d needs for blocks of `tiles` tiles.
 * Source: its layout: 1024 bytes for one tile, then the points of all inputs and of all outputs.
 */
export function winogradScratchBytes(tiles: i32, inC: i32, outC: i32, size: i32): usize {
  return 1024 + <usize>((size + 2) * (size + 2)) * (slabBytes(tiles, inC) + slabBytes(tiles, outC));
}

/** Row `point` of G times three taps, in double. */
@inline
function filterPoint(size: i32, point: i32, g0: v128, g1: v128, g2: v128): v128 {
  if (point == 0) return size == 4 ? f64x2.mul(f64x2.splat(0.25), g0) : g0;
  if (point == size + 1) return g2;
  const ends = f64x2.add(g0, g2);
  if (size == 2) return f64x2.mul(f64x2.splat(0.5), point == 1 ? f64x2.add(ends, g1) : f64x2.sub(ends, g1));
  if (point == 1) return f64x2.div(f64x2.add(ends, g1), f64x2.splat(-6));
  if (point == 2) return f64x2.div(f64x2.sub(ends, g1), f64x2.splat(-6));
  const far = f64x2.add(g0, f64x2.mul(f64x2.splat(4), g2));
  const near = f64x2.add(g1, g1);
  return f64x2.div(point == 3 ? f64x2.add(far, near) : f64x2.sub(far, near), f64x2.splat(24));
}

/** Two lanes of a packed tap, in double. */
@inline
function tapPair(packed: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(packed));
}

/**
 * Transforms packed 3x3 weights of one group for winogradConv2d.
 *   u[i*(size+2)+j][o/8][c][o%8] = (G w[o,c] G^T)[i,j]
 * Layout: packed as conv2dPack or conv2dPackTransposed write it ([outC/8][3][3][inC][8]); u [points][outC/8][inC][8]. scratch: 512
 * bytes. Panels [begin, end) of 8 outputs are written. Double inside, rounded once.
 * Source: Lavin and Gray 2015, section 4.
 */
export function winogradPack(u: usize, packed: usize, scratch: usize, outC: i32, inC: i32, size: i32, begin: i32, end: i32): void {
  const n = size + 2;
  const tap = <usize>inC << 5;
  const pointBytes = <usize>(outC >> 3) * tap;
  for (let panel = begin; panel < end; panel++) {
    for (let c = 0; c < inC; c++) {
      const from = packed + <usize>(panel * 9) * tap + (<usize>c << 5);
      const to = u + <usize>panel * tap + (<usize>c << 5);
      for (let lane: usize = 0; lane < 32; lane += 8) {
        for (let j: usize = 0; j < 3; j++) {
          const column = from + j * tap + lane;
          const g0 = tapPair(column);
          const g1 = tapPair(column + 3 * tap);
          const g2 = tapPair(column + 6 * tap);
          for (let i = 0; i < n; i++) v128.store(scratch + (<usize>i * 3 + j << 4), filterPoint(size, i, g0, g1, g2));
        }
        let out = to + lane; // u at [i*n+j, panel, c, lane]
        for (let i = 0; i < n; i++) {
          const half = scratch + (<usize>(i * 3) << 4);
          const h0 = v128.load(half), h1 = v128.load(half, 16), h2 = v128.load(half, 32);
          for (let j = 0; j < n; j++) {
            v128.store64_lane(out, f32x4.demote_f64x2_zero(filterPoint(size, j, h0, h1, h2)), 0);
            out += pointBytes;
          }
        }
      }
    }
  }
}
