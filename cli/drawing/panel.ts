import { colormap } from "../../engine/picture/colormap.ts";
import type { Heatmap } from "../../engine/picture/heatmap.ts";
import { createImage, type Image } from "../../engine/picture/image.ts";
import { resizeAndCrop } from "../../engine/picture/resize.ts";
import { type Canvas, type Color, createCanvas, enlarge } from "./canvas.ts";
import { type Font, loadFont } from "./font.ts";

/** A class, its score, and how likely the network finds it, 0 to 1; undefined where the score says no likelihood. */
export interface PanelClass {
  readonly label: string;
  readonly logit: number;
  readonly probability: number | undefined;
}

/** A rendered map and the colour map it was rendered with. */
export interface PanelMap extends Heatmap {
  readonly colormap: string;
}

/** What a panel shows. All pictures have the size of the network's input. */
export interface PanelContent {
  readonly photo: Image;
  readonly relevance: PanelMap;
  readonly salientRelevance: PanelMap;
  readonly overlay: Image;
  /** The class that is explained. */
  readonly target: PanelClass;
  /** The likeliest classes, likeliest first; up to five are shown. */
  readonly top: readonly PanelClass[];
  /** Small line below the title: file, network, composite. */
  readonly details: readonly string[];
}

const background: Color = [255, 255, 255];
const ink: Color = [24, 27, 33];
const quiet: Color = [104, 111, 123];
const faint: Color = [228, 231, 236];
const accent: Color = [217, 72, 15];

const margin = 40;
const gap = 28;
/** Tiles are enlarged by the whole factor that brings them nearest to this. */
const tileGoal = 448;
const headerHeight = 196;
const headingHeight = 44;
const footerHeight = 88;
const rowHeight = 33;

let font: Font | undefined;

/** `61.3 %`; shares too small for a place after the point are told apart from nothing. */
export function formatShare(probability: number): string {
  const percent = probability * 100;
  if (percent > 0 && percent < 0.05) return "< 0.1 %";
  return `${percent.toFixed(1)} %`;
}

/** How sure the network is: `61.3 %`, or `score 2.31` where its only output is no probability. */
export function formatConfidence({ probability, logit }: Omit<PanelClass, "label">): string {
  return probability === undefined ? `score ${formatValue(logit)}` : formatShare(probability);
}

/** Three significant digits, with a real minus sign. */
function formatValue(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 0.001 && size < 10000 ? Number(size.toPrecision(3)).toString() : size.toExponential(1);
  return value < 0 ? `−${text}` : text;
}

/**
 * One picture that tells the whole explanation: the prediction on top; below it the photo, the relevance map, the SR map and the
 * SR map over the photo, with colour bars.
 */
export function panel(content: PanelContent): Image {
  font ??= loadFont();
  const { width, height } = content.photo;
  const factor = Math.max(1, Math.round(tileGoal / Math.max(width, height)));
  const tile = { width: width * factor, height: height * factor };
  const canvas = createCanvas(
    // Never narrower than the header needs, for networks with small inputs.
    Math.max(4 * tile.width + 3 * gap, 1200) + 2 * margin,
    headerHeight + headingHeight + tile.height + footerHeight,
    background,
    font,
  );
  drawHeader(canvas, content);
  const top = headerHeight + headingHeight;
  const column = (i: number): number => margin + i * (tile.width + gap);
  const smooth = (image: Image): Image => resizeAndCrop(image, tile.width, tile.height, { left: 0, top: 0, ...tile });
  const tiles: readonly (readonly [heading: string, picture: Image])[] = [
    ["Photo as the network sees it", smooth(content.photo)],
    // Speckle is the point of this map: no smoothing.
    ["Relevance", enlarge(content.relevance.image, factor)],
    ["Salient Relevance", smooth(content.salientRelevance.image)],
    ["Salient Relevance on the photo", smooth(content.overlay)],
  ];
  tiles.forEach(([heading, picture], i) => {
    const left = column(i);
    canvas.text(heading, left, top - 16, { face: "strong", color: ink, maxWidth: tile.width });
    canvas.fill(left - 1, top - 1, tile.width + 2, tile.height + 2, faint);
    canvas.draw(picture, left, top);
  });
  drawBar(canvas, content.relevance, column(1), top + tile.height, tile.width);
  drawBar(canvas, content.salientRelevance, column(2), top + tile.height, tile.width);
  return canvas.image;
}

function drawHeader(canvas: Canvas, { target, top, details }: PanelContent): void {
  const shown = top.slice(0, 5);
  const barWidth = 180;
  const labelWidth = 330;
  const shareWidth = 110;
  const right = canvas.image.width - margin;
  const left = right - labelWidth - barWidth - shareWidth;
  const titleWidth = left - margin - gap;
  const share = formatConfidence(target);
  const shareLength = 40 + share.length * 24;
  const used = canvas.text(target.label, margin, 74, { face: "title", color: ink, maxWidth: titleWidth - shareLength });
  canvas.text(share, margin + used + 22, 74, { face: "title", color: accent });
  details.forEach((line, i) => {
    canvas.text(line, margin, 116 + i * 31, { face: "body", color: quiet, maxWidth: titleWidth });
  });
  shown.forEach((entry, i) => {
    const { label, probability } = entry;
    const baseline = 46 + i * rowHeight;
    const isTarget = label === target.label;
    const face = isTarget ? "strong" : "body";
    canvas.text(label, left + labelWidth - 16, baseline, {
      face,
      color: isTarget ? ink : quiet,
      align: "right",
      maxWidth: labelWidth - 16,
    });
    if (probability !== undefined) {
      canvas.fill(left + labelWidth, baseline - 16, barWidth, 18, faint);
      canvas.fill(left + labelWidth, baseline - 16, Math.round(barWidth * probability), 18, isTarget ? accent : quiet);
    }
    canvas.text(formatConfidence(entry), right, baseline, { face, color: isTarget ? ink : quiet, align: "right" });
  });
}

/** The colours from low to high, with the values at the ends and 0 where it is the middle. */
function drawBar(canvas: Canvas, map: PanelMap, x: number, y: number, width: number): void {
  const { colors } = colormap(map.colormap);
  const bar = createImage(width, 14);
  for (let i = 0; i < width; i++) {
    const index = Math.round((255 * i) / Math.max(1, width - 1)) * 3;
    for (let row = 0; row < bar.height; row++) bar.data.set(colors.subarray(index, index + 3), (row * width + i) * 4);
  }
  const top = y + 16;
  canvas.fill(x - 1, top - 1, width + 2, bar.height + 2, faint);
  canvas.draw(bar, x, top);
  const baseline = top + bar.height + 27;
  const style = { face: "body", color: quiet } as const;
  // A low end that is next to nothing beside the high one would only print noise.
  const low = Math.abs(map.low) < 0.001 * Math.abs(map.high) ? 0 : map.low;
  canvas.text(formatValue(low), x, baseline, style);
  if (low === -map.high && low !== 0) canvas.text("0", x + width / 2, baseline, { ...style, align: "center" });
  canvas.text(formatValue(map.high), x + width, baseline, { ...style, align: "right" });
}
