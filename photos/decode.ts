import { asBytes, type BytesLike } from "../engine/basics/bytes.ts";
import { FormatError, UnsupportedError } from "../engine/basics/errors.ts";
import { decodeBmp } from "./bmp/decode.ts";
import { asciiText, startsWith } from "./bytes.ts";
import type { Steps } from "./inflate.ts";
import { decodeJpeg } from "./jpeg/decode.ts";
import type { Photo } from "./photo.ts";
import { decodePng } from "./png/decode.ts";
import { checkLimits, defaultImageLimits, type ImageLimits } from "./size-limit.ts";

// First bytes of what people keep as photos or beside them. "?" stands for any byte.
const formats = [
  ["PNG", "\x89PNG\r\n\x1a\n"],
  ["JPEG", "\xff\xd8\xff"],
  ["BMP", "BM"],
  ["WebP", "RIFF????WEBP"],
  ["GIF", "GIF87a"],
  ["GIF", "GIF89a"],
  ["TIFF", "II*\0"],
  ["TIFF", "MM\0*"],
  // BigTIFF: offsets of 8 bytes.
  ["TIFF", "II+\0"],
  ["TIFF", "MM\0+"],
  ["JPEG XL", "\xff\x0a"],
  ["JPEG XL", "\0\0\0\x0cJXL "],
  ["JPEG 2000", "\0\0\0\x0cjP  "],
  ["PDF", "%PDF"],
  ["SVG", "<svg"],
  ["Photoshop", "8BPS"],
] as const;

/** What a file may be, as its first bytes tell. */
export type PhotoFormat = (typeof formats)[number][0] | "AVIF" | "HEIC";

/** ISO 14496-12, 4.3: an ISO media file names its kinds at its start, AVIF or HEVC pictures here. */
function mediaFormat(bytes: Uint8Array): PhotoFormat | undefined {
  if (!startsWith(bytes, "????ftyp")) return undefined;
  const length = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  const brands = asciiText(bytes.subarray(8, Math.min(length, 200)));
  if (/avi[fs]/.test(brands)) return "AVIF";
  return /he[iv][csxm]|mif1|msf1/.test(brands) ? "HEIC" : undefined;
}

/** The format that a file's first bytes tell, or undefined for none that we know. */
export function photoFormat(bytes: Uint8Array): PhotoFormat | undefined {
  return formats.find(([, firstBytes]) => startsWith(bytes, firstBytes))?.[0] ?? mediaFormat(bytes);
}

/**
 * Decodes a PNG, JPEG or BMP photo, told apart by its first bytes: upright, values as stored (colour profiles are named and not
 * applied), 16-bit samples rounded to 8. JPEG pixels are libjpeg-turbo's, byte for byte. `bytes` are only read.
 * @returns the decoder's steps, for `runSteps` or `runStepsAsync`
 * @throws FormatError when the bytes are no picture, truncated or broken; UnsupportedError for other picture formats and rare
 * JPEG variants; RangeError when the header announces more pixels than `limits` allows
 */
export function* decodePhoto(bytes: BytesLike, limits: ImageLimits = defaultImageLimits): Steps<Photo> {
  checkLimits(limits);
  const data = asBytes(bytes, "photo");
  if (data.length === 0) throw new FormatError("image: the file is empty. Give a PNG or JPEG photo.");
  const format = photoFormat(data);
  if (format === "PNG") return yield* decodePng(data, limits.maxPixels);
  if (format === "JPEG") return decodeJpeg(data, limits.maxPixels);
  if (format === "BMP") return decodeBmp(data, limits.maxPixels);
  if (format !== undefined) {
    throw new UnsupportedError(`image: ${format} is not supported. Convert the photo to PNG or JPEG.`);
  }
  throw new FormatError("image: the file is neither PNG nor JPEG. Give a PNG or JPEG photo.");
}
