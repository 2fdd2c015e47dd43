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
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly AnnotatedObject[];
}

/** What a file of annotations says. */
export interface Annotations {
  readonly photos: ReadonlyMap<string, AnnotatedPhoto>;
  /** One sentence for each thing that was left out. */
  readonly notes: readonly string[];
}
