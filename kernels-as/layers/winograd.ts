import { storeTransposed } from "../common/transpose";
import { farPoint, nearPoint } from "./winograd-points";
import { winogradProduct } from "./winograd-product";

// Winograd's minimal filtering for 3x3 and 5x5 convolutions with stride 1: F(2x2,3x3), F(4x4,3x3) and F(2x2,5x5), told apart by
// `size`, the outputs of a tile along one axis, and `taps`, those of the filter. A tile of n^2 inputs, n = size + taps - 1, becomes as
// many points; at each point the convolution is a matrix product over channels; the products become size^2 outputs. 16 multiplications
// instead of 36 for F(2x2,3x3), 36 instead of 144 for F(4x4,3x3), 36 instead of 100 for F(2x2,5x5).
//   y = A^T [ (G g G^T) . (B^T d B) ] A          Lavin and Gray 2015 (arXiv 1509.09308), section 4; interpolation points
//   0, 1, -1 (n = 4) and 0, 5/8, -5/8, 3/2, -3/2 (n = 6), and infinity. B depends on the points alone. Of all a, b in eighths these round
//   least: the error of F(4x4,3x3) is 0.45 of what 1 and 2, the usual points, give (simulated in float32 on rectified inputs).
// Exact zeros are not kept: an output whose true value is 0 may come out as a rounding error of its tile.

/**
 * Bytes from one point's slab to the next for `tiles` tiles of `channels`. A power of two would put all points of a tile
 * into one set of the first-level cache (measured: 223 against 184 ms for VGG-16).
 */
@inline
function slabBytes(tiles: i32, channels: i32): usize {
  return ((<usize>(tiles * channels) << 2) + 4095 & ~4095) + 64;
}

/** Scratch for four tiles at work and one more. */
const tileBytes: usize = 3072;

/**
 * B^T of six points 0, a, -a, b, -b, infinity applied to six vectors; results go to out, `step` bytes apart. All factors are exact.
 *   a^2 b^2 r0 - (a^2 + b^2) r2 + r4;  (r4 - b^2 r2) +- a (r3 - b^2 r1);  (r4 - a^2 r2) +- b (r3 - a^2 r1);  as the first, one further
 */
@inline
function inputTransform6(out: usize, step: usize, r0: v128, r1: v128, r2: v128, r3: v128, r4: v128, r5: v128): void {
  const aa = f32x4.splat(nearPoint * nearPoint);
  const bb = f32x4.splat(farPoint * farPoint);
  const product = f32x4.splat(nearPoint * nearPoint * farPoint * farPoint);
  const sum = f32x4.splat(nearPoint * nearPoint + farPoint * farPoint);
  const p = f32x4.sub(r4, f32x4.mul(bb, r2));
  const q = f32x4.mul(f32x4.splat(nearPoint), f32x4.sub(r3, f32x4.mul(bb, r1)));
  const s = f32x4.sub(r4, f32x4.mul(aa, r2));
  const t = f32x4.mul(f32x4.splat(farPoint), f32x4.sub(r3, f32x4.mul(aa, r1)));
  v128.store(out, f32x4.add(f32x4.mul(product, r0), f32x4.sub(r4, f32x4.mul(sum, r2))));
  v128.store(out + step, f32x4.add(p, q));
  v128.store(out + 2 * step, f32x4.sub(p, q));
  v128.store(out + 3 * step, f32x4.add(s, t));
  v128.store(out + 4 * step, f32x4.sub(s, t));
  v128.store(out + 5 * step, f32x4.add(f32x4.mul(product, r1), f32x4.sub(r5, f32x4.mul(sum, r3))));
}

/** B^T of four points applied to four vectors. */
@inline
function inputTransform4(out: usize, step: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  v128.store(out, f32x4.sub(r0, r2));
  v128.store(out + step, f32x4.add(r1, r2));
  v128.store(out + 2 * step, f32x4.sub(r2, r1));
  v128.store(out + 3 * step, f32x4.sub(r1, r3));
}

