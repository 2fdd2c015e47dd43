import { ShapeError } from "../basics/errors.ts";

/** An 8-bit picture: RGBA, 4 bytes per pixel, rows from the top, no padding between rows. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** An 8-bit picture as callers may give it: an `Image`, or the ImageData of a canvas. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** `640x480`, the way picture sizes are written in messages: width before height. */
export function formatSize(size: { readonly width: number; readonly height: number }): string {
  return `${size.width}x${size.height}`;
}

/**
 * An opaque picture of one colour (black unless given).
 * @throws ShapeError when a side is not a positive integer.
 */
export function createImage(
  width: number,
  height: number,
  color: readonly [red: number, green: number, blue: number] = [0, 0, 0],
): Image {
  if (!(Number.isSafeInteger(width) && Number.isSafeInteger(height) && width > 0 && height > 0)) {
    throw new ShapeError(`image: sides must be positive integers, got ${width}x${height}.`);
  }
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < data.length; i += 4) {
    data[i] = color[0];
    data[i + 1] = color[1];
    data[i + 2] = color[2];
    data[i + 3] = 255;
  }
  return { width, height, data };
}

/**
 * Refuses a picture whose sides and data do not belong together.
 * @throws ShapeError
 */
export function checkImage(image: Pixels): void {
  const { width, height, data } = image;
  if (!(Number.isSafeInteger(width) && Number.isSafeInteger(height) && width > 0 && height > 0)) {
    throw new ShapeError(`image: sides must be positive integers, got ${width}x${height}.`);
  }
  if (data.length !== width * height * 4) {
    throw new ShapeError(
      `image: ${width}x${height} pixels of RGBA need ${width * height * 4} bytes, got ${data.length}.`,
    );
  }
}

/**
 * Transparency over white, the way a page or a viewer shows it: round((c a + 255 (255 - a)) / 255) for each colour. An opaque
 * picture keeps its bytes; they are not copied.
 */
export function onWhite({ width, height, data }: Pixels): Image {
  let isOpaque = true;
  for (let i = 3; i < data.length; i += 4) {
    if (data[i] !== 255) {
      isOpaque = false;
      break;
    }
  }
  if (isOpaque) return { width, height, data: bytesOf(data) };
  const flat = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3]!;
    for (let k = i; k < i + 3; k++) flat[k] = Math.trunc((data[k]! * alpha + 255 * (255 - alpha) + 127) / 255);
    flat[i + 3] = 255;
  }
  return { width, height, data: flat };
}

/** The same memory as bytes that wrap instead of clamp; nothing here writes to it. */
function bytesOf(data: Uint8Array | Uint8ClampedArray): Uint8Array {
  return data instanceof Uint8Array ? data : new Uint8Array(data.buffer, data.byteOffset, data.length);
}
