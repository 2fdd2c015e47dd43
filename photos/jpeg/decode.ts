import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { Image } from "../../engine/picture/image.ts";
import { startsWith } from "../bytes.ts";
import { iccDescription } from "../color-profile.ts";
import { applyOrientation } from "../orientation/apply.ts";
import { exifOrientation } from "../orientation/exif.ts";
import { xmpOrientation } from "../orientation/xmp.ts";
import type { Photo } from "../photo.ts";
import { arithmeticBlocks, type Conditioning, readConditioning } from "./arithmetic-blocks.ts";
import { colorsOf, writeColors } from "./colors.ts";
import { blockCount, isFrameMarker, type JpegFrame, readFrame, zigzag } from "./frame.ts";
import { createHuffmanTable, type HuffmanTable } from "./huffman.ts";
import { type HuffmanTables, huffmanBlocks } from "./huffman-blocks.ts";
import { nextMarker, standsAlone } from "./markers.ts";
import { blocksOfScan, decodeScan, finishComponent, truncated } from "./scan.ts";
import { readScanHeader } from "./scan-header.ts";
import { typicalTables } from "./typical-tables.ts";
import { rowWriter } from "./upsample.ts";

// A progressive file may send every bit of every coefficient in a scan of its own, each a pass over the whole picture.
// Encoders pass over each block 3 to 8 times. Below 20 million blocks altogether (a second or two) nobody is asked.
const maxPasses = 16;
const freeBlocks = 20e6;

const iccStart = "ICC_PROFILE\0";
const xmpStart = "http://ns.adobe.com/xap/1.0/\0";

/** What the segments before and between the scans say; the scans change it as they go. */
interface State {
  frame: JpegFrame | undefined;
  readonly huffman: { readonly dc: (HuffmanTable | undefined)[]; readonly ac: (HuffmanTable | undefined)[] };
  readonly conditioning: Conditioning;
  readonly quantization: (Int32Array | undefined)[];
  restartInterval: number;
  hasJfif: boolean;
  adobeTransform: number | undefined;
  exif: number | undefined;
  xmp: number | undefined;
  colorProfile: string | undefined;
  decodedBlocks: number;
}

function damagedSegment(name: string): FormatError {
  return new FormatError(`JPEG: a ${name} segment is too short or too long. The file is damaged.`);
}

const tooLong = (): FormatError =>
  new FormatError("JPEG: a Huffman table has coefficients of more than 15 bits. The file is damaged.");

/** DHT: one or more tables (T.81, B.2.4.2). */
function readHuffmanTables(data: Uint8Array, { dc, ac }: State["huffman"]): void {
  for (let at = 0; at < data.length; ) {
    const counts = data.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const next = at + 17 + total;
    if (next > data.length || total > 256) throw damagedSegment("Huffman table");
    const id = data[at]! & 15;
    const kind = data[at]! >> 4;
    if (id > 3 || kind > 1)
      throw new FormatError("JPEG: a Huffman table has an impossible number. The file is damaged.");
    const symbols = data.slice(at + 17, next);
    // Symbols of a table for first coefficients are numbers of bits.
    if (kind === 0 && symbols.some((length) => length > 15)) throw tooLong();
    (kind === 0 ? dc : ac)[id] = createHuffmanTable(counts, symbols);
    at = next;
  }
}

/** DQT: one or more tables of 64 factors of 8 or 16 bits in zigzag order (T.81, B.2.4.1). */
function readQuantization(data: Uint8Array, tables: (Int32Array | undefined)[]): void {
  for (let at = 0; at < data.length; ) {
    const id = data[at]! & 15;
    const bytes = data[at]! >> 4 === 0 ? 1 : 2;
    const next = at + 1 + 64 * bytes;
    if (next > data.length) throw damagedSegment("quantisation table");
    if (id > 3) throw new FormatError("JPEG: a quantisation table has an impossible number. The file is damaged.");
    const table = new Int32Array(64);
    for (let k = 0; k < 64; k++) {
      const p = at + 1 + k * bytes;
      table[zigzag[k]!] = bytes === 1 ? data[p]! : (data[p]! << 8) | data[p + 1]!;
    }
    tables[id] = table;
    at = next;
  }
}

