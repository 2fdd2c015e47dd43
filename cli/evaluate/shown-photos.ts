import { encode } from "jpeg-js";
import { overlay } from "../../engine/picture/heatmap.ts";
import type { Image } from "../../engine/picture/image.ts";
import { type Box, gaussianBlur } from "../../evaluation/index.ts";
import type { MapSpec } from "./map-source.ts";
import { type EvaluationSettings, prepareUnit } from "./run.ts";
import type { Row } from "./summary.ts";
import type { Unit } from "./units.ts";

/** A picture of a photo of the best or worst ones. */
export interface ShownPicture {
  readonly caption: string;
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

/** The outlines of boxes, two pixels wide, green between dark lines. */
function withBoxes(picture: Image, boxes: readonly Box[]): Image {
  const { width, height } = picture;
  const data = picture.data.slice();
  const paint = (x: number, y: number, color: readonly number[]): void => {
    if (x >= 0 && x < width && y >= 0 && y < height) data.set(color, 4 * (y * width + x));
  };
  for (const box of boxes) {
    const [x0, y0] = [Math.floor(box.left), Math.floor(box.top)];
    const [x1, y1] = [Math.ceil(box.left + box.width) - 1, Math.ceil(box.top + box.height) - 1];
    for (const [inset, color] of [
      [0, [0, 0, 0]] as const,
      [1, [80, 255, 120]] as const,
      [2, [80, 255, 120]] as const,
    ]) {
      for (let x = x0 + inset; x <= x1 - inset; x++) {
        paint(x, y0 + inset, color);
        paint(x, y1 - inset, color);
      }
      for (let y = y0 + inset; y <= y1 - inset; y++) {
        paint(x0 + inset, y, color);
        paint(x1 - inset, y, color);
      }
    }
  }
  return { width, height, data };
}

function jpegUrl({ width, height, data }: Image): string {
  const encoded = encode({ width, height, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength) }, 85);
  return `data:image/jpeg;base64,${encoded.data.toString("base64")}`;
}

const digits = (value: number | null | undefined): string =>
  value === null || value === undefined || Number.isNaN(value) ? "none" : value.toFixed(3).replace(/^(-?)0\./, "$1.");

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
    const pictures = [{ caption: row.label, url: jpegUrl(withBoxes(picture, placed.boxes)) }];
    for (const spec of specs) {
      const measured = row.maps[spec.name];
      if (measured === undefined) continue; // the row's notes say why
      const data = asShown(await spec.make(source), source.width);
      const laid = overlay(picture, { shape: [source.height, source.width], data });
      pictures.push({ caption: `${spec.name}: ${digits(measured[metric]?.value)}`, url: jpegUrl(laid) });
    }
    photos.push({ row, pictures });
  }
  return photos;
}