/** Four channels of one tile: x [6][6] pixels -> out [36 points][4]. scratch: 576 bytes. */
function tileInput6(out: usize, x: usize, row: usize, pixel: usize, scratch: usize): void {
  let s = x;
  for (let to = scratch; to < scratch + 96; to += 16) {
    // s at column j of the tile, to at [point row 0, j]
    inputTransform6(to, 96, v128.load(s), v128.load(s + row), v128.load(s + 2 * row), v128.load(s + 3 * row), v128.load(s + 4 * row), v128.load(s + 5 * row));
    s += pixel;
  }
  for (let q = scratch; q < scratch + 576; q += 96) {
    inputTransform6(out, 16, v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 48), v128.load(q, 64), v128.load(q, 80));
    out += 96;
  }
}

/** Four channels of one tile: x [4][4] pixels -> out [16 points][4]. scratch: 256 bytes. */
function tileInput4(out: usize, x: usize, row: usize, pixel: usize, scratch: usize): void {
  let s = x;
  for (let to = scratch; to < scratch + 64; to += 16) {
    inputTransform4(to, 64, v128.load(s), v128.load(s + row), v128.load(s + 2 * row), v128.load(s + 3 * row));
    s += pixel;
  }
  for (let q = scratch; q < scratch + 256; q += 64) {
    inputTransform4(out, 16, v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 48));
    out += 64;
  }
}

/** Four channels of four tiles: tiles [4][bytes] points, each [4 channels] -> [4 channels][4 tiles], slabs apart. */
function interleaveTiles(v: usize, slab: usize, tiles: usize, bytes: usize): void {
  for (let t0 = tiles; t0 < tiles + bytes; t0 += 16) {
    const t2 = t0 + 2 * bytes;
    const a = v128.load(t0), b = v128.load(t0 + bytes), c = v128.load(t2), d = v128.load(t2 + bytes);
    storeTransposed(v, 16, a, b, c, d);
    v += slab;
  }
}

/** Transforms the `count` tiles of a list, by fours; past the last one it is repeated. v [points][tiles/4][inC][4], list [count] i32. */
function transformInput(
  v: usize, slab: usize, x: usize, xRow: i32, xPixel: i32, inC: i32, size: i32, n: i32, tilesX: i32, scratch: usize, list: usize, count: i32
): void {
  const row = <usize>xRow << 2;
  const pixel = <usize>xPixel << 2;
  const bytes: usize = n == 6 ? 576 : 256;
  const tiles = scratch + bytes;
  const corners = tiles + 4 * bytes; // [4] i32
  for (let t = 0; t < count; t += 4) {
    for (let i = 0; i < 4; i++) {
      const tile = i32.load(list + (<usize>min(t + i, count - 1) << 2));
      const ty = tile / tilesX;
      const tx = tile - ty * tilesX;
      store<usize>(corners + (<usize>i << 2), x + <usize>(ty * size) * row + <usize>(tx * size) * pixel);
    }
    for (let c: usize = 0; c < <usize>inC << 2; c += 16) {
      for (let i: usize = 0; i < 4; i++) {
        const corner = load<usize>(corners + (i << 2)) + c;
        if (n == 6) tileInput6(tiles + i * bytes, corner, row, pixel, scratch);
        else tileInput4(tiles + i * bytes, corner, row, pixel, scratch);
      }
      interleaveTiles(v + (c << 2), slab, tiles, bytes);
    }
    v += <usize>inC << 4; // v at [0, t/4, 0, 0]
  }
}

/** m[t][o] = sum over c of v[t/4][c][t%4] * u[c][o] at points [begin, end), output channels in panels of 8. */
function multiplyPoints(
  m: usize, mSlab: usize, v: usize, vSlab: usize, u: usize, tiles: i32, inC: i32, outC: i32, begin: i32, end: i32
): void {
  const mStep = <usize>outC << 2;
  const panelBytes = <usize>inC << 5;
  for (let point = begin; point < end; point++) {
    let panel = u + <usize>(point * (outC >> 3)) * panelBytes;
    for (let o: usize = 0; o < mStep; o += 32) {
      winogradProduct(m + <usize>point * mSlab + o, mStep, v + <usize>point * vSlab, panel, panelBytes, tiles + 3 >> 2);
      panel += panelBytes;
    }
  }
}

