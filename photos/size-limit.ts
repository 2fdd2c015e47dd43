import { FormatError, refuseUnknownOptions } from "../engine/basics/errors.ts";

/** What a photo may cost. */
export interface ImageLimits {
  /** Most pixels that are decoded; told from the header, before any memory is taken. */
  readonly maxPixels: number;
}

/**
 * 100 megapixels: twice what today's phones take. Decoding takes 4 bytes a pixel for the result and at most 9 more for a
 * moment (progressive JPEG without subsampling: 2 bytes a coefficient, 1 a sample).
 */
export const defaultImageLimits: ImageLimits = { maxPixels: 100e6 };

/** @throws TypeError for limits that do not exist: a misspelt one would let everything pass */
export function checkLimits(limits: ImageLimits): void {
  refuseUnknownOptions("image limits", limits, ["maxPixels"]);
  if (!(limits.maxPixels > 0)) {
    throw new TypeError(`image limits: maxPixels must be a number over 0, got ${String(limits.maxPixels)}.`);
  }
}

// No format of ours needs longer sides: JPEG ends at 65,535.
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
