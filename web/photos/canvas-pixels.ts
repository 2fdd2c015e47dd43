import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { Image } from "../../engine/picture/image.ts";

/**
 * Pixels of what can be drawn, by way of a canvas: RGBA, not premultiplied as far as the canvas keeps that.
 * @param what how messages call it
 * @throws TypeError when it shows nothing yet, Error (SecurityError) when it comes from another origin, UnsupportedError where the browser
 *   falsifies canvases
 */
export function canvasPixels(source: CanvasImageSource, width: number, height: number, what: string): Image {
  if (width === 0 || height === 0) {
    throw new TypeError(`explainer: the ${what} shows nothing yet (${width}x${height}). Wait until it has loaded.`);
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new UnsupportedError("explainer: this browser gives no 2-D canvas to read pixels from.");
  requireTrueCanvas();
  context.drawImage(source, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, data: new Uint8Array(data.buffer) };
}

let isTrue: boolean | undefined;

/** Refuses browsers that answer canvas readers with noise against fingerprinting: a map of noise would look like a map. */
function requireTrueCanvas(): void {
  if (isTrue === undefined) {
    const canvas = new OffscreenCanvas(16, 16);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (context === null)
      throw new UnsupportedError("explainer: this browser gives no 2-D canvas to read pixels from.");
    const written = context.createImageData(16, 16);
    for (let i = 0; i < written.data.length; i++) written.data[i] = i % 4 === 3 ? 255 : (i * 37) % 256;
    context.putImageData(written, 0, 0);
    const read = context.getImageData(0, 0, 16, 16).data;
    isTrue = read.every((value, i) => value === written.data[i]);
  }
  if (isTrue) return;
  throw new UnsupportedError(
    "explainer: this browser changes the pixels that pages read from a canvas (protection against fingerprinting). Allow canvas access for this page, or give the photo as a PNG or JPEG file, which is decoded without a canvas.",
  );
}
