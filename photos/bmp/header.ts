import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { checkSize } from "../size-limit.ts";

/** How pixels are stored: as they are, in runs of 8 or 4 bits, or with masks for the colours. */
export type BmpCompression = "none" | "rle8" | "rle4" | "masks";

/** What a Windows bitmap says before its pixels. */
export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  /** Rows from the top; usually they begin at the bottom. */
  readonly isTopDown: boolean;
  readonly bits: number;
  readonly compression: BmpCompression;
  /** Where the pixels begin. */
  readonly pixels: number;
  /** Blue, green, red triples; empty without a palette. */
  readonly palette: Uint8Array;
  /** Which bits of a pixel are red, green, blue and alpha; alpha 0 for none. 16 and 32 bits alone. */
  readonly masks: readonly [red: number, green: number, blue: number, alpha: number];
}

const compressions: Record<number, BmpCompression> = { 0: "none", 1: "rle8", 2: "rle4", 3: "masks", 6: "masks" };

const truncated = (): FormatError =>
  new FormatError("BMP: the file is truncated inside its header. Get the photo again.");

/**
 * Reads the file's header (14 bytes) and the bitmap's: the 12 bytes of OS/2, or Windows' 40 and more.
 * @throws FormatError, UnsupportedError, and RangeError when the picture is larger than `maxPixels`
 */
export function readBmpHeader(bytes: Uint8Array, maxPixels: number): BmpHeader {
  if (bytes.length < 26) throw truncated();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pixels = view.getUint32(10, true);
  const size = view.getUint32(14, true);
  const isOs2 = size === 12;
  if (!isOs2 && (size < 40 || size > 200)) {
    throw new UnsupportedError(`BMP: headers of ${size} bytes are not supported. Save the photo as PNG.`);
  }
  if (bytes.length < 14 + size) throw truncated();
  const width = isOs2 ? view.getUint16(18, true) : view.getInt32(18, true);
  const signedHeight = isOs2 ? view.getUint16(20, true) : view.getInt32(22, true);
  const height = Math.abs(signedHeight);
  const bits = view.getUint16(isOs2 ? 24 : 28, true);
  const kind = isOs2 ? 0 : view.getUint32(30, true);
  checkSize("BMP", Math.max(0, width), height, maxPixels);
  const compression = compressions[kind];
  const fits =
    compression === "rle8"
      ? bits === 8
      : compression === "rle4"
        ? bits === 4
        : compression === "masks"
          ? bits === 16 || bits === 32 || bits === 24
          : [1, 4, 8, 16, 24, 32].includes(bits);
  if (compression === undefined || !fits) {
    throw new UnsupportedError(
      `BMP: compression ${kind} with ${bits} bits a pixel is not supported. Save the photo as PNG.`,
    );
  }
  const used = isOs2 ? 0 : view.getUint32(46, true);
  const colors = bits > 8 ? 0 : used === 0 ? 1 << bits : used;
  if (colors > 256)
    throw new FormatError(`BMP: a palette has at most 256 colours, got ${colors}. The file is damaged.`);
  const entry = isOs2 ? 3 : 4;
  // The masks of a 40-byte header lie behind it.
  const start = 14 + size + (compression === "masks" && size === 40 ? (kind === 6 ? 16 : 12) : 0);
  if (pixels < start || start + colors * entry > bytes.length) throw truncated();
  // Some files have less than they say: the pixels begin earlier.
  const present = Math.min(colors, Math.floor((pixels - start) / entry));
  const palette = new Uint8Array(present * 3);
  for (let i = 0; i < present; i++) palette.set(bytes.subarray(start + i * entry, start + i * entry + 3), i * 3);
  return {
    width,
    height,
    isTopDown: signedHeight < 0,
    bits,
    compression,
    pixels,
    palette,
    masks: masksOf(view, bits, compression === "masks", size, kind),
  };
}

function masksOf(view: DataView, bits: number, areGiven: boolean, size: number, kind: number): BmpHeader["masks"] {
  const usual = bits === 16 ? ([0x7c00, 0x3e0, 0x1f, 0] as const) : ([0xff0000, 0xff00, 0xff, 0] as const);
  if (!areGiven) return usual;
  if (view.byteLength < 66) throw truncated();
  const hasAlpha = (size >= 56 || kind === 6) && view.byteLength >= 70;
  const at = (i: number): number => view.getUint32(54 + 4 * i, true);
  const masks = [at(0), at(1), at(2), hasAlpha ? at(3) : 0] as const;
  // As Pillow reads them: no masks at all mean the usual order with alpha.
  return masks.every((mask) => mask === 0) ? [0xff0000, 0xff00, 0xff, bits === 32 ? 0xff000000 : 0] : masks;
}
