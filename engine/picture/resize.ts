import { ShapeError } from "../basics/errors.ts";
import { checkImage, formatSize, type Image } from "./image.ts";

/** A rectangle of pixels inside a picture. */
export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

// Pillow, src/libImaging/Resample.c: PRECISION_BITS = 32 - 8 - 2, so that sums of 8-bit pixels fit 32 bits with two to spare.
const precisionBits = 22;

/** For each output position: first input position, number of inputs, and their fixed-point weights. */
interface Coefficients {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
  readonly stride: number;
}

/**
 * Triangle filter weights of the outputs `begin` .. `begin + length - 1` of a resize from `from` to `to` samples.
 * Source: Pillow Resample.c, precompute_coeffs and normalize_coeffs_8bpc, operation by operation.
 */
function triangleCoefficients(from: number, to: number, begin: number, length: number): Coefficients {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Int32Array(length * stride);
  const raw = new Float64Array(stride);
  for (let i = 0; i < length; i++) {
    const center = (begin + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const high = Math.min(from, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let x = low; x < high; x++) {
      const weight = Math.max(0, 1 - Math.abs((x - center + 0.5) * (1 / support)));
      raw[x - low] = weight;
      sum += weight;
    }
    for (let k = 0; k < high - low; k++) {
      // The weights are not negative, so adding a half and truncating rounds to nearest.
      weights[i * stride + k] = Math.trunc(0.5 + (sum === 0 ? raw[k]! : raw[k]! / sum) * 2 ** precisionBits);
    }
    first[i] = low;
    count[i] = high - low;
  }
  return { first, count, weights, stride };
}

function clip8(sum: number): number {
  const value = sum >> precisionBits;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** @throws ShapeError for a crop that does not lie inside the resized picture */
function checkCrop(width: number, height: number, crop: Crop): void {
  const { left, top } = crop;
  if (
    ![left, top, crop.width, crop.height, width, height].every(Number.isSafeInteger) ||
    !(left >= 0 && top >= 0 && crop.width > 0 && crop.height > 0) ||
    left + crop.width > width ||
    top + crop.height > height
  ) {
    throw new ShapeError(
      `resize: the crop of ${formatSize(crop)} at (${left},${top}) must lie inside the resized ${width}x${height} picture.`,
    );
  }
}

const half = 1 << (precisionBits - 1);

/** The wanted columns of the input rows `firstRow` .. `lastRow`, RGB. `columns` is undefined where the width stays. */
function resizedColumns(
  image: Image,
  columns: Coefficients | undefined,
  { left, width }: Crop,
  firstRow: number,
  lastRow: number,
): Uint8Array {
  const between = new Uint8Array((lastRow - firstRow + 1) * width * 3);
  let to = 0;
  for (let y = firstRow; y <= lastRow; y++) {
    const row = y * image.width * 4;
    for (let x = 0; x < width; x++) {
      let red = half;
      let green = half;
      let blue = half;
      if (columns === undefined) {
        const from = row + (left + x) * 4;
        red = image.data[from]! << precisionBits;
        green = image.data[from + 1]! << precisionBits;
        blue = image.data[from + 2]! << precisionBits;
      } else {
        let from = row + columns.first[x]! * 4;
        const count = columns.count[x]!;
        for (let k = 0; k < count; k++) {
          const weight = columns.weights[x * columns.stride + k]!;
          red += image.data[from]! * weight;
          green += image.data[from + 1]! * weight;
          blue += image.data[from + 2]! * weight;
          from += 4;
        }
      }
      between[to++] = clip8(red);
      between[to++] = clip8(green);
      between[to++] = clip8(blue);
    }
  }
  return between;
}

/** The wanted rows of what `resizedColumns` gave, RGBA. `rows` is undefined where the height stays. */
function resizedRows(between: Uint8Array, rows: Coefficients | undefined, crop: Crop, firstRow: number): Uint8Array {
  const data = new Uint8Array(crop.width * crop.height * 4);
  const rowLength = crop.width * 3;
  const sums = new Int32Array(rowLength);
  let to = 0;
  for (let y = 0; y < crop.height; y++) {
    if (rows === undefined) {
      for (let i = 0, from = y * rowLength; i < rowLength; i++) sums[i] = between[from++]! << precisionBits;
    } else {
      sums.fill(half);
      let from = (rows.first[y]! - firstRow) * rowLength;
      for (let k = 0; k < rows.count[y]!; k++) {
        const weight = rows.weights[y * rows.stride + k]!;
        for (let i = 0; i < rowLength; i++) sums[i] = sums[i]! + between[from++]! * weight;
      }
    }
    for (let i = 0; i < rowLength; i += 3, to += 4) {
      data[to] = clip8(sums[i]!);
      data[to + 1] = clip8(sums[i + 1]!);
      data[to + 2] = clip8(sums[i + 2]!);
      data[to + 3] = 255;
    }
  }
  return data;
}

/**
 * Resizes to `width` x `height` with an antialiased triangle filter ("bilinear") and returns the rectangle `crop` of the
 * result: the same bytes as Pillow's resize followed by crop, without computing what the crop drops.
 * Pillow works in two 8-bit passes, columns first, and skips a pass that would not change the size. So do we.
 * Alpha is ignored; the result is opaque.
 * @throws ShapeError when the crop does not lie inside the resized picture.
 */
export function resizeAndCrop(image: Image, width: number, height: number, crop: Crop): Image {
  checkImage(image);
  checkCrop(width, height, crop);
  const { left, top } = crop;
  const columns = width === image.width ? undefined : triangleCoefficients(image.width, width, left, crop.width);
  const rows = height === image.height ? undefined : triangleCoefficients(image.height, height, top, crop.height);
  // Only the input rows that the wanted output rows read.
  const last = crop.height - 1;
  const firstRow = rows === undefined ? top : rows.first[0]!;
  const lastRow = rows === undefined ? top + last : rows.first[last]! + rows.count[last]! - 1;
  const between = resizedColumns(image, columns, crop, firstRow, lastRow);
  return { width: crop.width, height: crop.height, data: resizedRows(between, rows, crop, firstRow) };
}
