import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import type { Pixels } from "../../engine/picture/image.ts";
import type { PhotoDecoder, PostedPhoto } from "../messages.ts";
import { canvasPixels } from "./canvas-pixels.ts";

/**
 * What a page takes as a photo: a file, what is drawn on a canvas or shown by an element, a video frame, pixels (ImageData or an
 * image { width, height, data }), or a tensor that is already preprocessed.
 */
export type WebPhoto =
  | Blob
  | ImageBitmap
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLVideoElement
  | VideoFrame
  | Pixels
  | Tensor;

const isA = <T>(value: unknown, name: string): value is T => {
  const type = (globalThis as Record<string, unknown>)[name]; // not every runtime has every one of them
  return typeof type === "function" && value instanceof type;
};

/**
 * A photo as it is posted to the worker. Files and bitmaps are shared or copied by the browser; a VideoFrame is moved, so clone one
 * that is still needed.
 * @throws TypeError for what is no photo, or shows nothing yet
 */
export function postPhoto(
  photo: WebPhoto,
  decoder: PhotoDecoder,
): { photo: PostedPhoto; transfer: readonly unknown[] } {
  if (isA<Blob>(photo, "Blob")) return { photo: { kind: "file", blob: photo, decoder }, transfer: [] };
  if (isA<ImageBitmap>(photo, "ImageBitmap")) return { photo: { kind: "bitmap", bitmap: photo }, transfer: [] };
  if (isA<VideoFrame>(photo, "VideoFrame")) return { photo: { kind: "bitmap", bitmap: photo }, transfer: [photo] };
  if (isA<HTMLCanvasElement>(photo, "HTMLCanvasElement") || isA<OffscreenCanvas>(photo, "OffscreenCanvas")) {
    return pixels(canvasPixels(photo, photo.width, photo.height, "canvas"));
  }
  if (isA<HTMLImageElement>(photo, "HTMLImageElement")) {
    return pixels(canvasPixels(photo, photo.naturalWidth, photo.naturalHeight, "image element"));
  }
  if (isA<HTMLVideoElement>(photo, "HTMLVideoElement")) {
    return pixels(canvasPixels(photo, photo.videoWidth, photo.videoHeight, "video element"));
  }
  if (typeof photo === "object" && photo !== null && "data" in photo) {
    if ("shape" in photo) return { photo: { kind: "pixels", input: tensor(photo.shape, photo.data) }, transfer: [] };
    return pixels({ width: photo.width, height: photo.height, data: photo.data });
  }
  throw new TypeError(
    `explainer: ${typeof photo === "string" ? `"${String(photo).slice(0, 80)}" is a string: fetch it and give the Blob` : "this is no photo"}. A photo is a File or Blob, an image, canvas or video element, an ImageBitmap, VideoFrame or ImageData, an image { width, height, data } or a tensor { shape, data }.`,
  );
}

function pixels(input: Pixels): { photo: PostedPhoto; transfer: readonly unknown[] } {
  return { photo: { kind: "pixels", input }, transfer: [] };
}
