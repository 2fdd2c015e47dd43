import type { Tensor } from "../../engine/basics/tensor.ts";
import type { Explanation, RelevanceExplanation } from "../../engine/explain.ts";
import { type LayerRelevance, sumOverChannels } from "../../engine/network/channel-sums.ts";
import { type Heatmap, heatmap, overlay } from "../../engine/picture/heatmap.ts";
import type { Image } from "../../engine/picture/image.ts";
import { photoFit } from "../../engine/picture/preprocess.ts";
import { compositeNames, compositeSummary } from "../../engine/rules/composites.ts";
import { heatImage } from "../../engine/salient/salient-relevance.ts";
import { version } from "../../host/version.ts";
import { writeNpy } from "../../weights-loader/numpy/npy.ts";
import { enlarge } from "../drawing/canvas.ts";
import { isSignal, layerCurve, relevanceCurves, salientCurve, salientOverlay } from "../drawing/curve.ts";
import { heatJpeg } from "../drawing/heat-jpeg.ts";
import { type PanelContent, panel } from "../drawing/panel.ts";
import { photoOverlay } from "../drawing/photo-overlay.ts";
import { encodePng } from "../drawing/png.ts";
import { themes } from "../drawing/theme.ts";
import { fileNames } from "../outputs/file-names.ts";
import { saliencyColors } from "../outputs/outputs.ts";
import { balanceOf } from "./balance.ts";
import type { ExplanationContext } from "./context.ts";
import { type ExplanationReport, explanationReport, reportText } from "./report.ts";

/** Name of the report in a folder of results. A folder that has it has everything. */
export const reportName = "explanation.json";

/**
 * The relevance at a layer: its numbers and, where it has more than one place, a picture about as large as the other ones; of one row or
 * column of places a curve.
 */
function layerFiles(
  { layer, relevance }: LayerRelevance,
  { picture, colors, isAtSummed, theme }: ExplanationContext,
): { name: string; array: Tensor; image: Image | undefined } {
  const name = `relevance-at-${fileNames([layer])[0]}`;
  const [, height, width] = relevance.shape;
  const array = isAtSummed ? sumOverChannels(relevance) : relevance;
  if (height === undefined || width === undefined || height * width === 1) return { name, array, image: undefined };
  if (isSignal(relevance.shape)) return { name, array, image: layerCurve(relevance, colors, themes[theme]) };
  const factor = Math.max(1, Math.round(picture.width / width));
  return { name, array, image: enlarge(heatmap(relevance, colors).image, factor) };
}

/** First small line of the panel: the file, and what was explained where that is not the prediction. */
function sourceLine(
  { target, targetKind, targetDescription, top }: RelevanceExplanation,
  { input }: ExplanationContext,
): string {
  if (targetKind !== "class") return `${input.file} · explained: ${targetDescription}`;
  const [first] = top;
  if (first === undefined || first.index === target.index) return input.file;
  return `${input.file} · explained as asked; the prediction is ${first.label}`;
}

/** Which method made the map, in one line. Composites of one's own and changed ones have no summary. */
function methodLine({ composite }: RelevanceExplanation, { compositeLabel }: ExplanationContext): string {
  const isBuiltIn = compositeLabel === composite.name && compositeNames().includes(composite.name);
  return `method: ${compositeLabel}${isBuiltIn ? ` · ${compositeSummary(composite.name)}` : ""}`;
}

function panelOf(
  explanation: Explanation,
  context: ExplanationContext,
  maps: Pick<PanelContent, "photo" | "signalSize" | "overlay"> & { relevance: Heatmap; salientRelevance: Heatmap },
): Image {
  const { target, top, model } = explanation;
  const { feature } = explanation.salientRelevanceOptions;
  const sign = context.salientSign === "both" ? "" : `, ${context.salientSign} alone`;
  const content = {
    ...maps,
    relevance: { ...maps.relevance, colormap: context.colors.colormap },
    shares: balanceOf(explanation.relevance),
    clipQuantile: context.colors.clipQuantile,
    salientRelevance: { ...maps.salientRelevance, colormap: saliencyColors.colormap },
    target,
    top,
    details: [
      sourceLine(explanation, context),
      `${model} · features ${feature}${sign} · srmap ${version}`,
      methodLine(explanation, context),
    ],
    warning: context.notes[0]?.headline,
  };
  return panel(content, themes[context.theme]);
}

