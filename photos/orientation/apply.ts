import type { Image } from "../../engine/picture/image.ts";

/** Turns a picture upright. `orientation` as EXIF counts it: 1 upright, 3 half turn, 6 and 8 quarter turns, others mirrored. */
export function applyOrientation(image: Image, orientation: number): Image {
  if (orientation === 1) return image;
  const { width: w, height: h } = image;
  // Where output pixel (x,y) comes from: first pixel, and steps in pixels per x and per y.
  const steps: Record<number, readonly [start: number, perX: number, perY: number]> = {
    2: [w - 1, -1, w],
    3: [w * h - 1, -1, -w],
    4: [w * (h - 1), 1, -w],
    5: [0, w, 1],
    6: [w * (h - 1), -w, 1],
    7: [w * h - 1, -w, -1],
    8: [w - 1, w, -1],
  };
  const [start, perX, perY] = steps[orientation] ?? [0, 1, w];
  const isTurned = orientation >= 5;
  const width = isTurned ? h : w;
  const height = isTurned ? w : h;
  const data = new Uint8Array(image.data.length);
  let to = 0;
  for (let y = 0; y < height; y++) {
    let from = (start + y * perY) * 4;
    for (let x = 0; x < width; x++) {
      data[to] = image.data[from]!;
      data[to + 1] = image.data[from + 1]!;
      data[to + 2] = image.data[from + 2]!;
      data[to + 3] = image.data[from + 3]!;
      to += 4;
      from += perX * 4;
    }
  }
  return { width, height, data };
}
