import { overlay } from "../../engine/picture/heatmap.ts";
import { gaussianBlur } from "../../evaluation/index.ts";
import { withBoxes } from "../drawing/boxes.ts";
import { jpegUrl } from "../drawing/jpeg-url.ts";
import type { MapSpec } from "./map-source.ts";
import { type EvaluationSettings, prepareUnit } from "./run.ts";
import type { Row } from "./summary.ts";
import type { Unit } from "./units.ts";

/** A picture of a photo of the best or worst ones. */
export interface ShownPicture {
  readonly caption: string;
  /** What the metric says of the map; undefined for the photo itself. */
  readonly value: number | undefined;
  /** data: URL. */
  readonly url: string;
}

/** A photo of the best or worst ones: with its boxes, then with each map over it. */
export interface ShownPhoto {
  readonly row: Row;
  readonly pictures: readonly ShownPicture[];
}

/** Share of the pixels that a picture tells apart: single relevant pixels would leave all others dark. */
const clipped = 0.99;

/**
 * A map as it is shown: blurred by a pixel, since relevance lies on single pixels that nobody sees in a small picture, and cut at the
 * value that 99 % of the pixels stay below. It is measured as it is.
 */
function asShown(map: Float64Array, width: number): Float32Array {
  const blurred = gaussianBlur(map, width, 1);
  const limit = blurred.slice().sort()[Math.floor(clipped * (blurred.length - 1))]!;
  return Float32Array.from(blurred, (value) => Math.min(value, limit));
}

/** Makes the pictures of rows: the photo with its boxes and each map over it, with what the metric says of it. */
export async function shownPhotos(
  rows: readonly Row[],
  units: readonly Unit[],
  specs: readonly MapSpec[],
  metric: string,
  settings: EvaluationSettings,
): Promise<ShownPhoto[]> {
  const photos: ShownPhoto[] = [];
  for (const row of rows) {
    const unit = units.find(({ file, label }) => file === row.photo && label === row.label);
    if (unit === undefined) continue;
    const { source, picture, placed } = await prepareUnit(unit, settings);
    const pictures: ShownPicture[] = [
      { caption: "the photo", value: undefined, url: jpegUrl(withBoxes(picture, placed.boxes)) },
    ];
    for (const spec of specs) {
      const measured = row.maps[spec.name];
      if (measured === undefined) continue; // the row's notes say why
      const data = asShown(await spec.make(source), source.width);
      const laid = overlay(picture, { shape: [source.height, source.width], data });
      pictures.push({ caption: spec.name, value: measured[metric]?.value ?? Number.NaN, url: jpegUrl(laid) });
    }
    photos.push({ row, pictures });
  }
  return photos;
}
