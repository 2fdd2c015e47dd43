import { FormatError } from "../../engine/basics/errors.ts";
import type { Image } from "../../engine/picture/image.ts";
import type { AnnotatedObject, AnnotatedPhoto } from "./objects.ts";

/** Which pixels of a mask belong to a class: those of a colour, or of an index (of the palette, or the grey value). */
export type MaskClass = { readonly label: string } & (
  | { readonly color: number; readonly index?: undefined }
  | { readonly index: number; readonly color?: undefined }
);

/**
 * Reads which class each colour or index of a folder of masks means: a line each, `#rrggbb NAME` or `INDEX NAME`. What no line names is
 * no object: background, and Pascal VOC's index 255 for edges.
 * @throws FormatError for a line that is none
 */
export function parseMaskClasses(text: string): MaskClass[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, hex, index, label = ""] = /^\s*(?:#([0-9a-fA-F]{6})|(\d{1,3}))\s+(.*\S)\s*$/.exec(line) ?? [];
      if (hex !== undefined) return { label, color: Number.parseInt(hex, 16) };
      if (index !== undefined && Number(index) < 256) return { label, index: Number(index) };
      throw new FormatError(
        `annotations: classes.txt of masks must have lines "#rrggbb NAME" or "INDEX NAME" with an index from 0 to 255, got "${line.slice(0, 60)}".`,
      );
    });
}

/**
 * A photo's objects as a mask shows them: one for each class of which it has pixels.
 * @param file what the photo is called, without its ending
 * @param palette colours by index, 0xrrggbb, of a mask that has a palette; without one an index is a grey value
 */
export function maskPhoto(
  file: string,
  { width, height, data }: Image,
  classes: readonly MaskClass[],
  palette?: readonly number[],
): AnnotatedPhoto {
  const objects: AnnotatedObject[] = [];
  for (const [categoryId, { label, color, index = 0 }] of classes.entries()) {
    const wanted = color ?? (palette === undefined ? index * 0x010101 : palette[index]);
    if (wanted === undefined) continue;
    const runs: number[] = [0];
    let [isOn, x0, x1, y0, y1] = [false, width, -1, height, -1];
    // Columns from the left, each from the top, as COCO's runs go.
    for (let x = 0; x < width; x++) {
      for (let y = 0; y < height; y++) {
        const at = 4 * (y * width + x);
        const isHere = ((data[at]! << 16) | (data[at + 1]! << 8) | data[at + 2]!) === wanted;
        if (isHere !== isOn) runs.push(0);
        isOn = isHere;
        runs[runs.length - 1]!++;
        if (!isHere) continue;
        [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
      }
    }
    if (x1 < 0) continue;
    const box = { left: x0, top: y0, width: x1 - x0 + 1, height: y1 - y0 + 1 };
    objects.push({ label, categoryId: -1 - categoryId, box, runs, isCrowd: false });
  }
  return { file, width, height, objects };
}
