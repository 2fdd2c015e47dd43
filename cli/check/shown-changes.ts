import { heatmap, overlay } from "../../engine/picture/heatmap.ts";
import type { Image } from "../../engine/picture/image.ts";
import { type Annotations, type Attention, annotatedPhoto, enlargeMap, gridSide } from "../../evaluation/index.ts";
import { defaultImageLimits } from "../../photos/size-limit.ts";
import { withBoxes } from "../drawing/boxes.ts";
import { formatConfidence, formatShare } from "../drawing/format.ts";
import { jpegUrl } from "../drawing/jpeg-url.ts";
import { readPhotoInput } from "../inputs/photo.ts";
import { describeError } from "../terminal/errors.ts";
import { type AttendSettings, seePhoto } from "./attend.ts";
import { type Checked, sentencesOf } from "./photos.ts";

/** A photo that failed: before, now and the difference, or why there are no pictures. */
export interface ShownChange {
  readonly pictures: readonly { readonly caption: string; readonly url: string }[];
  readonly error?: string;
}

const said = ({ prediction: { label, probability } }: Attention): string =>
  probability === undefined ? label : `${label} ${formatConfidence({ probability, logit: 0 })}`;

function changePictures(picture: Image, before: Attention, after: Attention): ShownChange["pictures"] {
  const { width, height } = picture;
  const shape = [height, width];
  const enlarged = (grid: readonly number[]): Float32Array =>
    Float32Array.from(enlargeMap(Float64Array.from(grid), gridSide, gridSide, width, height));
  const differences = after.grid.map((cell, i) => cell - before.grid[i]!);
  const most = Math.max(...differences.map(Math.abs));
  const difference = heatmap({ shape, data: enlarged(differences) }, { colormap: "bwr", symmetric: true });
  return [
    {
      caption: `before: ${said(before)}`,
      url: jpegUrl(overlay(picture, { shape, data: enlarged(before.grid) })),
    },
    {
      caption: `now: ${said(after)}`,
      url: jpegUrl(overlay(picture, { shape, data: enlarged(after.grid) })),
    },
    { caption: `difference: at most ${formatShare(most)} of all attention a cell`, url: jpegUrl(difference.image) },
  ];
}

/** Reads the first photos that failed once more, and draws what changed. A photo at a time, so that memory does not grow with them. */
export async function shownChanges(
  checked: readonly Checked[],
  most: number,
  annotations: Annotations | undefined,
  settings: AttendSettings,
): Promise<Map<Checked, ShownChange>> {
  const shown = new Map<Checked, ShownChange>();
  for (const each of checked) {
    if (shown.size >= most || sentencesOf(each).length === 0) continue;
    if (each.error !== undefined) continue;
    try {
      const { input } = await readPhotoInput(each.path, defaultImageLimits);
      const annotated = annotations === undefined ? undefined : annotatedPhoto(annotations, each.after.photo);
      const { picture, placed } = seePhoto(input, annotated, settings);
      const caption = placed === undefined ? "the photo" : "the photo and its annotated boxes";
      const photo = { caption, url: jpegUrl(placed === undefined ? picture : withBoxes(picture, placed.boxes)) };
      shown.set(each, { pictures: [photo, ...changePictures(picture, each.before, each.after)] });
    } catch (error) {
      shown.set(each, { pictures: [], error: describeError(error) });
    }
  }
  return shown;
}
