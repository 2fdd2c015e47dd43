import type { Image } from "../../engine/picture/image.ts";
import type { Box } from "../../evaluation/index.ts";

const [dark, green] = [
  [0, 0, 0],
  [80, 255, 120],
];

/** A picture with the outlines of boxes on it, green inside a dark line. */
export function withBoxes(picture: Image, boxes: readonly Box[]): Image {
  const { width, height } = picture;
  const data = picture.data.slice();
  const paint = (x: number, y: number, color: readonly number[]): void => {
    if (x >= 0 && x < width && y >= 0 && y < height) data.set(color, 4 * (y * width + x));
  };
  for (const box of boxes) {
    const [x0, y0] = [Math.floor(box.left), Math.floor(box.top)];
    const [x1, y1] = [Math.ceil(box.left + box.width) - 1, Math.ceil(box.top + box.height) - 1];
    for (const [inset, color] of [dark, green, green].entries()) {
      for (let x = x0 + inset; x <= x1 - inset; x++) {
        paint(x, y0 + inset, color);
        paint(x, y1 - inset, color);
      }
      for (let y = y0 + inset; y <= y1 - inset; y++) {
        paint(x0 + inset, y, color);
        paint(x1 - inset, y, color);
      }
    }
  }
  return { width, height, data };
}
