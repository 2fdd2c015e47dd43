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

/** Pixels of one colour, as they are found. */
interface Found {
  readonly runs: number[];
  /** Where the last run of 1s ends. */
  end: number;
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

/** Runs of each wanted colour, columns from the left, each from the top, as COCO's runs go. Each pixel is looked at once. */
function runsOfColors({ width, height, data }: Image, wanted: ReadonlySet<number>): Map<number, Found> {
  const found = new Map<number, Found>();
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; ) {
      const color = colorAt(data, y * width + x);
      const from = y;
      while (y < height && colorAt(data, y * width + x) === color) y++;
      if (!wanted.has(color)) continue;
      const each = found.get(color) ?? { runs: [], end: 0, x0: x, x1: x, y0: from, y1: from };
      found.set(color, each);
      const start = x * height + from;
      if (each.runs.length > 0 && each.end === start) each.runs[each.runs.length - 1]! += y - from;
      else each.runs.push(start - each.end, y - from);
      each.end = x * height + y;
      each.x1 = x;
      each.y0 = Math.min(each.y0, from);
      each.y1 = Math.max(each.y1, y - 1);
    }
  }
  return found;
}

function colorAt(data: Uint8ClampedArray | Uint8Array, pixel: number): number {
  return (data[4 * pixel]! << 16) | (data[4 * pixel + 1]! << 8) | data[4 * pixel + 2]!;
}

/**
 * A photo's objects as a mask shows them: one for each class of which it has pixels.
 * @param file what the photo is called, without its ending
 * @param palette colours by index, 0xrrggbb, of a mask that has a palette; without one an index is a grey value
 */
export function maskPhoto(
  file: string,
  mask: Image,
  classes: readonly MaskClass[],
  palette?: readonly number[],
): AnnotatedPhoto {
  const { width, height } = mask;
  const colors = classes.map(
    ({ color, index = 0 }) => color ?? (palette === undefined ? index * 0x010101 : palette[index]),
  );
  const found = runsOfColors(mask, new Set(colors.filter((color) => color !== undefined)));
  const objects = classes.flatMap(({ label }, categoryId): AnnotatedObject[] => {
    const color = colors[categoryId];
    const pixels = color === undefined ? undefined : found.get(color);
    if (pixels === undefined) return [];
    const { runs, x0, x1, y0, y1, end } = pixels;
    const box = { left: x0, top: y0, width: x1 - x0 + 1, height: y1 - y0 + 1 };
    const all = [...runs, width * height - end];
    return [{ label, categoryId: -1 - categoryId, box, runs: all, isCrowd: false }];
  });
  return { file, width, height, objects };
}
