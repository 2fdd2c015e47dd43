import { createImage, type Image } from "../../engine/picture/image.ts";
import { resizeAndCrop } from "../../engine/picture/resize.ts";
import { type Canvas, createCanvas, enlarge } from "./canvas.ts";
import { type ColoredMap, colorOfSign, describeShares, drawScale, type Shares, scaleHeight } from "./color-bar.ts";
import { type Font, loadFont } from "./font.ts";
import type { Theme } from "./theme.ts";

/** One way to explain the photo. */
export interface SheetColumn {
  readonly heading: string;
  /** Small lines below the heading. */
  readonly lines: readonly string[];
  readonly relevance: ColoredMap;
  /** How much of the relevance speaks for the target and against it. */
  readonly shares: Shares;
  readonly salientRelevance: ColoredMap;
}

/** A photo and its maps side by side. */
export interface SheetContent {
  readonly title: string;
  readonly details: readonly string[];
  readonly photo: Image;
  readonly columns: readonly SheetColumn[];
}

const margin = 40;
const gap = 28;
const lineHeight = 30;
/** Room for the line of shares below a relevance map's scale. */
const sharesLine = 26;
/** Columns are this wide at least, so that the names of composites fit. */
const minimumWidth = 288;
/** Tiles are enlarged by the whole factor that brings them nearest to this, when there are few columns. */
const tileGoal = 448;
const fewColumns = 4;
/** More columns go on in a next row of columns. */
const columnsPerBand = 6;

let font: Font | undefined;

/**
 * One picture: the photo at the left, a column for each way to explain it, with the relevance map above and the Salient Relevance
 * map below, each with its scale.
 */
export function sheet({ title, details, photo, columns }: SheetContent, theme: Theme): Image {
  font ??= loadFont();
  const pictures = [
    photo,
    ...columns.flatMap(({ relevance, salientRelevance }) => [relevance.image, salientRelevance.image]),
  ];
  const side = Math.max(...pictures.map(({ width, height }) => Math.max(width, height)));
  const factor = columns.length > fewColumns ? 1 : Math.max(1, Math.round(tileGoal / side));
  const tile = {
    width: factor * Math.max(...pictures.map(({ width }) => width)),
    height: factor * Math.max(...pictures.map(({ height }) => height)),
  };
  const pitch = Math.max(tile.width, minimumWidth) + gap;
  const lines = Math.max(0, ...columns.map((column) => column.lines.length));
  const headingHeight = 44 + lines * lineHeight;
  const bandHeight = headingHeight + 2 * (tile.height + scaleHeight) + sharesLine + gap;
  const bands = Math.max(1, Math.ceil(columns.length / columnsPerBand));
  const across = 1 + Math.min(columns.length, columnsPerBand);
  const headerHeight = 92 + details.length * 31;
  const width = 2 * margin + across * pitch - gap;
  const canvas = createCanvas(
    width,
    headerHeight + bands * bandHeight + (bands - 1) * gap * 2 + margin,
    theme.background,
    font,
  );
  canvas.text(title, margin, 66, { face: "title", color: theme.ink, maxWidth: width - 2 * margin });
  details.forEach((line, i) => {
    canvas.text(line, margin, 106 + i * 31, { face: "body", color: theme.quiet, maxWidth: width - 2 * margin });
  });
  const bandTop = (band: number): number => headerHeight + band * (bandHeight + 2 * gap);
  const top = bandTop(0) + headingHeight;
  const headingBaseline = 16 + lines * lineHeight;
  heading(canvas, theme, "Photo", [], margin, top - headingBaseline, pitch - gap);
  put(canvas, theme, smooth(photo, factor), margin, top, tile);
  if (columns[0] !== undefined) drawKey(canvas, theme, columns[0], margin, top + tile.height + gap, pitch - gap);
  columns.forEach((column, i) => {
    const left = margin + (1 + (i % columnsPerBand)) * pitch;
    const y = bandTop(Math.floor(i / columnsPerBand)) + headingHeight;
    heading(canvas, theme, column.heading, column.lines, left, y - headingBaseline, pitch - gap);
    // Speckle is the point of a relevance map: no smoothing.
    put(canvas, theme, enlarge(column.relevance.image, factor), left, y, tile);
    const under = y + tile.height;
    drawScale(canvas, theme, column.relevance, ["", ""], left, under, tile.width);
    canvas.text(describeShares(column.shares), left, under + scaleHeight + 18, {
      face: "body",
      color: theme.quiet,
      maxWidth: pitch - gap,
    });
    const lower = under + scaleHeight + sharesLine + gap;
    put(canvas, theme, smooth(column.salientRelevance.image, factor), left, lower, tile);
    drawScale(canvas, theme, column.salientRelevance, ["", ""], left, lower + tile.height, tile.width);
  });
  return canvas.image;
}

function smooth(picture: Image, factor: number): Image {
  if (factor === 1) return picture;
  const size = { width: picture.width * factor, height: picture.height * factor };
  return resizeAndCrop(picture, size.width, size.height, { left: 0, top: 0, ...size });
}

function heading(
  canvas: Canvas,
  { ink, quiet }: Theme,
  text: string,
  lines: readonly string[],
  left: number,
  baseline: number,
  maxWidth: number,
): void {
  canvas.text(text, left, baseline, { face: "strong", color: ink, maxWidth });
  lines.forEach((line, i) => {
    canvas.text(line, left, baseline + (i + 1) * lineHeight, { face: "body", color: quiet, maxWidth });
  });
}

function put(
  canvas: Canvas,
  { faint }: Theme,
  picture: Image,
  left: number,
  top: number,
  tile: { width: number; height: number },
): void {
  canvas.fill(left - 1, top - 1, tile.width + 2, tile.height + 2, faint);
  canvas.draw(picture, left, top);
}

/** What the colours mean, where the first column has room. */
function drawKey(
  canvas: Canvas,
  { ink, quiet }: Theme,
  { relevance, salientRelevance }: SheetColumn,
  left: number,
  top: number,
  width: number,
): void {
  const rows = [
    { heading: "Above: relevance" },
    { color: colorOfSign(relevance.colormap, true), text: "speaks for the class" },
    { color: colorOfSign(relevance.colormap, false), text: "speaks against it" },
    { heading: "Below: Salient Relevance" },
    { color: colorOfSign(salientRelevance.colormap, true), text: "bright: stands out" },
    { text: "Each map is scaled to itself." },
  ] as const;
  let y = top + 24;
  for (const row of rows) {
    if ("heading" in row) canvas.text(row.heading, left, y, { face: "strong", color: ink, maxWidth: width });
    else {
      const indent = "color" in row ? 28 : 0;
      if ("color" in row) canvas.draw(createImage(18, 18, row.color), left, y - 16);
      canvas.text(row.text, left + indent, y, { face: "body", color: quiet, maxWidth: width - indent });
    }
    y += 32;
  }
}
