import { conv2dAtPlaces } from "./conv2d";

// Flat areas under Winograd's algorithm. Two outputs of a convolution that read equal patches are equal; Winograd's algorithm rounds them
// differently at different places of a tile, so that exact ties of max pooling would fall elsewhere than they do by the definition.
// Outputs whose neighbour reads an equal patch are therefore computed by the definition, each flat area once and then copied.

/** Bits of a mark: the pixel equals the one to its right; the one below it. */
const right: i32 = 1;
const below: i32 = 2;

/** True where `channels` floats at a and b are equal; a NaN equals nothing. */
@inline
function isEqual(a: usize, b: usize, channels: i32): bool {
  for (let c: usize = 0; c < <usize>channels << 2; c += 16) {
    if (v128.any_true(f32x4.ne(v128.load(a + c), v128.load(b + c)))) return false;
  }
  return true;
}

/** The mark of the pixel at `at`. */
function markOf(at: usize, row: usize, pixel: usize, channels: i32, hasRight: bool, hasBelow: bool): i32 {
  return (hasRight && isEqual(at, at + pixel, channels) ? right : 0) | (hasBelow && isEqual(at, at + row, channels) ? below : 0);
}

/**
 * Marks one pixel of every `taps` rows and columns that equals its right or lower neighbour in every channel, and clears all other marks.
 * A patch of taps x taps pixels holds one of them, so that where none is marked nothing else need be compared.
 *   marks[y,x] = (x[y,x] == x[y,x+1] ? 1 : 0) | (x[y,x] == x[y+1,x] ? 2 : 0) for y and x multiples of taps; 0 without such a neighbour
 * Layout: marks [height][rowBytes] bytes; x NHWC with strides in elements, channels a multiple of 4. Groups of `taps` rows [begin, end) are
 * written.
 * Source: definition.
 */
export function markSamples(
  marks: usize, rowBytes: i32, x: usize, xRow: i32, xPixel: i32, height: i32, width: i32, channels: i32, taps: i32, begin: i32, end: i32
): void {
  const row = <usize>xRow << 2;
  const pixel = <usize>xPixel << 2;
  for (let group = begin; group < end; group++) {
    const iy = group * taps;
    const out = marks + <usize>(iy * rowBytes);
    memory.fill(out, 0, <usize>(min(taps, height - iy) * rowBytes));
    for (let ix = 0; ix < width; ix += taps) {
      const at = x + <usize>iy * row + <usize>ix * pixel;
      store<u8>(out + ix, markOf(at, row, pixel, channels, ix + 1 < width, iy + 1 < height));
    }
  }
}

/**
 * Marks, as markSamples does, the other pixels of all patches whose sample is marked; all others keep 0.
 * Layout: as markSamples, which comes first. Rows [begin, end) are written; samples are read in taps - 1 rows around them.
 * Source: definition.
 */
export function markAroundSamples(
  marks: usize, rowBytes: i32, x: usize, xRow: i32, xPixel: i32, height: i32, width: i32, channels: i32, taps: i32, begin: i32, end: i32
): void {
  const row = <usize>xRow << 2;
  const pixel = <usize>xPixel << 2;
  for (let iy = begin; iy < end; iy++) {
    // Sample rows within taps - 1 rows: the one at or above, and the next where this is none itself.
    const rest = iy % taps;
    const upper = marks + <usize>((iy - rest) * rowBytes);
    const lower = rest > 0 && iy - rest + taps < height ? upper + <usize>(taps * rowBytes) : upper;
    const out = marks + <usize>(iy * rowBytes);
    let done = 0; // columns before it are marked
    for (let sample = 0; sample < width; sample += taps) {
      if (!(load<u8>(upper + sample) | load<u8>(lower + sample))) continue;
      const last = min(sample + taps, width);
      for (let ix = max(done, sample - taps + 1); ix < last; ix++) {
        if (rest == 0 && ix % taps == 0) continue; // a sample
        const at = x + <usize>iy * row + <usize>ix * pixel;
        store<u8>(out + ix, markOf(at, row, pixel, channels, ix + 1 < width, iy + 1 < height));
      }
      done = last;
    }
  }
}

/** Copies the `channels` floats of a pixel; channels a multiple of 4. */
@inline
function copyPixel(to: usize, from: usize, channels: i32): void {
  for (let c: usize = 0; c < <usize>channels << 2; c += 16) v128.store(to + c, v128.load(from + c));
}

/** Marks of the patches of one output row: those that all their pixels have. out [rowBytes]; a mark's row before taps - 1 more. */
function markPatches(out: usize, marks: usize, rowBytes: i32, outW: i32, taps: i32): bool {
  let any = i8x16.splat(0);
  for (let ox = 0; ox < outW; ox += 16) {
    let all = i8x16.splat(-1);
    for (let i = 0; i < taps; i++) {
      const row = marks + <usize>(i * rowBytes + ox);
      for (let j: usize = 0; j < <usize>taps; j++) all = v128.and(all, v128.load(row + j));
    }
    v128.store(out + ox, all);
    any = v128.or(any, all);
  }
  return v128.any_true(any);
}

