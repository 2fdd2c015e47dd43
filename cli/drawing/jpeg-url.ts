import { encode } from "jpeg-js";
import type { Image } from "../../engine/picture/image.ts";

/** A picture as a data: URL of a JPEG, for pages of one file. */
export function jpegUrl({ width, height, data }: Image): string {
  const encoded = encode({ width, height, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength) }, 85);
  return `data:image/jpeg;base64,${encoded.data.toString("base64")}`;
}
