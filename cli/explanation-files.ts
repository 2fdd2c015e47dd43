import type { Explanation } from "../engine/explain.ts";
import type { Image } from "../engine/image.ts";
import { writeNpy } from "../engine/npy.ts";
import { heatmap, overlay } from "../engine/render.ts";
import type { Tensor } from "../engine/tensor.ts";
import { version } from "../host/version.ts";
import { doubtHeadline } from "./doubt.ts";
import { sha256 } from "./hash.ts";
import { relevanceColors, saliencyColors } from "./outputs.ts";
import { panel } from "./panel.ts";
import type { InputFile, SourceFile } from "./photo-input.ts";
import { encodePng } from "./png.ts";

/** Where an explanation came from, for its report. */
export interface ExplanationContext {
  readonly weights: SourceFile;
  readonly input: InputFile;
  /** Said when the network merely guesses. */
  readonly note: string | undefined;
  /** What was asked for: "top1", a class id or name. */
  readonly requestedTarget: string;
  /** What the network saw, as a picture. */
  readonly picture: Image;
  /** Reading and preparing the photo. */
  readonly decodeMs: number;
}

function report(explanation: Explanation, context: ExplanationContext, arrays: ReadonlyMap<string, Tensor>): string {
  const { model, target, top, composite, ledger, timingsMs } = explanation;
  const { weights, input, note, requestedTarget, decodeMs } = context;
  const checksums = [...arrays].map(([name, { shape, data }]) => [
    name,
    { shape, type: "float32", sha256: sha256(data) },
  ]);
  return JSON.stringify(
    {
      srmap: version,
      model,
      weights,
      input,
      note,
      target: { requested: requestedTarget, ...target },
      top,
      composite,
      salientRelevance: explanation.salientRelevanceOptions,
      rendering: { relevance: relevanceColors, salientRelevance: saliencyColors },
      ledger,
      timingsMs: { decode: decodeMs, ...timingsMs },
      // Of the numbers as they lie behind the header of each .npy file.
      arrays: Object.fromEntries(checksums),
    },
    null,
    2,
  );
}

/**
 * All files of an explanation by name: the numbers as .npy, pictures of them, the panel and, last, the report explanation.json,
 * so that a folder that has the report has everything.
 */
export function explanationFiles(explanation: Explanation, context: ExplanationContext): Map<string, Uint8Array> {
  const { target, top, model, composite } = explanation;
  const arrays = new Map<string, Tensor>([
    ["logits.npy", explanation.logits],
    ["relevance.npy", explanation.relevance],
    ["salient-relevance.npy", explanation.salientRelevance],
  ]);
  const relevance = heatmap(explanation.relevance, relevanceColors);
  const salientRelevance = heatmap(explanation.salientRelevance, saliencyColors);
  const laidOver = overlay(context.picture, explanation.salientRelevance, { colormap: saliencyColors.colormap });
  const [first] = top;
  const isPrediction = first === undefined || first.index === target.index;
  const sheet = panel({
    photo: context.picture,
    relevance: { ...relevance, colormap: relevanceColors.colormap },
    salientRelevance: { ...salientRelevance, colormap: saliencyColors.colormap },
    overlay: laidOver,
    target,
    top,
    details: [
      isPrediction
        ? context.input.file
        : `${context.input.file} · explained as asked; the prediction is ${first.label}`,
      `${model} · composite ${composite.name} · features ${explanation.salientRelevanceOptions.feature} · srmap ${version}`,
      ...(context.note === undefined ? [] : [doubtHeadline]),
    ],
  });
  return new Map<string, Uint8Array>([
    ["panel.png", encodePng(sheet)],
    ["overlay.png", encodePng(laidOver)],
    ["salient-relevance.png", encodePng(salientRelevance.image)],
    ["relevance.png", encodePng(relevance.image)],
    ...[...arrays].map(([name, array]) => [name, writeNpy(array)] as const),
    ["explanation.json", new TextEncoder().encode(`${report(explanation, context, arrays)}\n`)],
  ]);
}
