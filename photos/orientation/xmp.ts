import { asciiText } from "../bytes.ts";

/**
 * The orientation in an XMP packet, 1 to 8, as attribute (`tiff:Orientation="6"`) or element (`<tiff:Orientation>6<`), or
 * undefined where there is none. Read as Pillow reads it.
 * @param packet UTF-8
 */
export function xmpOrientation(packet: Uint8Array): number | undefined {
  const digit = /tiff:Orientation(?:="|>)([0-9])/.exec(asciiText(packet))?.[1];
  const value = Number(digit ?? 0);
  return value >= 1 && value <= 8 ? value : undefined;
}
