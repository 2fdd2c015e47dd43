import type { Box } from "../localisation/max-box-acc.ts";

/** What an annotated object covers: its box, and its outline or pixels where the file has them. In pixels of the annotated picture. */
export interface AnnotatedObject {
  /** The class's name as the file has it. */
  readonly label: string;
  /** The class's number in the file; means something only beside its names. */
  readonly categoryId: number;
  readonly box: Box;
  /** Corners x0, y0, x1, y1, ... of outlines that together are the object. */
  readonly polygons?: readonly (readonly number[])[];
  /** Lengths of runs of 0 and 1 in turn, columns from the left, each from the top, of the whole picture (COCO's RLE). */
  readonly runs?: readonly number[];
  /** A group that was not taken apart; it counts as no object. */
  readonly isCrowd: boolean;
}

/** A photo's objects. */
export interface AnnotatedPhoto {
  /** The photo's name, or what stands before its last dot where the annotations do not say more. */
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** True where width and height are 1 and all places are shares of the photo's, whatever its size (YOLO). */
  readonly isRelative?: boolean;
  readonly objects: readonly AnnotatedObject[];
}

/** What a file of annotations says. */
export interface Annotations {
  /** By `file`. */
  readonly photos: ReadonlyMap<string, AnnotatedPhoto>;
  /** One sentence for each thing that was left out. */
  readonly notes: readonly string[];
}

/** What is annotated of a photo: by its name, else by its name without what follows the last dot. */
export function annotatedPhoto({ photos }: Annotations, name: string): AnnotatedPhoto | undefined {
  return photos.get(name) ?? photos.get(name.replace(/\.[^.]*$/, ""));
}

/** Why a box cannot count: it has no area, or lies outside its photo; undefined when it can. */
export function boxProblem(
  { left, top, width, height }: Box,
  photo: Omit<AnnotatedPhoto, "objects">,
): string | undefined {
  if (!(width > 0 && height > 0)) return `its box has no area (${width} x ${height})`;
  const isOutside = left >= photo.width || top >= photo.height || left + width <= 0 || top + height <= 0;
  return isOutside ? `its box lies outside "${photo.file}"` : undefined;
}