/** The file's tables and, in sequential frames, the typical ones where it brings none (libjpeg-turbo, jdhuff.c). */
function withTypicalTables({ dc, ac }: HuffmanTables, isProgressive: boolean): HuffmanTables {
  if (isProgressive || (dc[0] && dc[1] && ac[0] && ac[1])) return { dc, ac };
  const typical = typicalTables();
  const filled = (own: HuffmanTables["dc"], usual: HuffmanTables["dc"]): HuffmanTables["dc"] =>
    [0, 1, 2, 3].map((id) => own[id] ?? usual[id]);
  return { dc: filled(dc, typical.dc), ac: filled(ac, typical.ac) };
}

/** Reads a scan and its data; returns where to go on. */
function readScan(bytes: Uint8Array, data: Uint8Array, at: number, state: State): number {
  const { frame } = state;
  if (frame === undefined) throw new FormatError("JPEG: a scan comes before the frame header. The file is damaged.");
  const scan = readScanHeader(data, frame);
  state.decodedBlocks += blocksOfScan(scan, frame);
  if (state.decodedBlocks > freeBlocks && state.decodedBlocks > maxPasses * blockCount(frame)) {
    throw new UnsupportedError(
      `JPEG: the scans of this ${frame.width}x${frame.height} picture pass over it more than ${maxPasses} times, which is refused for pictures of this size. Save it as a common JPEG or as PNG.`,
    );
  }
  for (const { component } of scan.parts) {
    // Later tables of the same number are for later components (jdinput.c, latch_quant_tables).
    component.quantization ??= state.quantization[component.quantizationId];
    if (component.quantization === undefined) {
      throw new FormatError(
        `JPEG: component ${component.id} uses quantisation table ${component.quantizationId}, which is missing. The file is damaged.`,
      );
    }
  }
  const { isArithmetic, isProgressive } = frame;
  const blocks = isArithmetic
    ? arithmeticBlocks(bytes, at, scan, isProgressive, state.conditioning)
    : huffmanBlocks(bytes, at, scan, isProgressive, withTypicalTables(state.huffman, isProgressive));
  return decodeScan(bytes, frame, scan, blocks, state.restartInterval);
}

function readSegment(marker: number, data: Uint8Array, state: State): void {
  if (marker === 0xc4) {
    readHuffmanTables(data, state.huffman);
  } else if (marker === 0xdb) {
    readQuantization(data, state.quantization);
  } else if (marker === 0xdd) {
    if (data.length !== 2) throw damagedSegment("restart interval");
    state.restartInterval = (data[0]! << 8) | data[1]!;
  } else if (marker === 0xe0) {
    state.hasJfif ||= startsWith(data, "JFIF\0");
  } else if (marker === 0xe1) {
    if (startsWith(data, "Exif\0\0")) state.exif ??= exifOrientation(data.subarray(6));
    // The last packet counts, as in Pillow.
    else if (startsWith(data, xmpStart)) state.xmp = xmpOrientation(data.subarray(xmpStart.length));
  } else if (marker === 0xe2 && startsWith(data, iccStart)) {
    // Behind the name: number of this part, number of parts. The description is in the first, or it is not read.
    if (data[12] === 1) state.colorProfile = iccDescription(data.subarray(14));
  } else if (marker === 0xee) {
    if (startsWith(data, "Adobe") && data.length >= 12) state.adobeTransform = data[11];
  } else if (marker === 0xcc) {
    readConditioning(data, state.conditioning);
  } else if ((marker >= 0xe0 && marker <= 0xef) || marker === 0xfe) {
    // Other application data, comments.
  } else {
    throw new FormatError(`JPEG: there is no segment of kind ${marker.toString(16)}. The file is damaged.`);
  }
}

