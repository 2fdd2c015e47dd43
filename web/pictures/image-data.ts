import type { Image } from "../../engine/picture/image.ts";

/** A picture of the engine (heat map, overlay, photo) as ImageData, for `putImageData`. The pixels are copied. */
export function toImageData({ width, height, data }: Image): ImageData {
  return new ImageData(new Uint8ClampedArray(data), width, height);
}

/** Draws a picture of the engine over the whole canvas, which takes its size. @throws Error where the canvas has no 2-D context */
export function drawImage(canvas: HTMLCanvasElement | OffscreenCanvas, image: Image): void {
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null;
  if (context === null)
    throw new Error("canvas: it has no 2-D context; another kind of context was made of it before.");
  context.putImageData(toImageData(image), 0, 0);
}
