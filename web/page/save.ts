import { overlay } from "../../engine/picture/heatmap.ts";
import { writeNpy } from "../../weights-loader/numpy/npy.ts";
import type { ExplainedPhoto } from "../../workers/explainer/messages.ts";
import { drawImage } from "../pictures/image-data.ts";
import { scoreText } from "./classes.tsx";
import { relevanceHeatmap, shown } from "./pictures.ts";

/** Offers a file for download. @returns a sentence that says so */
export function offer(blob: Blob, name: string): string {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return `Saved as ${name}.`;
}

/** The Salient Relevance map or the relevance as a NumPy file, with the bytes of the command line. */
export function saveArray(explained: ExplainedPhoto, which: "relevance" | "salientRelevance", name: string): string {
  return offer(
    new Blob([writeNpy(explained[which]).slice()]),
    `${name}-${which === "relevance" ? "relevance" : "salient-relevance"}.npy`,
  );
}

/** Classes, settings and ledger as JSON. */
export function saveJson(explained: ExplainedPhoto, name: string): string {
  const { model, target, targetKind, targetDescription, top, ledger, composite, salientRelevanceOptions, decodedBy } =
    explained;
  const report = {
    model,
    target,
    targetKind,
    targetDescription,
    top,
    composite: composite.name,
    salientRelevanceOptions,
    decodedBy,
    ledger,
  };
  return offer(
    new Blob([`${JSON.stringify(report, null, 2)}\n`], { type: "application/json" }),
    `${name}-explanation.json`,
  );
}

const side = 336;
const gap = 16;

/** Photo, relevance, Salient Relevance and overlay side by side, as one PNG. */
export async function savePanel(explained: ExplainedPhoto, name: string): Promise<string> {
  const images = [
    explained.picture,
    relevanceHeatmap(explained, false).image,
    shown(explained, "salient").image,
    explained.picture && overlay(explained.picture, explained.salientRelevance),
  ];
  const captions = ["what the network saw", "relevance", "Salient Relevance", "over the photo"];
  const canvas = new OffscreenCanvas(4 * side + 5 * gap, side + 108);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("panel: this browser gives no 2-D canvas.");
  context.fillStyle = "#faf9f7";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "#1c1c1e";
  context.font = "600 22px system-ui, sans-serif";
  context.fillText(
    `${explained.targetDescription} · ${scoreText(explained.target.probability, explained.target.logit)}`,
    gap,
    38,
  );
  context.font = "14px system-ui, sans-serif";
  context.fillText(
    `${explained.model} · ${explained.composite.name} · red for, blue against; every map is scaled to this photo`,
    gap,
    60,
  );
  for (const [i, image] of images.entries()) {
    if (image === undefined) continue;
    const part = new OffscreenCanvas(image.width, image.height);
    drawImage(part, image);
    const x = gap + i * (side + gap);
    context.drawImage(part, x, 74, side, side);
    context.fillText(captions[i] ?? "", x, 74 + side + 22);
  }
  return offer(await canvas.convertToBlob({ type: "image/png" }), `${name}-panel.png`);
}