/** A^T of F(4,3) applied to six vectors; four results, `step` bytes apart. */
@inline
function outputTransform43(out: usize, step: usize, m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128): void {
  const a = f32x4.add(m1, m2);
  const b = f32x4.sub(m1, m2);
  const c = f32x4.add(m3, m4);
  const d = f32x4.sub(m3, m4);
  v128.store(out, f32x4.add(f32x4.add(m0, a), c));
  v128.store(out + step, f32x4.add(f32x4.mul(f32x4.splat(nearPoint), b), f32x4.mul(f32x4.splat(farPoint), d)));
  v128.store(out + 2 * step, f32x4.add(f32x4.mul(f32x4.splat(nearPoint * nearPoint), a), f32x4.mul(f32x4.splat(farPoint * farPoint), c)));
  v128.store(out + 3 * step, f32x4.add(f32x4.add(f32x4.mul(f32x4.splat(nearPoint * nearPoint * nearPoint), b), f32x4.mul(f32x4.splat(farPoint * farPoint * farPoint), d)), m5));
}

/** A^T of F(2,5) applied to six vectors; two results. */
@inline
function outputTransform25(out: usize, step: usize, m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128): void {
  const b = f32x4.mul(f32x4.splat(nearPoint), f32x4.sub(m1, m2));
  const d = f32x4.mul(f32x4.splat(farPoint), f32x4.sub(m3, m4));
  v128.store(out, f32x4.add(f32x4.add(m0, f32x4.add(m1, m2)), f32x4.add(m3, m4)));
  v128.store(out + step, f32x4.add(f32x4.add(b, d), m5));
}

/** A^T of F(2,3) applied to four vectors; two results. */
@inline
function outputTransform23(out: usize, step: usize, m0: v128, m1: v128, m2: v128, m3: v128): void {
  v128.store(out, f32x4.add(f32x4.add(m0, m1), m2));
  v128.store(out + step, f32x4.sub(f32x4.sub(m1, m2), m3));
}

/** Four channels of one tile: points -> outputs [4][4], rows `row` bytes and columns `pixel` bytes apart. scratch: 384 bytes. */
function tileOutput43(y: usize, row: usize, pixel: usize, points: usize, slab: usize, scratch: usize): void {
  for (let out = scratch; out < scratch + 96; out += 16) {
    // points at [row i of six, ...]; out at [0, i]
    outputTransform43(out, 96, v128.load(points), v128.load(points + slab), v128.load(points + 2 * slab),
      v128.load(points + 3 * slab), v128.load(points + 4 * slab), v128.load(points + 5 * slab));
    points += 6 * slab;
  }
  for (let q = scratch; q < scratch + 384; q += 96) {
    // q at [column j]; y at [0, j]
    outputTransform43(y, row, v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 48), v128.load(q, 64), v128.load(q, 80));
    y += pixel;
  }
}

function tileOutput25(y: usize, row: usize, pixel: usize, points: usize, slab: usize, scratch: usize): void {
  for (let out = scratch; out < scratch + 96; out += 16) {
    outputTransform25(out, 96, v128.load(points), v128.load(points + slab), v128.load(points + 2 * slab),
      v128.load(points + 3 * slab), v128.load(points + 4 * slab), v128.load(points + 5 * slab));
    points += 6 * slab;
  }
  for (let q = scratch; q < scratch + 192; q += 96) {
    outputTransform25(y, row, v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 48), v128.load(q, 64), v128.load(q, 80));
    y += pixel;
  }
}

function tileOutput23(y: usize, row: usize, pixel: usize, points: usize, slab: usize, scratch: usize): void {
  for (let out = scratch; out < scratch + 64; out += 16) {
    outputTransform23(out, 64, v128.load(points), v128.load(points + slab), v128.load(points + 2 * slab), v128.load(points + 3 * slab));
    points += 4 * slab;
  }
  for (let q = scratch; q < scratch + 128; q += 64) {
    outputTransform23(y, row, v128.load(q), v128.load(q, 16), v128.load(q, 32), v128.load(q, 48));
    y += pixel;
  }
}