/** Outputs that are computed together. Their patches stay in the second-level cache: 295 kB of 3 x 3 x 64 floats. */
const together = 128;

/**
 * Says of every tile of outputs whether flatConv2d replaces all of it, so that nothing else need compute it.
 *   skip[ty,tx] = 1 where each output of the tile has a left, right, upper or lower neighbour that reads an equal patch, else 0
 * Layout: skip [ceil(outH/size)][ceil(outW/size)] bytes; marks as flatConv2d reads them. scratch: 2 * rowBytes bytes. Rows of tiles
 * [begin, end) are written.
 * Source: definition.
 */
export function markFlatTiles(
  skip: usize, marks: usize, scratch: usize, rowBytes: i32, outH: i32, outW: i32, taps: i32, size: i32, begin: i32, end: i32
): void {
  const tilesX = (outW + size - 1) / size;
  let own = scratch;
  let above = own + <usize>rowBytes;
  let anyAbove = begin > 0 && markPatches(above, marks + <usize>((begin * size - 1) * rowBytes), rowBytes, outW, taps);
  for (let ty = begin; ty < end; ty++) {
    const out = skip + <usize>(ty * tilesX);
    memory.fill(out, 1, <usize>tilesX);
    for (let oy = ty * size; oy < min(ty * size + size, outH); oy++) {
      const any = markPatches(own, marks + <usize>(oy * rowBytes), rowBytes, outW, taps);
      let leftMark = 0;
      for (let ox = 0; ox < outW; ox++) {
        const mark = <i32>load<u8>(own + ox);
        if (!(mark | leftMark & right | (anyAbove ? load<u8>(above + ox) & below : 0))) store<u8>(out + ox / size, 0);
        leftMark = mark;
      }
      const swap = above;
      above = own;
      own = swap;
      anyAbove = any;
    }
  }
}

/**
 * Replaces the outputs of a convolution whose left, right, upper or lower neighbour reads an equal patch by what conv2dForward computes.
 *   y[oy,ox,o] = clamp(bias[o] + sum over i,j,c of w[o,c,i,j] * x[oy+i, ox+j, c], low, high)
 * Layout: as conv2dForward, stride 1, no dilation, of one group; y, x NHWC. marks [outH+taps-1][rowBytes] as markSamples and markAroundSamples
 * write them for the pixels from x on, rowBytes at least outW + taps + 15 and a multiple of 16. outC a multiple of 8. scratch: 2 * rowBytes
 * + 1152 bytes. Rows [begin, end) are written; any split gives the same bytes, for what is copied and what is computed is the same.
 * What is computed is gathered over rows, so that its weights are read for many outputs at once; copies follow when all of it is there.
 * Source: definition; see docs/design.md, the numeric contract.
 */
export function flatConv2d(
  y: usize, yRow: i32, yPixel: i32, x: usize, xRow: i32, xPixel: i32, w: usize, bias: usize, scratch: usize, marks: usize, rowBytes: i32,
  outW: i32, outC: i32, inC: i32, taps: i32, low: f32, high: f32, begin: i32, end: i32
): void {
  const places = scratch + 128;
  let own = places + (<usize>together << 3);
  let above = own + <usize>rowBytes;
  const left = <usize>yPixel << 2;
  const up = <usize>yRow << 2;
  let count = 0;
  let found = 0;
  for (let copies = 0; copies <= found; copies++) {
    let anyAbove = begin > 0 && markPatches(above, marks + <usize>((begin - 1) * rowBytes), rowBytes, outW, taps);
    for (let oy = begin; oy < end; oy++) {
      const any = markPatches(own, marks + <usize>(oy * rowBytes), rowBytes, outW, taps);
      if (any || anyAbove) {
        let out = y + <usize>oy * up; // y at [oy, ox]
        let leftMark = 0;
        for (let ox = 0; ox < outW; ox++) {
          const mark = <i32>load<u8>(own + ox);
          const equalsLeft = leftMark & right;
          const equalsAbove = anyAbove ? load<u8>(above + ox) & below : 0;
          if (mark | equalsLeft | equalsAbove) {
            if (equalsLeft || equalsAbove && oy > begin) {
              if (copies) copyPixel(out, out - (equalsLeft ? left : up), outC);
            } else if (!copies) {
              store<usize>(places + (<usize>count << 3), out);
              store<usize>(places + (<usize>count << 3), x + (<usize>oy * <usize>xRow + <usize>(ox * xPixel) << 2), 4);
              if (++count == together) {
                conv2dAtPlaces(places, count, xRow, xPixel, w, bias, scratch, outC, inC, taps, low, high);
                count = 0;
              }
              found = 1;
            }
          }
          leftMark = mark;
          out += left;
        }
      }
      const swap = above;
      above = own;
      own = swap;
      anyAbove = any;
    }
    if (count > 0) conv2dAtPlaces(places, count, xRow, xPixel, w, bias, scratch, outC, inC, taps, low, high);
    count = 0;
  }
}
