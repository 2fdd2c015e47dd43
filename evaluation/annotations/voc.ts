import { FormatError } from "../../engine/basics/errors.ts";
import { type AnnotatedObject, type AnnotatedPhoto, boxProblem } from "./objects.ts";

/** An `object` of Pascal VOC's XML, its texts as they stand there; undefined where there is none. */
export interface VocObject {
  readonly name: string | undefined;
  readonly xmin: string | undefined;
  readonly ymin: string | undefined;
  readonly xmax: string | undefined;
  readonly ymax: string | undefined;
}

/**
 * A photo's objects as Pascal VOC's XML has them: boxes in pixels counted from 1, the last pixel inside.
 * Source: the PASCAL Visual Object Classes Challenge 2012 Development Kit, section 6.1. Objects marked as difficult count.
 * @param file what the photo is called, without its ending
 * @param size the texts of `size`'s `width` and `height`
 * @returns the photo, and a sentence for each object that was left out
 * @throws FormatError without a size
 */
export function vocPhoto(
  file: string,
  size: { readonly width: string | undefined; readonly height: string | undefined },
  found: readonly VocObject[],
): { readonly photo: AnnotatedPhoto; readonly notes: readonly string[] } {
  const [width, height] = [Number(size.width), Number(size.height)];
  if (!(width > 0 && height > 0 && Number.isFinite(width * height))) {
    throw new FormatError(
      `annotations of "${file}": must say the photo's size in pixels, got ${size.width} x ${size.height}.`,
    );
  }
  const objects: AnnotatedObject[] = [];
  const notes: string[] = [];
  for (const [i, { name, xmin, ymin, xmax, ymax }] of found.entries()) {
    const [x0, y0, x1, y1] = [xmin, ymin, xmax, ymax].map((text) => (text === undefined ? Number.NaN : Number(text)));
    const leaveOut = (why: string): void => void notes.push(`${file}, object ${i + 1}: ${why}, left out.`);
    if (name === undefined || name.trim() === "") leaveOut("has no name");
    else if (
      x0 === undefined ||
      y0 === undefined ||
      x1 === undefined ||
      y1 === undefined ||
      !Number.isFinite(x0 + y0 + x1 + y1)
    ) {
      leaveOut("has no box of four numbers");
    } else {
      const box = { left: x0 - 1, top: y0 - 1, width: x1 - x0 + 1, height: y1 - y0 + 1 };
      const problem = boxProblem(box, { file, width, height });
      if (problem === undefined) objects.push({ label: name.trim(), categoryId: -1, box, isCrowd: false });
      else leaveOut(problem);
    }
  }
  return { photo: { file, width, height, objects }, notes };
}
