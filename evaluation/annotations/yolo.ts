import { FormatError } from "../../engine/basics/errors.ts";
import { type AnnotatedObject, type AnnotatedPhoto, boxProblem } from "./objects.ts";

/**
 * Reads a photo's YOLO text: a line for each object, the class's number and either centre x, centre y, width, height or the corners x, y
 * of its outline, all as shares of the photo's width and height.
 * Source: the formats of darknet and Ultralytics (detection and segmentation).
 * @param file what the photo is called, without its ending
 * @param names class names by number
 * @returns the photo, and a sentence for each line that was left out
 * @throws FormatError for a line that is none
 */
export function yoloPhoto(
  file: string,
  text: string,
  names: readonly string[],
): { readonly photo: AnnotatedPhoto; readonly notes: readonly string[] } {
  const frame = { file, width: 1, height: 1, isRelative: true };
  const objects: AnnotatedObject[] = [];
  const notes: string[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const [categoryId = Number.NaN, ...places] = line.trim().split(/\s+/).map(Number);
    const isOutline = places.length >= 6 && places.length % 2 === 0;
    const isLine =
      Number.isSafeInteger(categoryId) && (places.length === 4 || isOutline) && places.every(Number.isFinite);
    if (!isLine || categoryId < 0) {
      throw new FormatError(
        `annotations of "${file}": line ${i + 1} must be a class number and 4 numbers (or the corners of an outline), got "${line.trim().slice(0, 60)}".`,
      );
    }
    const label = names[categoryId];
    const box = isOutline ? boxAround(places) : centredBox(places);
    const problem = boxProblem(box, frame);
    if (label === undefined) notes.push(`${file}, line ${i + 1}: class ${categoryId} has no name, left out.`);
    else if (problem !== undefined) notes.push(`${file}, line ${i + 1}: ${problem}, left out.`);
    else objects.push({ label, categoryId, box, isCrowd: false, ...(isOutline ? { polygons: [places] } : {}) });
  }
  return { photo: { ...frame, objects }, notes };
}

function centredBox([x = 0, y = 0, width = 0, height = 0]: readonly number[]): AnnotatedObject["box"] {
  return { left: x - width / 2, top: y - height / 2, width, height };
}

function boxAround(corners: readonly number[]): AnnotatedObject["box"] {
  let [left, top, right, bottom] = [corners[0]!, corners[1]!, corners[0]!, corners[1]!];
  for (let i = 0; i < corners.length; i += 2) {
    const [x, y] = [corners[i]!, corners[i + 1]!];
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  }
  return { left, top, width: right - left, height: bottom - top };
}
