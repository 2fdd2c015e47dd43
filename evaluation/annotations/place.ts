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

/** Whether the point x of one row is on an object. */
type InRow = (x: number) => boolean;

/** How many of sorted numbers are at most `x`. */
function countUpTo(sorted: ArrayLike<number>, x: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A row through a polygon: inside where an odd number of edges crosses it further right. */
function rowOfPolygon(polygon: readonly number[], y: number): InRow {
  const crossings: number[] = [];
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const [xi, yi, xj, yj] = [polygon[i]!, polygon[i + 1]!, polygon[j]!, polygon[j + 1]!];
    if (yi > y !== yj > y) crossings.push(((xj - xi) * (y - yi)) / (yj - yi) + xi);
  }
  const sorted = Float64Array.from(crossings).sort();
  return (x) => (sorted.length - countUpTo(sorted, x)) % 2 === 1;
}

/**
 * Whether points of the annotated picture lie on an object, row by row: whatever numbers a file holds, it takes the memory of the file
 * and a time of its length for a row.
 */
function rowsOf({ box, polygons, runs }: AnnotatedObject, { height }: AnnotatedPhoto): (y: number) => InRow {
  if (runs !== undefined) {
    const ends = new Float64Array(runs.length);
    let end = 0;
    for (const [i, run] of runs.entries()) {
      end += run;
      ends[i] = end;
    }
    // Run 0 is of 0s, run 1 of 1s, and so on.
    return (y) => (x) => countUpTo(ends, Math.floor(x) * height + Math.floor(y)) % 2 === 1;
  }
  const isInBox: InRow = (x) => x >= box.left && x < box.left + box.width;
  const nowhere: InRow = () => false;
  return (y) => {
    if (y < box.top || y >= box.top + box.height) return nowhere;
    if (polygons === undefined) return isInBox;
    const rows = polygons.map((polygon) => rowOfPolygon(polygon, y));
    return (x) => isInBox(x) && rows.some((isIn) => isIn(x));
  };
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
    const rowAt = rowsOf(object, photo);
    let isSeen = false;
    for (let y = Math.floor(y0); y < Math.min(height, Math.ceil(y1)); y++) {
      const isOn = rowAt((y + 0.5 + top) / sy);
      for (let x = Math.floor(x0); x < Math.min(width, Math.ceil(x1)); x++) {
        if (!isOn((x + 0.5 + left) / sx)) continue;
        mask[y * width + x] = 1;
        isSeen = true;
      }
    }
    if (isSeen) boxes.push({ left: x0, top: y0, width: x1 - x0, height: y1 - y0 });
  }
  return { mask, boxes, croppedAway: objects.length - boxes.length };
}
