import type { Image } from "../../engine/picture/image.ts";
import { type FaceName, type Font, fitText, measureText, plotText } from "./font.ts";

/** Red, green, blue. */
export type Color = readonly [red: number, green: number, blue: number];

/** How a line of text is set. */
export interface TextStyle {
  readonly face: FaceName;
  readonly color: Color;
  /** Where (x, y) lies on the text. Default "left". */
  readonly align?: "left" | "center" | "right";
  /** Longer texts are cut and end in an ellipsis. */
  readonly maxWidth?: number;
}

/** A picture to draw on: filled rectangles, pictures, text. */
export interface Canvas {
  readonly image: Image;
  fill(x: number, y: number, width: number, height: number, color: Color): void;
  draw(picture: Image, x: number, y: number): void;
  /** Sets text with its baseline at y; returns its width. */
  text(text: string, x: number, y: number, style: TextStyle): number;
}

/** An opaque pixel as one number of 32 bits, in this machine's order of bytes. */
export function pixelAsWord([red, green, blue]: Color): number {
  return new Uint32Array(new Uint8Array([red, green, blue, 255]).buffer)[0]!;
}

/** A canvas of one colour. What falls outside it is not drawn. */
export function createCanvas(width: number, height: number, background: Color, font: Font): Canvas {
  const words = new Uint32Array(width * height).fill(pixelAsWord(background));
  const data = new Uint8Array(words.buffer);
  const image: Image = { width, height, data };
  const put = (x: number, y: number, [red, green, blue]: Color, opacity: number): void => {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const i = (y * width + x) * 4;
    const mix = (below: number, above: number): number =>
      Math.trunc((below * (255 - opacity) + above * opacity + 127) / 255);
    data[i] = mix(data[i]!, red);
    data[i + 1] = mix(data[i + 1]!, green);
    data[i + 2] = mix(data[i + 2]!, blue);
  };
  return {
    image,
    fill(x, y, w, h, color) {
      const [left, right] = [Math.max(0, x), Math.min(width, x + w)];
      if (left >= right) return;
      const pixel = pixelAsWord(color);
      for (let row = Math.max(0, y); row < Math.min(height, y + h); row++) {
        words.fill(pixel, row * width + left, row * width + right);
      }
    },
    draw(picture, x, y) {
      for (let row = 0; row < picture.height; row++) {
        const from = row * picture.width * 4;
        data.set(picture.data.subarray(from, from + picture.width * 4), ((y + row) * width + x) * 4);
      }
    },
    text(text, x, y, { face: name, color, align = "left", maxWidth }) {
      const face = font.faces[name];
      const shown = maxWidth === undefined ? text : fitText(face, text, maxWidth);
      const length = measureText(face, shown);
      const start = align === "left" ? x : align === "right" ? x - length : x - length / 2;
      plotText(font, face, shown, Math.round(start), y, (px, py, opacity) => put(px, py, color, opacity));
      return length;
    },
  };
}

/** Enlarges a picture by a whole factor, every pixel becoming a square. */
export function enlarge(picture: Image, factor: number): Image {
  const width = picture.width * factor;
  const height = picture.height * factor;
  // A copy, since a picture may begin anywhere in its memory and words may not.
  const from = new Uint32Array(picture.data.slice().buffer);
  const to = new Uint32Array(width * height);
  for (let y = 0; y < picture.height; y++) {
    const row = y * factor * width;
    for (let x = 0; x < picture.width; x++) {
      to.fill(from[y * picture.width + x]!, row + x * factor, row + (x + 1) * factor);
    }
    for (let copy = 1; copy < factor; copy++) to.copyWithin(row + copy * width, row, row + width);
  }
  return { width, height, data: new Uint8Array(to.buffer) };
}
