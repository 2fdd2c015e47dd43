import { storeTransposed } from "../common/transpose";

// Weights as the kernels of dense layers read them: input-major.

/** Row r of w times its factor, from input i on. */
@inline
function scaledRow(a: usize, scale: usize, r: i32): v128 {
  const w = v128.load(a);
  return scale ? f32x4.mul(w, v128.load32_splat(scale + (<usize>r << 2))) : w;
}

/** Rows and inputs of a square of densePack. */
const squareRows: i32 = 64;
const squareInputs: i32 = 16;

/**
 * Bytes of scratch that densePack needs.
 * Source: the squares that densePack reads and writes back turned.
 */
export function densePackScratch(): i32 {
  return squareRows * squareInputs << 2;
}

/** Copies n floats. */
@inline
function copyFloats(to: usize, from: usize, n: i32): void {
  const stop = to + (<usize>n << 2);
  for (; to + 16 <= stop; to += 16, from += 16) v128.store(to, v128.load(from));
  for (; to < stop; to += 4, from += 4) f32.store(to, f32.load(from));
}

/**
 * Stores rows of a dense weight tensor input-major.
 *   packed[i][first + r] = w[r][i] * (scale ? scale[r] : 1) for r in [0, rows)
 * Layout: w [rows][inF], packed [inF][outStride], scale [rows] or 0, scratch densePackScratch bytes. Inputs [begin, end) are written.
 * Every input's row of `packed` lies on a page of its own and, where outStride is a power of two, in the same few lines of the
 * cache: so 64 rows of w are turned in scratch, a line of 16 inputs at a time, and then copied in one go.
 * Source: layout of denseForward.
 */
export function densePack(
  packed: usize, scratch: usize, w: usize, scale: usize, first: i32, rows: i32, inF: i32, outStride: i32, begin: i32, end: i32
): void {
  const rowBytes = <usize>inF << 2;
  const turnedBytes = <usize>squareRows << 2;
  for (let block = 0; block < rows; block += squareRows) {
    const count = min(squareRows, rows - block);
    const squares = count & ~3;
    for (let i = begin; i < end; i += squareInputs) {
      const width = min(squareInputs, end - i);
      const quads = width & ~3;
      const source = w + <usize>block * rowBytes + (<usize>i << 2); // w at [block, i]
      for (let r = 0; r < squares; r += 4) {
        let a = source + <usize>r * rowBytes;
        let out = scratch + (<usize>r << 2); // scratch at [0, r]
        for (let k = 0; k < quads; k += 4) {
          const row = block + r;
          storeTransposed(out, turnedBytes, scaledRow(a, scale, row), scaledRow(a + rowBytes, scale, row + 1),
            scaledRow(a + 2 * rowBytes, scale, row + 2), scaledRow(a + 3 * rowBytes, scale, row + 3));
          a += 16;
          out += 4 * turnedBytes;
        }
      }
      for (let r = 0; r < count; r++) {
        const factor: f32 = scale ? f32.load(scale + (<usize>(block + r) << 2)) : 1;
        for (let k = r < squares ? quads : 0; k < width; k++) {
          f32.store(scratch + <usize>k * turnedBytes + (<usize>r << 2), f32.load(source + <usize>r * rowBytes + (<usize>k << 2)) * factor);
        }
      }
      let to = packed + ((<usize>i * <usize>outStride + <usize>(first + block)) << 2); // packed at [i, first + block]
      for (let k = 0; k < width; k++) {
        copyFloats(to, scratch + <usize>k * turnedBytes, count);
        to += <usize>outStride << 2;
      }
    }
  }
}
