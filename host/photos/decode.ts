import { inflateSync, constants as zlib } from "node:zlib";
import { type Image, onWhite } from "../../engine/picture/image.ts";
import type { BytesLike } from "../../photos/bytes.ts";
import { decodePhoto, type Photo } from "../../photos/decode.ts";
import { type Inflated, type InflateRequest, runSteps } from "../../photos/inflate.ts";
import { defaultImageLimits, type ImageLimits } from "../../photos/size-limit.ts";

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

/** Decodes a PNG or JPEG photo with what its file says about it; see `decodePhoto` of the room photos. */
export function openPhoto(bytes: BytesLike, limits: ImageLimits = defaultImageLimits): Photo {
  return runSteps(decodePhoto(bytes, limits), inflate);
}

/**
 * Decodes a PNG or JPEG photo, told apart by its first bytes: upright (EXIF and XMP orientation applied), values as stored
 * (colour profiles are not applied), transparency over white, 16-bit samples rounded to 8. JPEG pixels are those of
 * libjpeg-turbo, which Pillow, OpenCV and torchvision use, byte for byte. The bytes are only read.
 * @throws FormatError when the bytes are no picture, truncated or broken
 * @throws UnsupportedError for picture formats other than PNG and JPEG, and JPEG variants nobody's camera writes
 * @throws RangeError when the header announces more pixels than `limits` allows
 */
export function decodeImage(bytes: BytesLike, limits: ImageLimits = defaultImageLimits): Image {
  return onWhite(openPhoto(bytes, limits).image);
}
