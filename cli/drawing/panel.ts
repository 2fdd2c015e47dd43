import { colormap } from "../../engine/picture/colormap.ts";
import type { Image } from "../../engine/picture/image.ts";
import { resizeAndCrop } from "../../engine/picture/resize.ts";
import { type Canvas, createCanvas, enlarge } from "./canvas.ts";
import { type ColoredMap, drawScale, drawShares, type Shares, scaleHeight, sharesHeight } from "./color-bar.ts";
import { type Font, loadFont, wrapText } from "./font.ts";
import { type Confidence, formatConfidence, formatShare } from "./format.ts";
import type { Theme } from "./theme.ts";

/** A class, its score, and how likely the network finds it, 0 to 1; undefined where the score says no likelihood. */
export interface PanelClass extends Confidence {
  readonly label: string;
}

/** What a panel shows. All pictures have the size of the network's input; those of signals are curves (see curve.ts). */
export interface PanelContent {
  readonly photo: Image;
  /** Of signals: what is drawn of them, said below the first picture. */
  readonly signalSize?: string;
  readonly relevance: ColoredMap;
  /** How much of the relevance speaks for the target and against it. */
  readonly shares: Shares;
  /** Share of the pixels whose relevance the colours tell apart. */
  readonly clipQuantile: number;
  readonly salientRelevance: ColoredMap;
  readonly overlay: Image;
  /** The class that is explained. */
  readonly target: PanelClass;
  /** The likeliest classes, likeliest first; up to five are shown. */
  readonly top: readonly PanelClass[];
  /** Small lines below the title: file, network, method. */
  readonly details: readonly string[];
  /** What must not be missed: one line, or none. */
  readonly warning: string | undefined;
}

const margin = 40;
const gap = 28;
/** Tiles are enlarged by the whole factor that brings them nearest to this. */
const tileGoal = 448;
const lineHeight = 31;
const rowHeight = 33;
const headingHeight = 50;
const noteHeight = 28;

let font: Font | undefined;

/**
 * One picture that tells the whole explanation: the prediction on top; below it, two by two, the photo, the relevance map, the SR map
 * and the SR map over the photo, with their scales. Two by two, so that text can still be read where the panel is 400 pixels wide.
 */
export function panel(content: PanelContent, theme: Theme): Image {
  font ??= loadFont();
  const { width, height } = content.photo;
  const factor = Math.max(1, Math.round(tileGoal / Math.max(width, height)));
  const tile = { width: width * factor, height: height * factor };
  // Never narrower than the header needs, for networks with small inputs.
  const inner = Math.max(2 * tile.width + gap, 2 * tileGoal + gap);
  const { body } = font.faces;
  const details = content.details.flatMap((line) => wrapText(body, line, inner));
  const warning = content.warning === undefined ? [] : wrapText(font.faces.strong, content.warning, inner);
  const shown = content.top.slice(0, 5);
  const headerHeight = 96 + (details.length + warning.length) * lineHeight + shown.length * rowHeight + 20;
  const legendHeight = scaleHeight + noteHeight + sharesHeight;
  const rowPitch = headingHeight + tile.height + legendHeight + 14;
  // The lower row has no shares below it.
  const canvasHeight = headerHeight + 2 * rowPitch - sharesHeight + 10;
  const canvas = createCanvas(inner + 2 * margin, canvasHeight, theme.background, font);
  drawTitle(canvas, content, theme);
  const lines = [
    ...details.map((text) => ({ text, face: "body", color: theme.quiet }) as const),
    ...warning.map((text) => ({ text, face: "strong", color: theme.warning }) as const),
  ];
  lines.forEach(({ text, ...style }, i) => {
    canvas.text(text, margin, 112 + i * lineHeight, { ...style, maxWidth: inner });
  });
  drawClasses(canvas, content, shown, 112 + lines.length * lineHeight + 14, theme);

  const column = (i: number): number => margin + i * (tile.width + gap);
  const row = (i: number): number => headerHeight + i * rowPitch + headingHeight;
  const smooth = (image: Image): Image => resizeAndCrop(image, tile.width, tile.height, { left: 0, top: 0, ...tile });
  const put = (heading: string, picture: Image, across: number, down: number): void => {
    canvas.text(heading, column(across), row(down) - 16, { face: "strong", color: theme.ink, maxWidth: tile.width });
    canvas.fill(column(across) - 1, row(down) - 1, tile.width + 2, tile.height + 2, theme.faint);
    canvas.draw(picture, column(across), row(down));
  };
  const note = (text: string, across: number, y: number): void => {
    canvas.text(text, column(across), y, { face: "body", color: theme.quiet, maxWidth: tile.width });
  };
  const what = inputWord(content);
  put(`The ${what}, as the network sees it`, smooth(content.photo), 0, 0);
  note(content.signalSize ?? `${width} x ${height} pixels`, 0, row(0) + tile.height + 34);
  // Speckle is the point of this map: no smoothing.
  put("Relevance", enlarge(content.relevance.image, factor), 1, 0);
  drawRelevanceLegend(canvas, content, theme, column(1), row(0) + tile.height, tile.width);
  put("Salient Relevance", smooth(content.salientRelevance.image), 0, 1);
  const under = row(1) + tile.height;
  drawScale(canvas, theme, content.salientRelevance, ["ordinary", "stands out"], column(0), under, tile.width);
  note(scaledNote(what, 1), 0, under + scaleHeight + 20);
  put(`Salient Relevance on the ${what}`, smooth(content.overlay), 1, 1);
  note("bright and warm: stands out", 1, under + 34);
  return canvas.image;
}

