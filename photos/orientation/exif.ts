import { asciiText } from "../bytes.ts";

// Bytes and reading of the number types of TIFF that an orientation is found in: SHORT by the standard; LONG, BYTE and the
// signed ones by programs that do not care.
const readers: Record<number, (view: DataView, at: number, isLittleEndian: boolean) => number> = {
  1: (view, at) => view.getUint8(at),
  3: (view, at, isLittleEndian) => view.getUint16(at, isLittleEndian),
  4: (view, at, isLittleEndian) => view.getUint32(at, isLittleEndian),
  6: (view, at) => view.getInt8(at),
  8: (view, at, isLittleEndian) => view.getInt16(at, isLittleEndian),
  9: (view, at, isLittleEndian) => view.getInt32(at, isLittleEndian),
};

/**
 * The orientation tag (0x0112) of an EXIF block, 1 to 8 (1 for any other value), or undefined where there is none or the block
 * is broken: a damaged note about a photo does not make the photo unreadable.
 * @param tiff the block from its TIFF header ("II*" or "MM*") on
 */
export function exifOrientation(tiff: Uint8Array): number | undefined {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 8) return undefined;
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return undefined;
  const isLittleEndian = order === 0x4949;
  if (view.getUint16(2, isLittleEndian) !== 42) return undefined;
  const directory = view.getUint32(4, isLittleEndian);
  if (directory + 2 > tiff.length) return undefined;
  const entries = view.getUint16(directory, isLittleEndian);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > tiff.length) break;
    if (view.getUint16(entry, isLittleEndian) !== 0x0112) continue;
    const value = readers[view.getUint16(entry + 2, isLittleEndian)]?.(view, entry + 8, isLittleEndian);
    // One number by the standard; of several that fit into the entry the first counts, and so does the first of two entries.
    const count = view.getUint32(entry + 4, isLittleEndian);
    const isShort = [3, 8].includes(view.getUint16(entry + 2, isLittleEndian));
    if (value === undefined || count < 1 || count > (isShort ? 2 : 1)) continue;
    return value >= 1 && value <= 8 ? value : 1;
  }
  return undefined;
}

/**
 * The orientation in ImageMagick's "Raw profile type exif" of a PNG: a blank line, the profile's name, its length, then its
 * bytes in hexadecimal, beginning with "Exif\0\0" as in a JPEG.
 */
export function rawProfileOrientation(text: Uint8Array): number | undefined {
  const digits = asciiText(text).split("\n").slice(3).join("").replace(/\s/g, "");
  if (!/^([0-9a-f]{2})+$/i.test(digits)) return undefined;
  const bytes = Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
  const hasStart = String.fromCharCode(...bytes.subarray(0, 6)) === "Exif\0\0";
  return exifOrientation(hasStart ? bytes.subarray(6) : bytes);
}
