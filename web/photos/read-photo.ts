import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { type Image, onWhite } from "../../engine/picture/image.ts";
import { decodeImage, photoFormat } from "../../photos/index.ts";
import { checkSize, defaultImageLimits } from "../../photos/size-limit.ts";
import type { ReadPhoto } from "../../workers/explainer/server.ts";
import type { PostedPhoto } from "../messages.ts";
import { canvasPixels } from "./canvas-pixels.ts";

// As in Node: larger files are no photos.
const maxBytes = 512 * 2 ** 20;

/** Decodes by the browser, orientation as EXIF says, colours as stored: profiles are not applied, as in Node. */
async function browserPixels(blob: Blob): Promise<Image> {
  let bitmap: ImageBitmap;
  try {
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
    checkSize("picture", bitmap.width, bitmap.height, defaultImageLimits.maxPixels);
    return canvasPixels(bitmap, bitmap.width, bitmap.height, "photo");
  } finally {
    bitmap.close();
  }
}

/**
 * Pixels of a posted photo, transparency over white.
 * @throws FormatError, UnsupportedError for what is no picture or none that can be read, RangeError for more than 100 megapixels
 */
export async function readPhoto(photo: PostedPhoto): Promise<ReadPhoto> {
  if (photo.kind === "pixels") {
    return { input: "shape" in photo.input ? photo.input : onWhite(photo.input), decodedBy: "given" };
  }
  if (photo.kind === "bitmap") {
    const { bitmap } = photo;
    const [width, height] =
      "displayWidth" in bitmap ? [bitmap.displayWidth, bitmap.displayHeight] : [bitmap.width, bitmap.height];
    try {
      return { input: onWhite(canvasPixels(bitmap, width, height, "bitmap")), decodedBy: "given" };
    } finally {
      bitmap.close();
    }
  }
  const { blob, decoder } = photo;
  if (blob.size === 0) throw new FormatError("photo: the file is empty. Choose another, or copy it again.");
  if (blob.size > maxBytes) {
    throw new RangeError(
      `photo: the file has ${Math.round(blob.size / 2 ** 20)} MiB, photos may have ${maxBytes / 2 ** 20}.`,
    );
  }
  const format = photoFormat(new Uint8Array(await blob.slice(0, 64).arrayBuffer()));
  if (decoder === "exact" && (format === "PNG" || format === "JPEG")) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    try {
      return { input: await decodeImage(bytes), decodedBy: "exact" };
    } catch (error) {
      // Variants that srmap does not read are left to the browser; damage is damage.
      if (!(error instanceof UnsupportedError)) throw error;
    }
  }
  return { input: onWhite(await browserPixels(blob)), decodedBy: "browser" };
}
