import { FormatError } from "../../engine/basics/errors.ts";

// No format of ours needs longer sides (JPEG ends at 65,535), and pngjs computes row sizes in 32 bits, which
// 100 million 64-bit pixels in one row would overflow.
const maxSide = 65535;

/**
 * Refuses the size a header announces, before anything is decoded.
 * @throws FormatError when a side is zero
 * @throws RangeError when a side or the number of pixels is over its limit
 */
export function checkSize(format: string, width: number, height: number, maxPixels: number): void {
  if (width === 0 || height === 0) {
    throw new FormatError(`${format}: the picture must have pixels, the header says ${width}x${height}.`);
  }
  if (width > maxSide || height > maxSide) {
    throw new RangeError(
      `${format}: sides must be at most ${maxSide} pixels, got ${width}x${height}. Scale it down first.`,
    );
  }
  if (width * height > maxPixels) {
    const megapixels = (pixels: number): string => `${Number((pixels / 1e6).toPrecision(3))} megapixels`;
    throw new RangeError(
      `${format}: ${width}x${height} are ${megapixels(width * height)}, the limit is ${megapixels(maxPixels)}. Scale it down first.`,
    );
  }
}
