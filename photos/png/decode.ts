import { FormatError } from "../../engine/basics/errors.ts";
import type { Image } from "../../engine/picture/image.ts";
import { iccDescription } from "../color-profile.ts";
import type { Inflated, Steps } from "../inflate.ts";
import { applyOrientation } from "../orientation/apply.ts";
import { exifOrientation, rawProfileOrientation } from "../orientation/exif.ts";
import { xmpOrientation } from "../orientation/xmp.ts";
import type { Photo } from "../photo.ts";
import { type PngText, readChunks } from "./chunks.ts";
import { pixelBytes } from "./header.ts";
import { readRows } from "./rows.ts";

// Notes about a picture are read up to this size; longer ones are left aside.
const maxNoteBytes = 1 << 20;

/** Bytes of a note, or undefined when they are damaged or too long: that does not make the picture unreadable. */
function* noteBytes({ bytes, isCompressed }: PngText): Steps<Uint8Array | undefined> {
  if (!isCompressed) return bytes;
  const inflated = yield { stream: bytes, maxBytes: maxNoteBytes };
  return typeof inflated === "string" ? undefined : inflated;
}

/** Orientation from a text: ImageMagick's raw profile, or XMP. */
function* textOrientation(texts: readonly PngText[], name: string): Steps<number | undefined> {
  const text = texts.findLast(({ keyword }) => keyword === name);
  const bytes = text === undefined ? undefined : yield* noteBytes(text);
  if (bytes === undefined) return undefined;
  return name === "XML:com.adobe.xmp" ? xmpOrientation(bytes) : rawProfileOrientation(bytes);
}

function checkPixels(inflated: Inflated, expected: number, width: number, height: number): Uint8Array {
  if (inflated === "too long") {
    throw new FormatError(
      `PNG: the pixel data are longer than the ${width}x${height} pixels of the header. The file is damaged.`,
    );
  }
  if (inflated === "damaged") throw new FormatError("PNG: the pixel data are damaged. Get the photo again.");
  if (inflated.length !== expected) {
    throw new FormatError(
      `PNG: the pixel data are truncated, ${inflated.length} of ${expected} bytes are there. Get the photo again.`,
    );
  }
  return inflated;
}

/**
 * Decodes a PNG of any colour type, bit depth and interlacing; see `decodePhoto`. What follows the PNG's end is ignored.
 * @throws FormatError, RangeError
 */
export function* decodePng(bytes: Uint8Array, maxPixels: number): Steps<Photo> {
  const { header, pixels, palette, transparency, exif, texts, colorProfile, colorSpace } = readChunks(bytes, maxPixels);
  const { width, height } = header;
  const expected = pixelBytes(header);
  const inflated = pixels.length === 0 ? new Uint8Array(0) : yield { stream: pixels, maxBytes: expected };
  const rows = checkPixels(inflated, expected, width, height);
  const image: Image = { width, height, data: readRows(header, rows, palette, transparency) };
  const orientation =
    (exif !== undefined ? exifOrientation(exif) : yield* textOrientation(texts, "Raw profile type exif")) ??
    (yield* textOrientation(texts, "XML:com.adobe.xmp")) ??
    1;
  const profile = colorProfile === undefined ? undefined : yield* noteBytes(colorProfile);
  return {
    image: applyOrientation(image, orientation),
    colorProfile: profile === undefined ? (colorProfile?.keyword ?? colorSpace) : iccDescription(profile),
  };
}
