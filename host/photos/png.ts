import { inflateSync, constants as zlib } from "node:zlib";
import { PNG } from "pngjs";
import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { checkImage, type Image } from "../../engine/picture/image.ts";
import { applyOrientation, exifOrientation } from "./orientation.ts";
import { checkSize } from "./size-limit.ts";

// PNG specification, 11.2.2: samples per pixel and allowed bit depths of each colour type.
const colorTypes: Record<number, { readonly samples: number; readonly depths: readonly number[] }> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};

// PNG specification, 8.2: first column, first row, column step, row step of the seven Adam7 passes.
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

interface Header {
  readonly width: number;
  readonly height: number;
  readonly bitsPerPixel: number;
  readonly isInterlaced: boolean;
}

function readHeader(data: Uint8Array): Header {
  if (data.length !== 13)
    throw new FormatError(`PNG: header must have 13 bytes, got ${data.length}. The file is damaged.`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const depth = view.getUint8(8);
  const colorType = view.getUint8(9);
  const kind = colorTypes[colorType];
  if (kind === undefined || !kind.depths.includes(depth)) {
    throw new FormatError(`PNG: colour type ${colorType} with ${depth} bits does not exist. The file is damaged.`);
  }
  if (view.getUint8(10) !== 0 || view.getUint8(11) !== 0 || view.getUint8(12) > 1) {
    throw new FormatError("PNG: unknown compression, filter or interlace method. The file is damaged.");
  }
  return {
    width: view.getUint32(0),
    height: view.getUint32(4),
    bitsPerPixel: kind.samples * depth,
    isInterlaced: view.getUint8(12) === 1,
  };
}

/** Bytes of the uncompressed rows, each with its filter byte. */
function rowBytes({ width, height, bitsPerPixel, isInterlaced }: Header): number {
  const size = (w: number, h: number): number => (w === 0 ? 0 : h * (1 + Math.ceil((w * bitsPerPixel) / 8)));
  if (!isInterlaced) return size(width, height);
  let bytes = 0;
  for (const [x, y, dx, dy] of adam7) {
    bytes += size(Math.ceil(Math.max(0, width - x) / dx), Math.ceil(Math.max(0, height - y) / dy));
  }
  return bytes;
}

interface Chunks {
  readonly header: Header;
  readonly pixels: Uint8Array;
  readonly orientation: number;
  /** Where the PNG ends; pngjs refuses files with anything behind that. */
  readonly end: number;
}

/** Walks over the chunks. Checksums are left to pngjs. */
function readChunks(bytes: Uint8Array, maxPixels: number): Chunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pixels: Uint8Array[] = [];
  let header: Header | undefined;
  let orientation = 1;
  let at = 8;
  for (;;) {
    if (at + 12 > bytes.length)
      throw new FormatError("PNG: the file is truncated, its end is missing. Get the photo again.");
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const next = at + 12 + length;
    const data = bytes.subarray(at + 8, next - 4);
    if (header === undefined) {
      if (type !== "IHDR") throw new FormatError("PNG: the file must begin with its header. The file is damaged.");
      if (next > bytes.length)
        throw new FormatError("PNG: the file is truncated inside its header. Get the photo again.");
      header = readHeader(data);
      checkSize("PNG", header.width, header.height, maxPixels);
    } else if (next > bytes.length) {
      throw new FormatError(
        `PNG: the file is truncated, chunk "${type}" needs ${next - bytes.length} more bytes. Get the photo again.`,
      );
    } else if (type === "acTL") {
      throw new UnsupportedError("PNG: animated PNG is not supported. Save the frame you mean as a PNG of its own.");
    } else if (type === "IDAT") {
      pixels.push(data);
    } else if (type === "eXIf") {
      orientation = exifOrientation(data);
    } else if (type === "IEND") {
      return { header, pixels: Buffer.concat(pixels), orientation, end: next };
    }
    at = next;
  }
}

/**
 * Inflates the pixel data once, with a bound. pngjs inflates interlaced pictures without one (a few kB may become
 * gigabytes), and goes on after damaged data with whatever came out so far.
 */
function checkPixels({ header, pixels }: Chunks): void {
  const expected = rowBytes(header);
  let found: number;
  try {
    // Some writers forget to end the compressed stream. That loses no pixel, so the length decides and not the end mark.
    found = inflateSync(pixels, { maxOutputLength: expected, finishFlush: zlib.Z_SYNC_FLUSH }).length;
  } catch (error) {
    const isTooLong = error instanceof RangeError;
    throw new FormatError(
      isTooLong
        ? `PNG: the pixel data are longer than the ${header.width}x${header.height} pixels of the header. The file is damaged.`
        : "PNG: the pixel data are damaged. Get the photo again.",
    );
  }
  if (found !== expected) {
    throw new FormatError(
      `PNG: the pixel data are truncated, ${found} of ${expected} bytes are there. Get the photo again.`,
    );
  }
}

/** Transparency over white, in place: round((c * a + 255 * (255 - a)) / 255). */
function flatten(data: Uint8Array): void {
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3]!;
    if (alpha === 255) continue;
    for (let k = i; k < i + 3; k++) data[k] = Math.trunc((data[k]! * alpha + 255 * (255 - alpha) + 127) / 255);
    data[i + 3] = 255;
  }
}

/**
 * Decodes a PNG of any colour type, bit depth and interlacing; see `decodeImage`. What follows the PNG's end is ignored.
 * @throws FormatError, UnsupportedError, RangeError
 */
export function decodePng(bytes: Uint8Array, maxPixels: number): Image {
  const chunks = readChunks(bytes, maxPixels);
  checkPixels(chunks);
  const { width, height } = chunks.header;
  let data: Uint8Array;
  try {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, chunks.end);
    data = PNG.sync.read(buffer).data;
  } catch {
    // A wrong checksum, a palette that is missing or too short. pngjs often reports something else ("unrecognised content").
    throw new FormatError("PNG: the file is damaged. Get the photo again.");
  }
  const image: Image = { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  checkImage(image);
  flatten(image.data);
  return applyOrientation(image, chunks.orientation);
}
