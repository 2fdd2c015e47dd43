import type { Tensor } from "../../engine/basics/tensor.ts";
import { type Heatmap, heatmap } from "../../engine/picture/heatmap.ts";
import type { Image } from "../../engine/picture/image.ts";
import type { ExplainedPhoto } from "../../workers/explainer/messages.ts";
import type { View } from "./link.ts";

/** The strongest 0.1 % of the pixels share the end colours, so that one pixel cannot fade all others; as on the command line. */
export const shownQuantile = 0.999;

/** What is drawn over the photo for a view, and what its colours stand for. */
export interface Shown {
  readonly image: Image | undefined;
  readonly legend: "signed" | "salient" | "none";
}

/** Relevance as colours, red for the class and blue against it. */
export function relevanceHeatmap(explained: ExplainedPhoto, isInside: boolean): Heatmap {
  const map = isInside && explained.layer !== undefined ? explained.layer.relevance : explained.relevance;
  return heatmap(map, { colormap: "bwr", clipQuantile: shownQuantile });
}

/** As `overlay` of the engine, less the photo: the map's colours, the higher the more opaque. */
function glow(map: Tensor): Image {
  const { image } = heatmap(map, { colormap: "inferno" });
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of map.data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  for (const [i, value] of map.data.entries()) {
    image.data[4 * i + 3] = high > low ? Math.round((255 * 0.75 * (value - low)) / (high - low)) : 0; // the engine's opacity
  }
  return image;
}

/** The picture of a view. Where it equals the photo there is none. */
export function shown(explained: ExplainedPhoto, view: View): Shown {
  const isInside = explained.layer !== undefined && explained.layer.relevance.shape.length === 3;
  if (view === "photo") return { image: undefined, legend: "none" };
  if (view === "relevance") return { image: relevanceHeatmap(explained, isInside).image, legend: "signed" };
  if (view === "salient") {
    return { image: heatmap(explained.salientRelevance, { colormap: "inferno" }).image, legend: "salient" };
  }
  return { image: glow(explained.salientRelevance), legend: "salient" };
}

/** What the pointer is on: relevance of the pixel and the Salient Relevance there. */
export function valueAt(explained: ExplainedPhoto, x: number, y: number): string {
  const [channels = 1, height = 1, width = 1] = explained.relevance.shape;
  const column = Math.min(width - 1, Math.max(0, Math.floor(x * width)));
  const row = Math.min(height - 1, Math.max(0, Math.floor(y * height)));
  let relevance = 0;
  for (let c = 0; c < channels; c++) relevance += explained.relevance.data[(c * height + row) * width + column]!;
  const side = 3; // the patch of 7 x 7 around the pixel
  let patch = 0;
  for (let r = Math.max(0, row - side); r <= Math.min(height - 1, row + side); r++) {
    for (let q = Math.max(0, column - side); q <= Math.min(width - 1, column + side); q++) {
      for (let c = 0; c < channels; c++) patch += explained.relevance.data[(c * height + r) * width + q]!;
    }
  }
  const salient = explained.salientRelevance.data[row * width + column]!;
  return `x ${column}, y ${row} · relevance ${relevance.toExponential(1)} · its 7×7 patch ${patch.toExponential(1)} · Salient Relevance ${salient.toFixed(2)}`;
}

/** How much relevance speaks for the target and how much against it. */
export function balance(explained: ExplainedPhoto): { readonly plus: number; readonly minus: number } {
  const [channels = 1, height = 1, width = 1] = explained.relevance.shape;
  const area = height * width;
  let [plus, minus] = [0, 0];
  for (let i = 0; i < area; i++) {
    let pixel = 0;
    for (let c = 0; c < channels; c++) pixel += explained.relevance.data[c * area + i]!;
    if (pixel > 0) plus += pixel;
    else minus -= pixel;
  }
  return { plus, minus };
}
