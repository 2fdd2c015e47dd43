import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { checkSize } from "../size-limit.ts";

/** Where, in the 8 x 8 coefficients row by row, the k-th of a block is (T.81, figure A.6: zigzag). */
export const zigzag: Uint8Array = Uint8Array.of(
  ...[0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21],
  ...[28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61],
  ...[54, 47, 55, 62, 63],
);

/** One colour component of a frame, and what has been decoded of it. */
export interface JpegComponent {
  readonly id: number;
  /** Horizontal and vertical sampling factor, 1 to 4. */
  readonly h: number;
  readonly v: number;
  /** Which quantisation table it uses. */
  readonly quantizationId: number;
  /** Samples that belong to the picture. */
  readonly width: number;
  readonly height: number;
  /** Blocks that hold them: what a scan of this component alone codes. */
  readonly blockColumns: number;
  readonly blockRows: number;
  /** Blocks stored per row and column: whole MCUs, what an interleaved scan codes. */
  readonly storedColumns: number;
  readonly storedRows: number;
  /** Samples, 8 storedColumns x 8 storedRows. Empty until the first scan. */
  samples: Uint8ClampedArray;
  /** Progressive frames: 64 coefficients a block, row by row, not yet multiplied by the table. Empty until the first scan. */
  coefficients: Int16Array;
  /** The table's factors in the order of the coefficients, as they were at the component's first scan. */
  quantization: Int32Array | undefined;
  /** Progressive frames: the lowest bit known of each coefficient, -1 for none. */
  readonly lowestBits: Int8Array;
}

/** A frame header (T.81, B.2.2). */
export interface JpegFrame {
  readonly width: number;
  readonly height: number;
  readonly isProgressive: boolean;
  readonly isArithmetic: boolean;
  readonly components: readonly JpegComponent[];
  /** Largest sampling factors. */
  readonly maxH: number;
  readonly maxV: number;
  readonly mcuColumns: number;
  readonly mcuRows: number;
}

/** Frames we do not read, by marker; 0xc0, 0xc1, 0xc2, 0xc9 and 0xca are read. */
const otherFrames: Record<number, string> = {
  195: "lossless",
  197: "hierarchical",
  198: "hierarchical",
  199: "hierarchical",
  203: "lossless arithmetic-coded",
  205: "hierarchical",
  206: "hierarchical",
  207: "hierarchical",
};

/** Whether a marker begins a frame: SOF0 to SOF15 without DHT, JPG and DAC, which share the range. */
export function isFrameMarker(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** What all components of a frame share. */
type FrameSize = Pick<JpegFrame, "width" | "height" | "maxH" | "maxV" | "mcuColumns" | "mcuRows">;

/** The largest sampling factors of the components, whose headers are given. */
function largestSampling(headers: readonly Uint8Array[]): { maxH: number; maxV: number } {
  let maxH = 1;
  let maxV = 1;
  for (const [, sampling] of headers) {
    const h = sampling! >> 4;
    const v = sampling! & 15;
    if (h < 1 || h > 4 || v < 1 || v > 4) {
      throw new FormatError(`JPEG: sampling factors must be 1 to 4, got ${h} and ${v}. The file is damaged.`);
    }
    maxH = Math.max(maxH, h);
    maxV = Math.max(maxV, v);
  }
  return { maxH, maxV };
}

/** A component by its header of three bytes; what is decoded into it comes later. */
function componentOf([id, sampling, quantizationId]: Uint8Array, size: FrameSize): JpegComponent {
  const { width, height, maxH, maxV } = size;
  const h = sampling! >> 4;
  const v = sampling! & 15;
  if (maxH % h !== 0 || maxV % v !== 0) {
    throw new UnsupportedError(
      `JPEG: a component sampled ${h}x${v} beside one sampled ${maxH}x${maxV} is not supported. Save the photo as a common JPEG or as PNG.`,
    );
  }
  const samplesWide = Math.ceil((width * h) / maxH);
  const samplesHigh = Math.ceil((height * v) / maxV);
  return {
    id: id!,
    h,
    v,
    quantizationId: quantizationId!,
    width: samplesWide,
    height: samplesHigh,
    blockColumns: Math.ceil(samplesWide / 8),
    blockRows: Math.ceil(samplesHigh / 8),
    storedColumns: size.mcuColumns * h,
    storedRows: size.mcuRows * v,
    samples: new Uint8ClampedArray(0),
    coefficients: new Int16Array(0),
    quantization: undefined,
    lowestBits: new Int8Array(64).fill(-1),
  };
}

/**
 * Reads a frame header. Takes no memory for pixels yet.
 * @throws FormatError, UnsupportedError, and RangeError when the picture is larger than `maxPixels`
 */
export function readFrame(marker: number, data: Uint8Array, maxPixels: number): JpegFrame {
  const kind = otherFrames[marker];
  if (kind !== undefined) {
    throw new UnsupportedError(`JPEG: ${kind} files are not supported. Save the photo as a common JPEG or as PNG.`);
  }
  const [precision, heightHigh, heightLow, widthHigh, widthLow, count] = data;
  if (count === undefined || data.length !== 6 + count * 3) {
    throw new FormatError("JPEG: the frame header has a wrong length. The file is damaged.");
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
  const headers = Array.from({ length: count }, (_, i) => data.subarray(6 + i * 3, 9 + i * 3));
  const { maxH, maxV } = largestSampling(headers);
  const mcuColumns = Math.ceil(width / (8 * maxH));
  const mcuRows = Math.ceil(height / (8 * maxV));
  const size: FrameSize = { width, height, maxH, maxV, mcuColumns, mcuRows };
  const components = headers.map((header) => componentOf(header, size));
  return { ...size, isProgressive: marker === 0xc2 || marker === 0xca, isArithmetic: marker >= 0xc9, components };
}

/** Number of blocks that all components code at least. */
export function blockCount({ components }: JpegFrame): number {
  return components.reduce((sum, { blockColumns, blockRows }) => sum + blockColumns * blockRows, 0);
}
