import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { Image } from "../../engine/picture/image.ts";
import { decodeJpeg } from "./jpeg.ts";
import { decodePng } from "./png.ts";

/** What a photo may cost. */
export interface ImageLimits {
  /** Most pixels that are decoded; told from the header, before any memory is taken. */
  readonly maxPixels: number;
}

/** 100 megapixels: twice what today's phones take. Decoding a JPEG of that size needs about 2 GB for a moment. */
export const defaultImageLimits: ImageLimits = { maxPixels: 100e6 };

// First bytes of what people keep beside their photos. "?" stands for any byte.
const otherFormats: readonly (readonly [name: string, firstBytes: string])[] = [
  ["WebP", "RIFF????WEBP"],
  ["GIF", "GIF87a"],
  ["GIF", "GIF89a"],
  ["HEIC", "????ftyphei"],
  ["HEIC", "????ftyphev"],
  ["HEIC", "????ftypmif1"],
  ["HEIC", "????ftypmsf1"],
  ["AVIF", "????ftypavi"],
  ["TIFF", "II*\0"],
  ["TIFF", "MM\0*"],
  ["BMP", "BM"],
  ["JPEG XL", "\xff\x0a"],
  ["JPEG XL", "\0\0\0\x0cJXL "],
  ["JPEG 2000", "\0\0\0\x0cjP  "],
  ["PDF", "%PDF"],
  ["SVG", "<svg"],
  ["Photoshop", "8BPS"],
];

function startsWith(bytes: Uint8Array, pattern: string): boolean {
  if (bytes.length < pattern.length) return false;
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] !== "?" && pattern.charCodeAt(i) !== bytes[i]) return false;
  }
  return true;
}

/**
 * Decodes a PNG or JPEG photo, told apart by its first bytes: upright (EXIF orientation applied), sRGB values as stored
 * (colour profiles are not applied), transparency over white, 16-bit samples rounded to 8.
 * @throws FormatError when the bytes are no picture, truncated or broken
 * @throws UnsupportedError for picture formats other than PNG and JPEG, animated PNG, and JPEG variants nobody's camera writes
 * @throws RangeError when the header announces more pixels than `limits` allows
 */
export function decodeImage(bytes: Uint8Array, limits: ImageLimits = defaultImageLimits): Image {
  if (bytes.length === 0) throw new FormatError("image: the file is empty. Give a PNG or JPEG photo.");
  if (startsWith(bytes, "\x89PNG\r\n\x1a\n")) return decodePng(bytes, limits.maxPixels);
  if (startsWith(bytes, "\xff\xd8\xff")) return decodeJpeg(bytes, limits.maxPixels);
  for (const [name, firstBytes] of otherFormats) {
    if (startsWith(bytes, firstBytes)) {
      throw new UnsupportedError(`image: ${name} is not supported. Convert the photo to PNG or JPEG.`);
    }
  }
  throw new FormatError("image: the file is neither PNG nor JPEG. Give a PNG or JPEG photo.");
}