/** Transforms the `count` tiles of a list back, adds the bias, clamps and stores what lies inside the image. */
function transformOutput(
  y: usize, yRow: i32, yPixel: i32, m: usize, slab: usize, bias: usize, outH: i32, outW: i32, outC: i32, size: i32, n: i32, tilesX: i32,
  low: f32, high: f32, scratch: usize, list: usize, count: i32
): void {
  const lo = f32x4.splat(low);
  const hi = f32x4.splat(high);
  const resultRow = <usize>size << 4;
  const work = scratch + 256;
  for (const stop = list + (<usize>count << 2); list < stop; list += 4) {
    const tile = i32.load(list);
    const ty = tile / tilesX;
    const tx = tile - ty * tilesX;
    const corner = y + (<usize>(ty * size * yRow + tx * size * yPixel) << 2);
    const rows = min(size, outH - ty * size);
    const columns = <usize>min(size, outW - tx * size) << 4;
    for (let c: usize = 0; c < <usize>outC << 2; c += 16) {
      if (size == 4) tileOutput43(scratch, 64, 16, m + c, slab, work);
      else if (n == 6) tileOutput25(scratch, 32, 16, m + c, slab, work);
      else tileOutput23(scratch, 32, 16, m + c, slab, work);
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
 * 3x3 or 5x5 convolution with stride 1 of one group by Winograd's algorithm, with bias and clamping.
 *   y[oy,ox,o] = clamp(bias[o] + sum over i,j,c of w[o,c,i,j] * x[oy+i, ox+j, c], low, high)
 * Layout: y and x NHWC with row and pixel strides in elements; x points at the first tap of output (0,0) and must be readable, and
 * zero past the image, up to whole tiles: ceil(outH / size) * size + taps - 1 rows and so many columns. u as winogradPack writes it, bias
 * [outC] or 0. inC and outC are multiples of 8. y may not alias x. skip [tiles] bytes or 0: tiles where it is not 0 are left out.
 * scratch: winogradScratchBytes of blockTiles tiles. Tiles [begin, end), row by row, are written, blockTiles at a time.
 * Fixed order: every product sums over c as winogradProduct says, so blocks and ranges do not change a byte.
 * Source: Lavin and Gray 2015; checked against the float64 oracle of the direct convolution.
 */
export function winogradConv2d(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32, u: usize, bias: usize, scratch: usize,
  skip: usize, outH: i32, outW: i32, outC: i32, inC: i32, size: i32, taps: i32, low: f32, high: f32, blockTiles: i32, begin: i32, end: i32
): void {
  const n = size + taps - 1;
  const points = n * n;
  const tilesX = (outW + size - 1) / size;
  const vSlab = slabBytes(blockTiles, inC);
  const mSlab = slabBytes(blockTiles, outC);
  const v = scratch + tileBytes;
  const m = v + <usize>points * vSlab;
  const list = m + <usize>points * mSlab; // [blockTiles] i32, the tiles of a block
  for (let t = begin; t < end;) {
    let count = 0;
    for (; t < end && count < blockTiles; t++) {
      if (skip && load<u8>(skip + t)) continue;
      i32.store(list + (<usize>count << 2), t);
      count++;
    }
    if (count == 0) return;
    transformInput(v, vSlab, x, xRow, xPixel, inC, size, n, tilesX, scratch, list, count);
    multiplyPoints(m, mSlab, v, vSlab, u, count, inC, outC, 0, points);
    transformOutput(y, yRow, yPixel, m, mSlab, bias, outH, outW, outC, size, n, tilesX, low, high, scratch, list, count);
  }
}

/**
 * Bytes of scratch that winogradConv2d needs for blocks of `tiles` tiles.
 * Source: its layout: four tiles at work, then the points of all inputs and of all outputs, then the list of tiles.
 */
export function winogradScratchBytes(tiles: i32, inC: i32, outC: i32, size: i32, taps: i32): usize {
  return tileBytes + <usize>((size + taps - 1) * (size + taps - 1)) * (slabBytes(tiles, inC) + slabBytes(tiles, outC)) + (<usize>tiles << 2);
}
