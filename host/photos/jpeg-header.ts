import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { exifOrientation } from "./orientation.ts";
import { checkSize } from "./size-limit.ts";

/** One colour component as the frame header announces it. */
export interface JpegComponent {
  readonly id: number;
  /** Horizontal and vertical sampling factor, 1 to 4. */
  readonly h: number;
  readonly v: number;
}

/** What must be known of a JPEG before it is decoded. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  readonly components: readonly JpegComponent[];
  readonly hasJfif: boolean;
  /** Adobe APP14 colour transform: 0 RGB or CMYK, 1 YCbCr, 2 YCCK; undefined without such a segment. */
  readonly adobeTransform: number | undefined;
  /** Where that one byte is. */
  readonly adobeTransformOffset: number;
  /** EXIF orientation, 1 to 8. */
  readonly orientation: number;
}

// A progressive file can list any number of scans, each of which costs a pass over the whole picture. Encoders write about
// ten; libjpeg-turbo's tools offer this limit too.
const maxScans = 500;

const frameKinds: Record<number, string> = {
  195: "lossless",
  197: "hierarchical",
  198: "hierarchical",
  199: "hierarchical",
  201: "arithmetic-coded",
  202: "arithmetic-coded",
  203: "arithmetic-coded",
  205: "hierarchical",
  206: "hierarchical",
  207: "hierarchical",
};

function startsWith(data: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (data[i] !== text.charCodeAt(i)) return false;
  return true;
}

/**
 * Walks over the markers of a JPEG from start to end without decoding anything (ITU T.81, annex B).
 * @throws FormatError when the file is damaged or ends too early
 * @throws UnsupportedError for lossless, arithmetic-coded, hierarchical and 12-bit files
 * @throws RangeError when the picture is larger than `maxPixels`
 */
export function readJpegHeader(bytes: Uint8Array, maxPixels: number): JpegHeader {
  const truncated = (): FormatError => new FormatError("JPEG: the file is truncated. Get the photo again.");
  let frame: { width: number; height: number; components: JpegComponent[] } | undefined;
  let hasJfif = false;
  let adobeTransform: number | undefined;
  let adobeTransformOffset = -1;
  let orientation = 1;
  let scans = 0;
  let at = 2;
  for (;;) {
    // The next marker: 0xff and a byte that is neither 0 (a stuffed data byte) nor 0xff (fill) nor a restart (0xd0 to 0xd7).
    while (at < bytes.length && !(bytes[at] === 0xff && isMarker(bytes[at + 1]))) at++;
    const marker = bytes[at + 1];
    if (marker === undefined) throw truncated();
    at += 2;
    if (marker === 0xd9) break;
    if (marker === 0xd8 || marker === 0x01) continue;
    const length = (bytes[at]! << 8) | bytes[at + 1]!;
    if (!(length >= 2)) throw new FormatError("JPEG: a segment has an impossible length. The file is damaged.");
    if (at + length > bytes.length) throw truncated();
    const data = bytes.subarray(at + 2, at + length);
    if (marker === 0xe0) {
      hasJfif ||= startsWith(data, "JFIF\0");
    } else if (marker === 0xe1) {
      if (startsWith(data, "Exif\0\0")) orientation = exifOrientation(data.subarray(6));
    } else if (marker === 0xee) {
      if (startsWith(data, "Adobe") && data.length >= 12) {
        adobeTransform = data[11];
        adobeTransformOffset = at + 2 + 11;
      }
    } else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      const kind = frameKinds[marker];
      if (kind !== undefined) {
        throw new UnsupportedError(`JPEG: ${kind} files are not supported. Save the photo as a common JPEG or as PNG.`);
      }
      if (frame !== undefined) throw new FormatError("JPEG: two frame headers in one picture. The file is damaged.");
      frame = readFrame(data, maxPixels);
    } else if (marker === 0xda) {
      scans++;
      if (scans > maxScans) {
        throw new UnsupportedError(`JPEG: more than ${maxScans} scans. Save the photo as a common JPEG or as PNG.`);
      }
    }
    at += length;
  }
  if (frame === undefined || scans === 0) throw new FormatError("JPEG: there is no picture in this file.");
  // Every block costs a bit at least. Without this a few bytes could claim 100 megapixels and get the memory for them.
  if (bytes.length * 8 < blockCount(frame)) throw truncated();
  return { ...frame, hasJfif, adobeTransform, adobeTransformOffset, orientation };
}

/** Number of 8 x 8 blocks of all components. */
function blockCount({ width, height, components }: Pick<JpegHeader, "width" | "height" | "components">): number {
  const maxH = Math.max(...components.map(({ h }) => h));
  const maxV = Math.max(...components.map(({ v }) => v));
  let count = 0;
  for (const { h, v } of components) count += Math.ceil((width * h) / maxH / 8) * Math.ceil((height * v) / maxV / 8);
  return count;
}

function isMarker(byte: number | undefined): boolean {
  return byte !== undefined && byte !== 0 && byte !== 0xff && !(byte >= 0xd0 && byte <= 0xd7);
}

function readFrame(
  data: Uint8Array,
  maxPixels: number,
): { width: number; height: number; components: JpegComponent[] } {
  const [precision, heightHigh, heightLow, widthHigh, widthLow, count] = data;
  if (count === undefined || data.length < 6 + count * 3) {
    throw new FormatError("JPEG: the frame header is too short. The file is damaged.");
  }
  if (precision !== 8) {
    throw new UnsupportedError(
      `JPEG: samples must have 8 bits, got ${precision}. Save the photo as a common JPEG or as PNG.`,
    );
  }
  const width = (widthHigh! << 8) | widthLow!;
  const height = (heightHigh! << 8) | heightLow!;
  checkSize("JPEG", width, height, maxPixels);
  if (count !== 1 && count !== 3 && count !== 4) {
    throw new UnsupportedError(`JPEG: 1, 3 or 4 colour components are supported, got ${count}. Save the photo as PNG.`);
  }
  const components: JpegComponent[] = [];
  for (let i = 0; i < count; i++) {
    const h = data[6 + i * 3 + 1]! >> 4;
    const v = data[6 + i * 3 + 1]! & 15;
    if (h < 1 || h > 4 || v < 1 || v > 4) {
      throw new FormatError(`JPEG: sampling factors must be 1 to 4, got ${h} and ${v}. The file is damaged.`);
    }
    components.push({ id: data[6 + i * 3]!, h, v });
  }
  return { width, height, components };
}
