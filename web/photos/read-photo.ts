import { FormatError } from "../../engine/basics/errors.ts";
import type { ReadPhoto } from "../../workers/explainer/server.ts";
import type { PostedPhoto } from "../explainer/messages.ts";
import { canvasPixels } from "./canvas-pixels.ts";

// As in Node: a photo of more pixels is refused before its memory is reserved.
const maxPixels = 100e6;

/**
 * Pixels of a posted photo.
 * @throws FormatError for what the browser cannot decode, RangeError for more than 100 megapixels
 */
export async function readPhoto(photo: PostedPhoto): Promise<ReadPhoto> {
  if (photo.kind === "pixels") return { input: photo.input, decodedBy: "given" };
  if (photo.kind === "bitmap") {
    const { bitmap } = photo;
    const [width, height] =
      "displayWidth" in bitmap ? [bitmap.displayWidth, bitmap.displayHeight] : [bitmap.width, bitmap.height];
    try {
      return { input: canvasPixels(bitmap, width, height, "bitmap"), decodedBy: "given" };
    } finally {
      bitmap.close();
    }
  }
  const { blob } = photo;
  let bitmap: ImageBitmap;
  try {
    // Orientation as EXIF says; colours as stored, as in Node, where profiles are not applied either.
    bitmap = await createImageBitmap(blob, {
      imageOrientation: "from-image",
      premultiplyAlpha: "none",
      colorSpaceConversion: "none",
    });
  } catch {
    const kind = blob.type === "" ? "file" : `${blob.type} file`;
    throw new FormatError(`photo: this browser cannot read the ${kind} as a picture. Use JPEG, PNG or WebP.`);
  }
  try {
    if (bitmap.width * bitmap.height > maxPixels) {
      throw new RangeError(
        `photo: ${bitmap.width}x${bitmap.height} pixels are more than ${maxPixels / 1e6} megapixels. Make it smaller.`,
      );
    }
    return { input: canvasPixels(bitmap, bitmap.width, bitmap.height, "photo"), decodedBy: "browser" };
  } finally {
    bitmap.close();
  }
}
