import { FormatError } from "../../engine/basics/errors.ts";
import { type PngHeader, type PngPass, passesOf } from "./header.ts";

/** Undoes a row's filter in place (PNG specification, 9.2). `above` is where the row before begins, -1 for the first. */
function unfilter(filter: number, data: Uint8Array, row: number, length: number, above: number, step: number): void {
  if (filter === 0) return;
  const end = row + length;
  // Left of the first pixel and above the first row are zeros.
  const left = (p: number): number => (p - row < step ? 0 : data[p - step]!);
  const up = (p: number): number => (above < 0 ? 0 : data[above + p - row]!);
  if (filter === 1) {
    for (let p = row + step; p < end; p++) data[p] = data[p]! + data[p - step]!;
  } else if (filter === 2) {
    if (above >= 0) for (let p = row, q = above; p < end; p++, q++) data[p] = data[p]! + data[q]!;
  } else if (filter === 3) {
    for (let p = row; p < end; p++) data[p] = data[p]! + ((left(p) + up(p)) >> 1);
  } else if (filter === 4) {
    for (let p = row; p < end; p++) {
      const a = left(p);
      const b = up(p);
      const c = above < 0 || p - row < step ? 0 : data[above + p - row - step]!;
      const toA = Math.abs(b - c);
      const toB = Math.abs(a - c);
      const toC = Math.abs(a + b - 2 * c);
      data[p] = data[p]! + (toA <= toB && toA <= toC ? a : toB <= toC ? b : c);
    }
  } else {
    throw new FormatError(`PNG: a row has filter ${filter}, which does not exist. The file is damaged.`);
  }
}

/** 8 bits of a 16-bit sample, rounded: v / 257. */
const rounded16 = (data: Uint8Array, at: number): number => Math.floor(((data[at]! << 8) + data[at + 1]! + 128) / 257);

/**
 * RGBA pixels of the inflated rows, alpha as stored. `rows` are overwritten.
 * @throws FormatError for a filter or palette entry that does not exist
 */
export function readRows(
  header: PngHeader,
  rows: Uint8Array,
  palette: Uint8Array | undefined,
  transparency: Uint8Array | undefined,
): Uint8Array {
  const { width, height, bitsPerPixel } = header;
  const pixels = new Uint8Array(width * height * 4);
  const step = Math.max(1, bitsPerPixel >> 3);
  const write = pixelWriter(header, rows, pixels, palette, transparency);
  let at = 0;
  for (const pass of passesOf(header)) {
    let above = -1;
    for (let row = 0; row < pass.rows; row++, at += pass.rowBytes) {
      unfilter(rows[at]!, rows, at + 1, pass.rowBytes - 1, above, step);
      above = at + 1;
      write(pass, at + 1, row);
    }
  }
  return pixels;
}

type WriteRow = (pass: PngPass, from: number, row: number) => void;

function pixelWriter(
  { width, colorType, depth }: PngHeader,
  rows: Uint8Array,
  pixels: Uint8Array,
  palette: Uint8Array | undefined,
  transparency: Uint8Array | undefined,
): WriteRow {
  const target = ({ x, y, dx, dy }: PngPass, row: number): readonly [to: number, next: number] => [
    ((y + row * dy) * width + x) * 4,
    dx * 4,
  ];
  // The transparent colour of grey and RGB pictures: compared in full depth.
  const key = colorType !== 3 && transparency !== undefined ? transparency : undefined;
  // Of its 16 bits the lowest count, as many as a sample has (11.3.2.1).
  const keyAt = (i: number): number =>
    key === undefined ? -1 : ((key[2 * i]! << 8) | key[2 * i + 1]!) & ((1 << depth) - 1);
  const [key0, key1, key2] = [keyAt(0), keyAt(1), keyAt(2)];

  // One sample of up to 8 bits a pixel: grey or palette.
  if ((colorType === 0 || colorType === 3) && depth <= 8) {
    const mask = (1 << depth) - 1;
    const colors = colorType === 0 ? greyColors(depth, key0) : paletteColors(palette, transparency);
    return (pass, from, row) => {
      let [to, next] = target(pass, row);
      for (let column = 0; column < pass.columns; column++, to += next) {
        const bit = column * depth;
        const value = (rows[from + (bit >> 3)]! >> (8 - depth - (bit & 7))) & mask;
        if (value * 4 >= colors.length) {
          throw new FormatError(
            `PNG: a pixel has colour ${value} of a palette of ${colors.length / 4}. The file is damaged.`,
          );
        }
        for (let c = 0; c < 4; c++) pixels[to + c] = colors[value * 4 + c]!;
      }
    };
  }
  const isGrey = colorType === 0 || colorType === 4;
  const hasAlpha = colorType === 4 || colorType === 6;
  const samples = (isGrey ? 1 : 3) + (hasAlpha ? 1 : 0);
  const bytes = depth >> 3;
  const sample = (at: number): number => (bytes === 1 ? rows[at]! : rounded16(rows, at));
  const full = (at: number): number => (bytes === 1 ? rows[at]! : (rows[at]! << 8) | rows[at + 1]!);
  return (pass, from, row) => {
    let [to, next] = target(pass, row);
    let p = from;
    for (let column = 0; column < pass.columns; column++, to += next, p += samples * bytes) {
      pixels[to] = sample(p);
      pixels[to + 1] = isGrey ? pixels[to]! : sample(p + bytes);
      pixels[to + 2] = isGrey ? pixels[to]! : sample(p + 2 * bytes);
      pixels[to + 3] = hasAlpha ? sample(p + (samples - 1) * bytes) : 255;
      if (key === undefined || full(p) !== key0) continue;
      if (isGrey || (full(p + bytes) === key1 && full(p + 2 * bytes) === key2)) pixels[to + 3] = 0;
    }
  };
}

function greyColors(depth: number, transparent: number): Uint8Array {
  const count = 1 << depth;
  const colors = new Uint8Array(count * 4);
  for (let value = 0; value < count; value++) {
    colors.fill((value * 255) / (count - 1), value * 4, value * 4 + 3);
    colors[value * 4 + 3] = value === transparent ? 0 : 255;
  }
  return colors;
}

function paletteColors(palette: Uint8Array | undefined, alphas: Uint8Array | undefined): Uint8Array {
  if (palette === undefined) throw new Error("png: palette not checked");
  const count = palette.length / 3;
  const colors = new Uint8Array(count * 4);
  for (let i = 0; i < count; i++) {
    colors.set(palette.subarray(i * 3, i * 3 + 3), i * 4);
    colors[i * 4 + 3] = alphas?.[i] ?? 255;
  }
  return colors;
}
