import { photoFit } from "../../engine/picture/preprocess.ts";
import type { NetworkInfo } from "../../workers/explainer/messages.ts";

// As sharp as large screens show it.
const largestSide = 1400;

/**
 * Draws what the network saw of a photo in the photo's own sharpness. The network sees as many pixels as its input has; people see more
 * of them.
 * Where that cannot be done (the browser cannot decode it, or the network takes no photos) the canvas keeps what it has.
 * @param isWanted asked once the photo is decoded; another one may have been chosen
 */
export async function drawSharply(
  canvas: HTMLCanvasElement,
  photo: Blob,
  info: NetworkInfo,
  isWanted: () => boolean,
): Promise<void> {
  if (info.preprocessing === undefined) return;
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(photo, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    return;
  }
  try {
    if (!isWanted()) return;
    const fit = photoFit(bitmap, info.preprocessing, info.inputShape);
    const [perX, perY] = [bitmap.width / fit.resizedWidth, bitmap.height / fit.resizedHeight];
    const scale = Math.min(Math.max(perX, perY, 1), largestSide / Math.max(fit.width, fit.height));
    const [width, height] = [Math.round(fit.width * scale), Math.round(fit.height * scale)];
    const context = canvas.getContext("2d");
    if (context === null) return;
    canvas.width = width;
    canvas.height = height;
    context.fillStyle = "#fff"; // transparency lies on white, as the network sees it
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(
      bitmap,
      fit.left * perX,
      fit.top * perY,
      fit.width * perX,
      fit.height * perY,
      0,
      0,
      width,
      height,
    );
  } catch {
    return; // photos that do not fit
  } finally {
    bitmap.close();
  }
}