/** Reads all segments up to the end of the picture and decodes its scans. */
function readPicture(bytes: Uint8Array, maxPixels: number): State & { frame: JpegFrame } {
  const state: State = {
    frame: undefined,
    huffman: { dc: [], ac: [] },
    conditioning: { dc: [], ac: [] },
    quantization: [],
    restartInterval: 0,
    hasJfif: false,
    adobeTransform: undefined,
    exif: undefined,
    xmp: undefined,
    colorProfile: undefined,
    decodedBlocks: 0,
  };
  let at = 2;
  for (;;) {
    at = nextMarker(bytes, at);
    const marker = bytes[at++];
    if (marker === undefined) throw truncated();
    if (marker === 0xd9) break;
    if (standsAlone(marker)) continue;
    if (at + 2 > bytes.length) throw truncated();
    const length = (bytes[at]! << 8) | bytes[at + 1]!;
    if (length < 2) throw new FormatError("JPEG: a segment has an impossible length. The file is damaged.");
    if (at + length > bytes.length) throw truncated();
    const data = bytes.subarray(at + 2, at + length);
    at += length;
    if (isFrameMarker(marker)) {
      if (state.frame !== undefined) {
        throw new FormatError("JPEG: two frame headers in one picture. The file is damaged.");
      }
      state.frame = readFrame(marker, data, maxPixels);
      // Every block costs a bit at least, unless arithmetic coding makes flat areas cheaper. Without this a few bytes could claim
      // 100 megapixels and get the memory for them.
      if (!state.frame.isArithmetic && (bytes.length - at) * 8 < blockCount(state.frame)) throw truncated();
    } else if (marker === 0xda) {
      at = readScan(bytes, data, at, state);
    } else {
      readSegment(marker, data, state);
    }
  }
  const { frame } = state;
  if (frame === undefined || state.decodedBlocks === 0) {
    throw new FormatError("JPEG: there is no picture in this file.");
  }
  for (const { id, lowestBits } of frame.components) {
    if (lowestBits[0] === -1) {
      throw new FormatError(`JPEG: no scan has component ${id}. The file is damaged.`);
    }
    const missing = lowestBits.findIndex((bit) => bit !== 0);
    if (missing >= 0) {
      throw new FormatError(
        `JPEG: the last scans are missing, coefficient ${missing} of component ${id} is not complete. Get the photo again.`,
      );
    }
  }
  return { ...state, frame };
}

/**
 * Decodes a JPEG: baseline, extended or progressive, Huffman- or arithmetic-coded, with 8 bits a sample, any subsampling, grey, YCbCr, RGB, CMYK or YCCK; see
 * `decodePhoto`. Pixels are those of libjpeg-turbo's default settings, which Pillow, OpenCV and torchvision use, byte for byte:
 * networks see what they saw in training. What follows the picture's end is ignored.
 * @throws FormatError, UnsupportedError, RangeError
 */
export function decodeJpeg(bytes: Uint8Array, maxPixels: number): Photo {
  const { frame, exif, xmp, colorProfile, ...hints } = readPicture(bytes, maxPixels);
  const { width, height } = frame;
  if (frame.isProgressive) for (const component of frame.components) finishComponent(component);
  const colors = colorsOf(frame, hints);
  const writers = frame.components.map((component) => rowWriter(component, frame));
  // One more than wide: steps of two columns write pairs.
  const rows = writers.map(() => new Uint8Array(width + 1));
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (const [i, write] of writers.entries()) write(y, rows[i]!);
    writeColors(colors, rows, width, data, y * width * 4);
  }
  const image: Image = { width, height, data: new Uint8Array(data.buffer) };
  return { image: applyOrientation(image, exif ?? xmp ?? 1), colorProfile };
}
