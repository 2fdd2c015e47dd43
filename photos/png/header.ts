import { FormatError } from "../../engine/basics/errors.ts";
import { checkSize } from "../size-limit.ts";

// PNG specification, 11.2.2: samples per pixel and allowed bit depths of each colour type.
const colorTypes: Record<number, { readonly samples: number; readonly depths: readonly number[] }> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};

/** What the first chunk says. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colorType: number;
  readonly bitsPerPixel: number;
  readonly isInterlaced: boolean;
}

/**
 * Reads the header chunk's data.
 * @throws FormatError, and RangeError when the picture is larger than `maxPixels`
 */
export function readPngHeader(data: Uint8Array, maxPixels: number): PngHeader {
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
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  checkSize("PNG", width, height, maxPixels);
  return {
    width,
    height,
    depth,
    colorType,
    bitsPerPixel: kind.samples * depth,
    isInterlaced: view.getUint8(12) === 1,
  };
}

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

/** Rows that are stored together: the whole picture, or the pixels of one pass of an interlaced one. */
export interface PngPass {
  /** Where its pixel (column, row) belongs: (x + dx column, y + dy row). */
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly columns: number;
  readonly rows: number;
  /** Bytes of a row, its filter byte included. */
  readonly rowBytes: number;
}

/** The passes that hold pixels, in the order of their data. */
export function passesOf({ width, height, bitsPerPixel, isInterlaced }: PngHeader): PngPass[] {
  const steps = isInterlaced ? adam7 : ([[0, 0, 1, 1]] as const);
  return steps
    .map(([x, y, dx, dy]): PngPass => {
      const columns = Math.ceil(Math.max(0, width - x) / dx);
      const rows = Math.ceil(Math.max(0, height - y) / dy);
      return { x, y, dx, dy, columns, rows, rowBytes: 1 + Math.ceil((columns * bitsPerPixel) / 8) };
    })
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
}

/** Bytes of all rows, uncompressed. */
export function pixelBytes(header: PngHeader): number {
  return passesOf(header).reduce((sum, { rows, rowBytes }) => sum + rows * rowBytes, 0);
}
