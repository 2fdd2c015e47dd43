import type { JpegComponent, JpegFrame } from "./frame.ts";

/** Writes one row of the picture's samples of one component: as many as the picture is wide, or one more. */
export type RowWriter = (y: number, out: Uint8Array) => void;

/**
 * Brings a component to the picture's size, row by row, the way libjpeg does by default ("fancy upsampling", jdsample.c): steps
 * of 2 x 1, 1 x 2 and 2 x 2 are interpolated with a triangle filter, other steps repeat samples, and so do components of two
 * columns or fewer where columns are concerned.
 */
export function rowWriter(component: JpegComponent, frame: JpegFrame): RowWriter {
  const { samples, storedColumns, width, height } = component;
  const stride = storedColumns * 8;
  const stepX = frame.maxH / component.h;
  const stepY = frame.maxV / component.v;
  if (stepX === 1 && stepY === 1) {
    return (y, out) => out.set(samples.subarray(y * stride, y * stride + width));
  }
  /** Of a step of two rows: the row that output row y lies in, and its other neighbour; the edge row is its own neighbour. */
  const near = (y: number): number => (y >> 1) * stride;
  const far = (y: number): number =>
    ((y & 1) === 0 ? Math.max(0, (y >> 1) - 1) : Math.min(height - 1, (y >> 1) + 1)) * stride;

  // h1v2_fancy_upsample: 3/4 near + 1/4 far row, rounding half down in upper rows and half up in lower ones.
  if (stepX === 1 && stepY === 2) {
    return (y, out) => {
      const a = near(y);
      const b = far(y);
      const bias = (y & 1) === 0 ? 1 : 2;
      for (let x = 0; x < width; x++) out[x] = (3 * samples[a + x]! + samples[b + x]! + bias) >> 2;
    };
  }
  // h2v1_fancy_upsample: 3/4 near + 1/4 far column.
  if (stepX === 2 && stepY === 1 && width > 2) {
    return (y, out) => {
      const a = y * stride;
      const last = width - 1;
      for (let x = 0; x < width; x++) {
        const here = 3 * samples[a + x]!;
        out[2 * x] = (here + samples[a + (x === 0 ? 0 : x - 1)]! + 1) >> 2;
        out[2 * x + 1] = (here + samples[a + (x === last ? last : x + 1)]! + 2) >> 2;
      }
    };
  }
  // h2v2_fancy_upsample: first the rows' sums, 3 near + 1 far, then the columns.
  if (stepX === 2 && stepY === 2 && width > 2) {
    const sums = new Int32Array(width + 2);
    return (y, out) => {
      const a = near(y);
      const b = far(y);
      for (let x = 0; x < width; x++) sums[x + 1] = 3 * samples[a + x]! + samples[b + x]!;
      sums[0] = sums[1]!;
      sums[width + 1] = sums[width]!;
      for (let x = 0; x < width; x++) {
        const here = 3 * sums[x + 1]!;
        out[2 * x] = (here + sums[x]! + 8) >> 4;
        out[2 * x + 1] = (here + sums[x + 2]! + 7) >> 4;
      }
    };
  }
  return (y, out) => {
    const a = Math.floor(y / stepY) * stride;
    for (let x = 0; x < frame.width; x++) out[x] = samples[a + Math.floor(x / stepX)]!;
  };
}