/** The pictures of a signal's explanation that are wanted, by file name: curves. */
function curvesOf(explanation: RelevanceExplanation | Explanation, context: ExplanationContext): Map<string, Image> {
  const { colors, parts } = context;
  const theme = themes[context.theme];
  const pictures = new Map<string, Image>();
  const { input, relevance } = explanation;
  const curves = relevanceCurves(input, relevance, colors, theme);
  if ("salientRelevance" in explanation) {
    const map = explanation.salientRelevance;
    const salient = salientCurve(map, curves.signal.height, saliencyColors, theme);
    const overlaid = salientOverlay(input, relevance, map, saliencyColors, theme);
    if (parts.has("panel")) {
      const shown = { photo: curves.signal, signalSize: curves.size, relevance: curves.relevance, overlay: overlaid };
      pictures.set("panel.png", panelOf(explanation, context, { ...shown, salientRelevance: salient }));
    }
    if (parts.has("overlay")) pictures.set("overlay.png", overlaid);
    if (parts.has("maps")) pictures.set("salient-relevance.png", salient.image);
  }
  if (parts.has("maps")) pictures.set("relevance.png", curves.relevance.image);
  return pictures;
}

/** The pictures of an explanation that are wanted, by file name. */
function picturesOf(explanation: RelevanceExplanation | Explanation, context: ExplanationContext): Map<string, Image> {
  const { colors, parts } = context;
  const pictures = new Map<string, Image>();
  if (context.input.kind === "tensor" && isSignal(explanation.input.shape)) return curvesOf(explanation, context);
  const isSalient = "salientRelevance" in explanation;
  const hasPanel = parts.has("panel") && isSalient;
  const relevance = hasPanel || parts.has("maps") ? heatmap(explanation.relevance, colors) : undefined;
  if (isSalient) {
    const map = explanation.salientRelevance;
    const salientRelevance = hasPanel || parts.has("maps") ? heatmap(map, saliencyColors) : undefined;
    const laidOver =
      hasPanel || parts.has("overlay")
        ? overlay(context.picture, map, { colormap: saliencyColors.colormap })
        : undefined;
    if (hasPanel && relevance !== undefined && salientRelevance !== undefined && laidOver !== undefined) {
      pictures.set(
        "panel.png",
        panelOf(explanation, context, { photo: context.picture, relevance, salientRelevance, overlay: laidOver }),
      );
    }
    if (parts.has("overlay") && laidOver !== undefined) pictures.set("overlay.png", laidOver);
    if (parts.has("photo") && context.photo !== undefined && context.preprocessing !== undefined) {
      const fit = photoFit(context.photo, context.preprocessing, explanation.input.shape);
      pictures.set("photo-overlay.png", photoOverlay(context.photo, map, fit));
    }
    if (parts.has("maps") && salientRelevance !== undefined) {
      pictures.set("salient-relevance.png", salientRelevance.image);
    }
  }
  if (parts.has("maps") && relevance !== undefined) pictures.set("relevance.png", relevance.image);
  return pictures;
}

/** An explanation as files. */
export interface ExplanationFiles {
  /** By name, the report last. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly report: ExplanationReport;
}

/**
 * All files of an explanation that are wanted: the numbers as .npy, pictures of them, the panel and, last, the report, so that a
 * folder that has the report has everything.
 */
export function explanationFiles(
  explanation: RelevanceExplanation | Explanation,
  context: ExplanationContext,
): ExplanationFiles {
  const { heatQuality, parts } = context;
  const arrays = new Map<string, Tensor>([
    ["logits.npy", explanation.logits],
    ["relevance.npy", explanation.relevance],
  ]);
  if ("salientRelevance" in explanation) arrays.set("salient-relevance.npy", explanation.salientRelevance);
  const hasPictures = parts.has("panel") || parts.has("overlay") || parts.has("photo") || parts.has("maps");
  const pictures = hasPictures ? picturesOf(explanation, context) : new Map<string, Image>();
  if (explanation.layer !== undefined) {
    const { name, array, image } = layerFiles(explanation.layer, context);
    arrays.set(`${name}.npy`, array);
    if (image !== undefined && parts.has("maps")) pictures.set(`${name}.png`, image);
  }
  const files = new Map<string, Uint8Array>([...pictures].map(([name, image]) => [name, encodePng(image)]));
  if (heatQuality !== undefined && parts.has("maps")) {
    const [, height = 1, width = 1] = explanation.relevance.shape;
    files.set("heat.jpg", heatJpeg(heatImage(explanation.relevance), height, width, heatQuality));
  }
  if (parts.has("npy")) for (const [name, array] of arrays) files.set(name, writeNpy(array));
  const report = explanationReport(explanation, context, arrays, pictures, [...files.keys()]);
  files.set(reportName, new TextEncoder().encode(reportText(report)));
  return { files, report };
}

/** True for names of files that an explanation, of any settings, may have written. */
export function isExplanationFile(name: string): boolean {
  return /^(panel|overlay|photo-overlay|relevance|salient-relevance|relevance-at-.+)\.png$|^(logits|relevance|salient-relevance|relevance-at-.+)\.npy$|^heat\.jpg$|^explanation\.json$/.test(
    name,
  );
}
