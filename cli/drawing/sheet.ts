import { createImage, type Image } from "../../engine/picture/image.ts";
import { resizeAndCrop } from "../../engine/picture/resize.ts";
import { type Canvas, type Color, createCanvas, enlarge } from "./canvas.ts";
import { type Font, loadFont } from "./font.ts";

/** One way to explain the photo. */
export interface SheetColumn {
  readonly heading: string;
  /** Small lines below the heading. */
  readonly lines: readonly string[];
  readonly relevance: Image;
  readonly salientRelevance: Image;
}

/** A photo and its maps side by side. */
export interface SheetContent {
  readonly title: string;
  readonly details: readonly string[];
  readonly photo: Image;
  readonly columns: readonly SheetColumn[];
}

const background: Color = [255, 255, 255];
const ink: Color = [24, 27, 33];
const quiet: Color = [104, 111, 123];
const faint: Color = [228, 231, 236];

const margin = 40;
const gap = 28;
const lineHeight = 30;
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
 * map below.
 */
export function sheet({ title, details, photo, columns }: SheetContent): Image {
  font ??= loadFont();
  const pictures = [photo, ...columns.flatMap(({ relevance, salientRelevance }) => [relevance, salientRelevance])];
  const side = Math.max(...pictures.map(({ width, height }) => Math.max(width, height)));
  const factor = columns.length > fewColumns ? 1 : Math.max(1, Math.round(tileGoal / side));
  const tile = {
    width: factor * Math.max(...pictures.map(({ width }) => width)),
    height: factor * Math.max(...pictures.map(({ height }) => height)),
  };
  const pitch = Math.max(tile.width, minimumWidth) + gap;
  const lines = Math.max(0, ...columns.map((column) => column.lines.length));
  const headingHeight = 44 + lines * lineHeight;
  const bandHeight = headingHeight + 2 * tile.height + gap;
  const bands = Math.max(1, Math.ceil(columns.length / columnsPerBand));
  const across = 1 + Math.min(columns.length, columnsPerBand);
  const headerHeight = 92 + details.length * 31;
  const width = 2 * margin + across * pitch - gap;
  const canvas = createCanvas(
    width,
    headerHeight + bands * bandHeight + (bands - 1) * gap * 2 + margin,
    background,
    font,
  );
  canvas.text(title, margin, 66, { face: "title", color: ink, maxWidth: width - 2 * margin });
  details.forEach((line, i) => {
    canvas.text(line, margin, 106 + i * 31, { face: "body", color: quiet, maxWidth: width - 2 * margin });
  });
  const bandTop = (band: number): number => headerHeight + band * (bandHeight + 2 * gap);
  const top = bandTop(0) + headingHeight;
  const headingBaseline = 16 + lines * lineHeight;
  heading(canvas, "Photo", [], margin, top - headingBaseline, pitch - gap);
  put(canvas, smooth(photo, factor), margin, top, tile);
  drawKey(canvas, margin, top + tile.height + gap, pitch - gap);
  columns.forEach((column, i) => {
    const left = margin + (1 + (i % columnsPerBand)) * pitch;
    const y = bandTop(Math.floor(i / columnsPerBand)) + headingHeight;
    heading(canvas, column.heading, column.lines, left, y - headingBaseline, pitch - gap);
    // Speckle is the point of a relevance map: no smoothing.
    put(canvas, enlarge(column.relevance, factor), left, y, tile);
    put(canvas, smooth(column.salientRelevance, factor), left, y + tile.height + gap, tile);
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

function put(canvas: Canvas, picture: Image, left: number, top: number, tile: { width: number; height: number }): void {
  canvas.fill(left - 1, top - 1, tile.width + 2, tile.height + 2, faint);
  canvas.draw(picture, left, top);
}

/** What the colours mean, where the first column has room. */
function drawKey(canvas: Canvas, left: number, top: number, width: number): void {
  const rows = [
    { color: [255, 0, 0], text: "red: speaks for the class" },
    { color: [0, 0, 255], text: "blue: speaks against it" },
    { color: [252, 165, 10], text: "bright: stands out" },
  ] as const satisfies readonly { color: Color; text: string }[];
  const headings = ["Above: relevance", "Below: Salient Relevance"];
  canvas.text(headings[0] ?? "", left, top + 24, { face: "strong", color: ink, maxWidth: width });
  rows.forEach(({ color, text }, i) => {
    const y = top + 58 + i * 32 + (i === 2 ? 48 : 0);
    const swatch = createImage(18, 18, color);
    canvas.draw(swatch, left, y - 16);
    canvas.text(text, left + 28, y, { face: "body", color: quiet, maxWidth: width - 28 });
  });
  canvas.text(headings[1] ?? "", left, top + 136, { face: "strong", color: ink, maxWidth: width });
}
