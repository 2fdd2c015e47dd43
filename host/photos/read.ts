import type { Image } from "../../engine/picture/image.ts";
import { asBytes } from "../../photos/bytes.ts";
import type { ImageLimits } from "../../photos/size-limit.ts";
import { openFile } from "../files/open-file.ts";
import { decodeImage } from "./decode.ts";

// 100 megapixels of 16-bit RGBA, not compressed at all, would be 800 MB; real photos are a tenth of this limit.
const maxBytes = 512 * 2 ** 20;

/**
 * Reads a whole file of a photo's size.
 * @throws RangeError when it is larger than any photo or no regular file, the system's error when it cannot be read
 */
export async function readPhotoBytes(path: string): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (size > maxBytes) {
      throw new RangeError(`the file has ${Math.round(size / 2 ** 20)} MiB, photos may have ${maxBytes / 2 ** 20}.`);
    }
    return asBytes(await file.readFile());
  } finally {
    await file.close();
  }
}

/** Reads and decodes a PNG or JPEG photo; see `decodeImage`. */
export async function readImage(path: string, limits?: ImageLimits): Promise<Image> {
  return decodeImage(await readPhotoBytes(path), limits);
}
