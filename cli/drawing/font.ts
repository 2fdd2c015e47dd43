import { readFileSync } from "node:fs";
import { PNG } from "pngjs";
import { FormatError } from "../../engine/basics/errors.ts";

/** Where a glyph lies in the sheet, and where it goes relative to the pen on the baseline (y down), in pixels. */
export interface Glyph {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly advance: number;
}

/** One size and weight of the font. */
export interface Face {
  readonly size: number;
  readonly glyphs: ReadonlyMap<string, Glyph>;
}

/** body: 22 pixels; strong: 22 pixels, semi-bold; title: 40 pixels, semi-bold. */
export type FaceName = "body" | "strong" | "title";

/** Pre-rendered anti-aliased glyphs, so that the panel needs no font of the machine and has the same bytes everywhere. */
export interface Font {
  /** Opacity, 0 to 255, row by row. */
  readonly opacity: Uint8Array;
  readonly sheetWidth: number;
  readonly faces: Record<FaceName, Face>;
}

type GlyphNumbers = [x: number, y: number, width: number, height: number, left: number, top: number, advance: number];

interface FontFile {
  faces: Record<string, { size: number; glyphs: Record<string, GlyphNumbers> }>;
}

/** Reads the font that lies beside this package's sources (cli/font, made by make.py there). */
export function loadFont(): Font {
  const folder = new URL("../../../cli/font/", import.meta.url);
  const sheet = PNG.sync.read(readFileSync(new URL("inter.png", folder)));
  const file = JSON.parse(readFileSync(new URL("inter.json", folder), "utf8")) as FontFile;
  const face = (name: FaceName): Face => {
    const found = file.faces[name];
    if (found === undefined) throw new FormatError(`font: inter.json must have the face "${name}". Reinstall srmap.`);
    const glyphs = Object.entries(found.glyphs).map(
      ([character, [x, y, width, height, left, top, advance]]) =>
        [character, { x, y, width, height, left, top, advance }] as const,
    );
    return { size: found.size, glyphs: new Map(glyphs) };
  };
  return {
    opacity: sheet.data.filter((_, i) => i % 4 === 0),
    sheetWidth: sheet.width,
    faces: { body: face("body"), strong: face("strong"), title: face("title") },
  };
}

/** The glyph of a character, or the question mark's where the font has none. */
function glyphOf(face: Face, character: string): Glyph | undefined {
  return face.glyphs.get(character) ?? face.glyphs.get("?");
}

/** Width of a line of text in pixels. */
export function measureText(face: Face, text: string): number {
  let width = 0;
  for (const character of text) width += glyphOf(face, character)?.advance ?? 0;
  return width;
}

/** The text, or as much of its beginning as fits into `width` pixels with an ellipsis. */
export function fitText(face: Face, text: string, width: number): string {
  if (measureText(face, text) <= width) return text;
  const characters = Array.from(text);
  while (characters.length > 0 && measureText(face, `${characters.join("")}…`) > width) characters.pop();
  return `${characters.join("").trimEnd()}…`;
}

/** The text in lines of at most `width` pixels, broken at blanks; a word that is longer than a line is left whole. */
export function wrapText(face: Face, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && measureText(face, longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** Calls `plot` with every pixel that a line of text covers. (x, y) is the pen's start on the baseline. */
export function plotText(
  font: Font,
  face: Face,
  text: string,
  x: number,
  y: number,
  plot: (x: number, y: number, opacity: number) => void,
): void {
  let pen = x;
  for (const character of text) {
    const glyph = glyphOf(face, character);
    if (glyph === undefined) continue;
    const left = Math.round(pen) + glyph.left;
    for (let row = 0; row < glyph.height; row++) {
      const from = (glyph.y + row) * font.sheetWidth + glyph.x;
      for (let column = 0; column < glyph.width; column++) {
        const opacity = font.opacity[from + column]!;
        if (opacity > 0) plot(left + column, y + glyph.top + row, opacity);
      }
    }
    pen += glyph.advance;
  }
}
