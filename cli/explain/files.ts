import type { Tensor } from "../../engine/basics/tensor.ts";
import type { Explanation } from "../../engine/explain.ts";
import type { Preprocessing } from "../../engine/graph/definition.ts";
import { type LayerRelevance, sumOverChannels } from "../../engine/network/channel-sums.ts";
import { heatmap, overlay } from "../../engine/picture/heatmap.ts";
import type { Image } from "../../engine/picture/image.ts";
import { heatImage } from "../../engine/salient/salient-relevance.ts";
import { version } from "../../host/version.ts";
import { writeNpy } from "../../weights-loader/numpy/npy.ts";
import type { RelevanceColors } from "../choices/colors.ts";
import { enlarge } from "../drawing/canvas.ts";
import { heatJpeg } from "../drawing/heat-jpeg.ts";
import { panel } from "../drawing/panel.ts";
import { encodePng } from "../drawing/png.ts";
import type { InputFile, SourceFile } from "../inputs/photo.ts";
import { fileNames } from "../outputs/file-names.ts";
import { saliencyColors } from "../outputs/outputs.ts";
import { doubtHeadline, emptyMapHeadline, isEmptyMap } from "./doubt.ts";
import { explanationReport } from "./report.ts";

/** Where an explanation came from, for its report. */
export interface ExplanationContext {
  readonly weights: SourceFile;
  readonly input: InputFile;
  /** Said when the network merely guesses. */
  readonly note: string | undefined;
  /** The target as it was typed. */
  readonly requestedTarget: string;
  /** What the network saw, as a picture. */
  readonly picture: Image;
  readonly preprocessing: Preprocessing;
  /** The composite and what was changed in it. */
  readonly compositeLabel: string;
  readonly colors: RelevanceColors;
  /** Quality of the JPEG that the heat image went through, if it did. */
  readonly heatQuality: number | undefined;
  /** Relevance at a layer is written as [H,W] instead of [C,H,W]. */
  readonly isAtSummed: boolean;
  /** How the kernels ran. The last digits depend on the algorithm, nothing on the threads. */
  readonly computation: {
    readonly algorithm: "auto" | "direct";
    readonly lowMemory: boolean;
    readonly threads: number;
  };
  /** Reading and preparing the photo. */
  readonly decodeMs: number;
}

/** The relevance at a layer: its numbers and, where it has height and width, a picture about as large as the other ones. */
function layerFiles(
  { layer, relevance }: LayerRelevance,
  { picture, colors, isAtSummed }: ExplanationContext,
): { array: readonly [name: string, array: Tensor]; pictures: (readonly [string, Uint8Array])[] } {
  const name = `relevance-at-${fileNames([layer])[0]}`;
  const [, height, width] = relevance.shape;
  const array = [`${name}.npy`, isAtSummed ? sumOverChannels(relevance) : relevance] as const;
  if (height === undefined || width === undefined) return { array, pictures: [] };
  const factor = Math.max(1, Math.round(picture.width / width));
  return { array, pictures: [[`${name}.png`, encodePng(enlarge(heatmap(relevance, colors).image, factor))]] };
}

/** First small line of the panel: the file, and what was explained where that is not the prediction. */
function sourceLine(
  { target, targetKind, targetDescription, top }: Explanation,
  { input }: ExplanationContext,
): string {
  if (targetKind !== "class") return `${input.file} · explained: ${targetDescription}`;
  const [first] = top;
  if (first === undefined || first.index === target.index) return input.file;
  return `${input.file} · explained as asked; the prediction is ${first.label}`;
}

/**
 * All files of an explanation by name: the numbers as .npy, pictures of them, the panel and, last, the report explanation.json,
 * so that a folder that has the report has everything.
 */
export function explanationFiles(explanation: Explanation, context: ExplanationContext): Map<string, Uint8Array> {
  const { target, top, model, layer } = explanation;
  const { colors, heatQuality } = context;
  const arrays = new Map<string, Tensor>([
    ["logits.npy", explanation.logits],
    ["relevance.npy", explanation.relevance],
    ["salient-relevance.npy", explanation.salientRelevance],
  ]);
  const inside = layer && layerFiles(layer, context);
  if (inside) arrays.set(...inside.array);
  const [, height = 1, width = 1] = explanation.relevance.shape;
  const relevance = heatmap(explanation.relevance, colors);
  const salientRelevance = heatmap(explanation.salientRelevance, saliencyColors);
  const laidOver = overlay(context.picture, explanation.salientRelevance, { colormap: saliencyColors.colormap });
  const sheet = panel({
    photo: context.picture,
    relevance: { ...relevance, colormap: colors.colormap },
    salientRelevance: { ...salientRelevance, colormap: saliencyColors.colormap },
    overlay: laidOver,
    target,
    top,
    details: [
      sourceLine(explanation, context),
      `${model} · composite ${context.compositeLabel} · features ${explanation.salientRelevanceOptions.feature} · srmap ${version}`,
      ...(context.note === undefined ? [] : [isEmptyMap(explanation) ? emptyMapHeadline : doubtHeadline]),
    ],
  });
  return new Map<string, Uint8Array>([
    ["panel.png", encodePng(sheet)],
    ["overlay.png", encodePng(laidOver)],
    ["salient-relevance.png", encodePng(salientRelevance.image)],
    ["relevance.png", encodePng(relevance.image)],
    ...(inside?.pictures ?? []),
    ...(heatQuality === undefined
      ? []
      : [["heat.jpg", heatJpeg(heatImage(explanation.relevance), height, width, heatQuality)] as const]),
    ...[...arrays].map(([name, array]) => [name, writeNpy(array)] as const),
    ["explanation.json", new TextEncoder().encode(explanationReport(explanation, context, arrays))],
  ]);
}
