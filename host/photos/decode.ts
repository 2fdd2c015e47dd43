import { inflateSync, constants as zlib } from "node:zlib";
import { asBytes, type BytesLike } from "../../engine/basics/bytes.ts";
import { type Image, onWhite } from "../../engine/picture/image.ts";
import { decodePhoto, photoFormat } from "../../photos/decode.ts";
import { type Inflated, type InflateRequest, runSteps } from "../../photos/inflate.ts";
import type { Photo } from "../../photos/photo.ts";
import { defaultImageLimits, type ImageLimits } from "../../photos/size-limit.ts";
import { decodeBySharp, isSharpFormat } from "./other-formats.ts";

function inflate({ stream, maxBytes }: InflateRequest): Inflated {
  try {
    // Some writers forget to end the compressed stream. That loses no pixel, so the length decides and not the end mark.
    // Chunks of the whole size: the result is not copied together.
    const chunkSize = Math.min(Math.max(64, maxBytes), 2 ** 30);
    const bytes = inflateSync(stream, { maxOutputLength: maxBytes, finishFlush: zlib.Z_SYNC_FLUSH, chunkSize });
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    return error instanceof RangeError ? "too long" : "damaged";
  }
}

/**
 * Decodes a photo of any format we read, with what its file says of its colours: PNG, JPEG and BMP by our own decoders, WebP, GIF,
 * TIFF and AVIF by the optional package sharp.
 * @throws as `decodeImage`; UnsupportedError where sharp is needed and not installed
 */
export async function openPhoto(bytes: BytesLike, limits: ImageLimits = defaultImageLimits): Promise<Photo> {
  const data = asBytes(bytes, "photo");
  const format = photoFormat(data);
  return isSharpFormat(format) ? decodeBySharp(data, format, limits) : runSteps(decodePhoto(data, limits), inflate);
}

/**
 * As `decodeImage`, also for WebP, GIF, TIFF and AVIF, by the optional package sharp.
 * @throws as `decodeImage`; UnsupportedError where sharp is needed and not installed
 */
export async function decodeAnyImage(bytes: BytesLike, limits: ImageLimits = defaultImageLimits): Promise<Image> {
  return onWhite((await openPhoto(bytes, limits)).image);
}

/**
 * Decodes a PNG, JPEG or BMP photo, told apart by its first bytes: upright (EXIF and XMP orientation applied), values as stored
 * (colour profiles are not applied), transparency over white, 16-bit samples rounded to 8. JPEG pixels are those of
 * libjpeg-turbo, which Pillow, OpenCV and torchvision use, byte for byte. The bytes are only read.
 * @throws FormatError when the bytes are no picture, truncated or broken
 * @throws UnsupportedError for other picture formats (some of them `decodeAnyImage` reads), and JPEG variants nobody's camera writes
 * @throws RangeError when the header announces more pixels than `limits` allows
 */
export function decodeImage(bytes: BytesLike, limits: ImageLimits = defaultImageLimits): Image {
  return onWhite(runSteps(decodePhoto(bytes, limits), inflate).image);
}
