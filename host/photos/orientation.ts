import type { Image } from "../../engine/picture/image.ts";

/**
 * The orientation tag (0x0112, 1 to 8) of an EXIF block, or 1 (upright) where there is none or the block is broken: a
 * damaged note about a photo does not make the photo unreadable.
 * @param tiff the block from its TIFF header ("II*" or "MM*") on
 */
export function exifOrientation(tiff: Uint8Array): number {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 8) return 1;
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const isLittleEndian = order === 0x4949;
  if (view.getUint16(2, isLittleEndian) !== 42) return 1;
  const directory = view.getUint32(4, isLittleEndian);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, isLittleEndian);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > tiff.length) return 1;
    const isOrientation = view.getUint16(entry, isLittleEndian) === 0x0112;
    const isShort = view.getUint16(entry + 2, isLittleEndian) === 3;
    if (!isOrientation || !isShort) continue;
    const value = view.getUint16(entry + 8, isLittleEndian);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

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
