import type { Tensor } from "../../engine/basics/tensor.ts";
import { overlay } from "../../engine/picture/heatmap.ts";
import { createImage, type Image } from "../../engine/picture/image.ts";
import type { PhotoFit } from "../../engine/picture/preprocess.ts";
import { resizeAndCrop } from "../../engine/picture/resize.ts";

/** How much of a photo's light is left where the network did not see it. */
const unseen = 0.45;

/**
 * The Salient Relevance map over the photo in the photo's own size: the map goes back the way the photo came, so that what lies below it
 * is what it is about. What was cropped away is dark.
 * @param map [H,W], 0 to 1, of the network's input
 */
export function photoOverlay(photo: Image, map: Tensor, fit: PhotoFit): Image {
  const { width, height } = fit;
  const gray = createImage(width, height);
  for (let i = 0; i < width * height; i++) gray.data.fill(Math.round(255 * map.data[i]!), 4 * i, 4 * i + 3);
  // The window of the photo that the network saw, in the photo's pixels.
  const across = photo.width / fit.resizedWidth;
  const down = photo.height / fit.resizedHeight;
  const left = Math.round(fit.left * across);
  const top = Math.round(fit.top * down);
  const window = {
    width: Math.min(photo.width - left, Math.round(width * across)),
    height: Math.min(photo.height - top, Math.round(height * down)),
  };
  const { data } = resizeAndCrop(gray, window.width, window.height, { left: 0, top: 0, ...window });
  const large = new Float32Array(photo.width * photo.height);
  for (let y = 0; y < window.height; y++) {
    for (let x = 0; x < window.width; x++) {
      large[(top + y) * photo.width + left + x] = data[4 * (y * window.width + x)]! / 255;
    }
  }
  const image = overlay(photo, { shape: [photo.height, photo.width], data: large });
  for (let y = 0; y < photo.height; y++) {
    for (let x = 0; x < photo.width; x++) {
      if (y >= top && y < top + window.height && x >= left && x < left + window.width) continue;
      const pixel = 4 * (y * photo.width + x);
      for (let c = pixel; c < pixel + 3; c++) image.data[c] = Math.round(unseen * image.data[c]!);
    }
  }
  return image;
}
