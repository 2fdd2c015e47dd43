import { FormatError } from "../../engine/basics/errors.ts";
import type { Image } from "../../engine/picture/image.ts";
import type { Photo } from "../photo.ts";
import { type BmpHeader, readBmpHeader } from "./header.ts";

const truncated = (): FormatError => new FormatError("BMP: the file is truncated. Get the photo again.");

/** Palette indices of the pixels, rows as they are stored. */
function readIndices(bytes: Uint8Array, { width, height, bits, pixels }: BmpHeader): Uint8Array {
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  if (pixels + rowBytes * (height - 1) + Math.ceil((width * bits) / 8) > bytes.length) throw truncated();
  const indices = new Uint8Array(width * height);
  const mask = (1 << bits) - 1;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const bit = column * bits;
      indices[row * width + column] = (bytes[pixels + row * rowBytes + (bit >> 3)]! >> (8 - bits - (bit & 7))) & mask;
    }
  }
  return indices;
}

/** The same from runs (Windows' BI_RLE8 and BI_RLE4). Pixels that are skipped have index 0. */
function readRuns(bytes: Uint8Array, { width, height, bits, pixels }: BmpHeader): Uint8Array {
  const indices = new Uint8Array(width * height);
  const nibbles = bits === 4;
  let [row, column, at] = [0, 0, pixels];
  const put = (index: number): void => {
    if (row < height && column < width) indices[row * width + column] = index;
    column++;
  };
  const nibble = (byte: number, k: number): number => (k % 2 === 0 ? byte >> 4 : byte & 15);
  for (;;) {
    const count = bytes[at];
    const value = bytes[at + 1];
    if (count === undefined || value === undefined) throw truncated();
    at += 2;
    if (count > 0) {
      for (let k = 0; k < count; k++) put(nibbles ? nibble(value, k) : value);
    } else if (value === 0) {
      row++;
      column = 0;
    } else if (value === 1) {
      return indices;
    } else if (value === 2) {
      if (at + 2 > bytes.length) throw truncated();
      column += bytes[at]!;
      row += bytes[at + 1]!;
      at += 2;
    } else {
      // `value` pixels as they are, padded to whole words.
      const length = nibbles ? Math.ceil(value / 2) : value;
      if (at + length > bytes.length) throw truncated();
      for (let k = 0; k < value; k++) put(nibbles ? nibble(bytes[at + (k >> 1)]!, k) : bytes[at + k]!);
      at += length + (length % 2);
    }
    // Without this a file could go on for ever below the picture.
    if (row > height)
      throw new FormatError("BMP: the pixel data are longer than the header says. The file is damaged.");
  }
}

function fromPalette(
  indices: Uint8Array,
  { palette }: BmpHeader,
  write: (pixel: number, rgba: readonly number[]) => void,
): void {
  const colors = Array.from({ length: palette.length / 3 }, (_, i) => [
    palette[i * 3 + 2]!,
    palette[i * 3 + 1]!,
    palette[i * 3]!,
    255,
  ]);
  indices.forEach((index, pixel) => {
    const color = colors[index];
    if (color === undefined) {
      throw new FormatError(`BMP: a pixel has colour ${index} of a palette of ${colors.length}. The file is damaged.`);
    }
    write(pixel, color);
  });
}

/** How to take a colour out of a pixel: shift, largest value; stretched to 0 to 255 as Pillow does, fractions cut off. */
function channel(mask: number): (pixel: number) => number {
  if (mask === 0) return () => 255;
  const shift = 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  return (pixel) => Math.trunc((((pixel & mask) >>> shift) * 255) / most);
}

function fromMasks(
  bytes: Uint8Array,
  header: BmpHeader,
  write: (pixel: number, rgba: readonly number[]) => void,
): void {
  const { width, height, bits, pixels, masks } = header;
  const step = bits / 8;
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  if (pixels + rowBytes * (height - 1) + width * step > bytes.length) throw truncated();
  const [red, green, blue, alpha] = masks.map(channel);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = pixels + row * rowBytes + column * step;
      let value = 0;
      for (let k = step - 1; k >= 0; k--) value = (value << 8) | bytes[at + k]!;
      write(row * width + column, [red!(value), green!(value), blue!(value), alpha!(value)]);
    }
  }
}

/**
 * Decodes a Windows bitmap of 1 to 32 bits a pixel, plain, in runs or with masks; see `decodePhoto`.
 * @throws FormatError, UnsupportedError, RangeError
 */
export function decodeBmp(bytes: Uint8Array, maxPixels: number): Photo {
  const header = readBmpHeader(bytes, maxPixels);
  const { width, height, isTopDown, compression, bits } = header;
  const image: Image = { width, height, data: new Uint8Array(width * height * 4) };
  const write = (pixel: number, rgba: readonly number[]): void => {
    const row = Math.floor(pixel / width);
    image.data.set(rgba, ((isTopDown ? row : height - 1 - row) * width + (pixel % width)) * 4);
  };
  if (compression === "rle8" || compression === "rle4") fromPalette(readRuns(bytes, header), header, write);
  else if (bits <= 8) fromPalette(readIndices(bytes, header), header, write);
  else fromMasks(bytes, header, write);
  return { image, colorProfile: undefined };
}
