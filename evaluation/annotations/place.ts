import { ShapeError } from "../../engine/basics/errors.ts";
import type { PhotoFit } from "../../engine/picture/preprocess.ts";
import type { Mask } from "../basics/check.ts";
import type { Box } from "../localisation/max-box-acc.ts";
import type { AnnotatedObject, AnnotatedPhoto } from "./objects.ts";

/** Objects where the network saw them. */
export interface PlacedObjects {
  /** [H,W] of the network's input: 1 where any of the objects is. */
  readonly mask: Mask;
  /** Their boxes, cut at the edges. */
  readonly boxes: readonly Box[];
  /** How many were cropped away whole, or cover no pixel's centre. */
  readonly croppedAway: number;
}

function isInPolygon(polygon: readonly number[], x: number, y: number): boolean {
  let isInside = false;
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const [xi, yi, xj, yj] = [polygon[i]!, polygon[i + 1]!, polygon[j]!, polygon[j + 1]!];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) isInside = !isInside;
  }
  return isInside;
}

function pixelsOfRuns(runs: readonly number[], length: number): Uint8Array {
  const pixels = new Uint8Array(length);
  let at = 0;
  for (const [i, run] of runs.entries()) {
    if (i % 2 === 1) pixels.fill(1, at, at + run);
    at += run;
  }
  return pixels;
}

/** Whether a point of the annotated picture lies on an object. */
function contains(object: AnnotatedObject, { width, height }: AnnotatedPhoto): (x: number, y: number) => boolean {
  const { box, polygons, runs } = object;
  if (runs !== undefined) {
    const pixels = pixelsOfRuns(runs, width * height);
    return (x, y) => pixels[Math.floor(x) * height + Math.floor(y)] === 1;
  }
  const isInBox = (x: number, y: number): boolean =>
    x >= box.left && x < box.left + box.width && y >= box.top && y < box.top + box.height;
  if (polygons === undefined) return isInBox;
  return (x, y) => isInBox(x, y) && polygons.some((polygon) => isInPolygon(polygon, x, y));
}

/**
 * Takes objects through the resize and crop of a photo: a pixel of the network's input is on an object when its centre is, looked up
 * in the annotated picture. An object of which no pixel is left is counted.
 * @param size of the photo; the annotations may be for another size of the same photo
 * @param fit what becomes of it, from `photoFit`
 * @throws ShapeError when annotations and photo do not have one aspect ratio
 */
export function placeObjects(
  photo: AnnotatedPhoto,
  objects: readonly AnnotatedObject[],
  size: { readonly width: number; readonly height: number },
  fit: PhotoFit,
): PlacedObjects {
  const { width, height, left, top, resizedWidth, resizedHeight } = fit;
  if (
    photo.isRelative !== true &&
    Math.abs(photo.width * size.height - photo.height * size.width) >
      Math.max(photo.width, photo.height, size.width, size.height)
  ) {
    throw new ShapeError(
      `annotations of "${photo.file}": are for ${photo.width}x${photo.height} pixels, the photo has ${size.width}x${size.height}. Annotate this photo, or give the one that was annotated.`,
    );
  }
  const [sx, sy] = [resizedWidth / photo.width, resizedHeight / photo.height];
  const mask = new Uint8Array(width * height);
  const boxes: Box[] = [];
  for (const object of objects) {
    const { box } = object;
    const x0 = Math.max(0, box.left * sx - left);
    const y0 = Math.max(0, box.top * sy - top);
    const x1 = Math.min(width, (box.left + box.width) * sx - left);
    const y1 = Math.min(height, (box.top + box.height) * sy - top);
    const isOn = contains(object, photo);
    let isSeen = false;
    for (let y = Math.floor(y0); y < Math.min(height, Math.ceil(y1)); y++) {
      for (let x = Math.floor(x0); x < Math.min(width, Math.ceil(x1)); x++) {
        if (!isOn((x + 0.5 + left) / sx, (y + 0.5 + top) / sy)) continue;
        mask[y * width + x] = 1;
        isSeen = true;
      }
    }
    if (isSeen) boxes.push({ left: x0, top: y0, width: x1 - x0, height: y1 - y0 });
  }
  return { mask, boxes, croppedAway: objects.length - boxes.length };
}
