import type { JpegFrame } from "./frame.ts";

/** What the components of a frame are. */
export type JpegColors = "grey" | "ycc" | "rgb" | "cmyk" | "ycck";

/** What says so besides the frame. */
export interface ColorHints {
  readonly hasJfif: boolean;
  /** Colour transform of the Adobe segment: 0 RGB or CMYK, 1 YCbCr, 2 YCCK; undefined without such a segment. */
  readonly adobeTransform: number | undefined;
}

/** By libjpeg's rules (jdapimin.c, default_decompress_parms). */
export function colorsOf({ components }: JpegFrame, { hasJfif, adobeTransform }: ColorHints): JpegColors {
  if (components.length === 1) return "grey";
  if (components.length === 4) return adobeTransform === undefined || adobeTransform === 0 ? "cmyk" : "ycck";
  if (hasJfif) return "ycc";
  if (adobeTransform !== undefined) return adobeTransform === 0 ? "rgb" : "ycc";
  return String.fromCharCode(...components.map(({ id }) => id)) === "RGB" ? "rgb" : "ycc";
}

// libjpeg, jdcolor.c: 16-bit fixed point, each product rounded, for every value of a chroma sample.
const fix = (value: number): number => Math.trunc(value * 65536 + 0.5);
const half = 32768;
const byChroma = (entry: (centred: number) => number): Int32Array =>
  Int32Array.from({ length: 256 }, (_, i) => entry(i - 128));
const redOfCr = byChroma((x) => (fix(1.402) * x + half) >> 16);
const blueOfCb = byChroma((x) => (fix(1.772) * x + half) >> 16);
const greenOfCr = byChroma((x) => -fix(0.71414) * x);
const greenOfCb = byChroma((x) => -fix(0.34414) * x + half);

/** round(a b / 255), as Pillow computes it (MULDIV255). */
function product(a: number, b: number): number {
  const t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

/**
 * Writes one row as RGBA.
 * @param rows one row of samples per component
 * @param out clamps; `width` pixels from `to`
 */
export function writeColors(
  colors: JpegColors,
  rows: readonly Uint8Array[],
  width: number,
  out: Uint8ClampedArray,
  to: number,
): void {
  const [a, b, c, d] = rows;
  let p = to;
  if (a === undefined) return;
  if (colors === "grey" || b === undefined || c === undefined) {
    for (let x = 0; x < width; x++, p += 4) {
      out[p] = out[p + 1] = out[p + 2] = a[x]!;
      out[p + 3] = 255;
    }
    return;
  }
  if (colors === "rgb") {
    for (let x = 0; x < width; x++, p += 4) {
      out[p] = a[x]!;
      out[p + 1] = b[x]!;
      out[p + 2] = c[x]!;
      out[p + 3] = 255;
    }
    return;
  }
  if (colors === "ycc" || colors === "ycck") {
    for (let x = 0; x < width; x++, p += 4) {
      const y = a[x]!;
      out[p] = y + redOfCr[c[x]!]!;
      out[p + 1] = y + ((greenOfCb[b[x]!]! + greenOfCr[c[x]!]!) >> 16);
      out[p + 2] = y + blueOfCb[b[x]!]!;
      out[p + 3] = 255;
    }
  }
  if (d === undefined) return;
  // Pillow takes every CMYK file to be stored inverted, as Adobe does: the samples are what is left of the paper's white.
  // Libjpeg inverts what YCCK gives once more, so that the colours above are inks. out: 255 - k - ink (255 - k) / 255.
  p = to;
  for (let x = 0; x < width; x++, p += 4) {
    const light = d[x]!;
    if (colors === "cmyk") {
      out[p] = light - product(255 - a[x]!, light);
      out[p + 1] = light - product(255 - b[x]!, light);
      out[p + 2] = light - product(255 - c[x]!, light);
      out[p + 3] = 255;
    } else {
      for (let k = p; k < p + 3; k++) out[k] = light - product(out[k]!, light);
    }
  }
}