const inputWord = ({ signalSize }: PanelContent): string => (signalSize === undefined ? "photo" : "signal");

/** Maps of two photos cannot be compared by their colours. */
function scaledNote(what: string, clipQuantile: number): string {
  const clipped = clipQuantile === 1 ? "" : `; top ${formatShare(1 - clipQuantile)} alike`;
  return `scaled to this ${what}${clipped}`;
}

function drawRelevanceLegend(
  canvas: Canvas,
  content: PanelContent,
  theme: Theme,
  x: number,
  y: number,
  width: number,
): void {
  const { relevance, shares, clipQuantile } = content;
  const isSigned = colormap(relevance.colormap).kind === "diverging" && relevance.low < 0;
  drawScale(canvas, theme, relevance, isSigned ? ["against", "for"] : ["", ""], x, y, width);
  const scaled = scaledNote(inputWord(content), clipQuantile);
  canvas.text(scaled, x, y + scaleHeight + 20, { face: "body", color: theme.quiet, maxWidth: width });
  drawShares(canvas, theme, shares, relevance.colormap, x, y + scaleHeight + noteHeight, width);
}

function drawTitle(canvas: Canvas, { target }: PanelContent, { ink, accent }: Theme): void {
  const share = formatConfidence(target);
  const room = canvas.image.width - 2 * margin - 22 - share.length * 24;
  const used = canvas.text(target.label, margin, 70, { face: "title", color: ink, maxWidth: room });
  canvas.text(share, margin + used + 22, 70, { face: "title", color: accent });
}

/** The likeliest classes as bars. */
function drawClasses(
  canvas: Canvas,
  { target }: PanelContent,
  shown: readonly PanelClass[],
  top: number,
  { ink, quiet, faint, accent }: Theme,
): void {
  const labelWidth = 380;
  const shareWidth = 120;
  const right = canvas.image.width - margin;
  const barWidth = right - shareWidth - margin - labelWidth;
  shown.forEach((entry, i) => {
    const { label, probability } = entry;
    const baseline = top + i * rowHeight;
    const isTarget = label === target.label;
    const style = { face: isTarget ? "strong" : "body", color: isTarget ? ink : quiet } as const;
    canvas.text(label, margin, baseline, { ...style, maxWidth: labelWidth - 16 });
    if (probability !== undefined) {
      canvas.fill(margin + labelWidth, baseline - 16, barWidth, 18, faint);
      const length = Math.round(barWidth * probability);
      canvas.fill(margin + labelWidth, baseline - 16, length, 18, isTarget ? accent : quiet);
    }
    canvas.text(formatConfidence(entry), right, baseline, { ...style, align: "right" });
  });
}
