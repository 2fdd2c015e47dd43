import type { Readable } from "node:stream";
import { asBytes } from "../../engine/basics/bytes.ts";
import type { Image } from "../../engine/picture/image.ts";
import type { ImageLimits } from "../../photos/size-limit.ts";
import { openFile } from "../files/open-file.ts";
import { decodeAnyImage } from "./decode.ts";
import { maxPhotoBytes, tooLarge } from "./limits.ts";

/**
 * Reads a whole file of a photo's size.
 * @throws RangeError when it is larger than any photo or no regular file, the system's error when it cannot be read
 */
export async function readPhotoBytes(path: string): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (size > maxPhotoBytes) throw tooLarge(size);
    return asBytes(await file.readFile(), "photo");
  } finally {
    await file.close();
  }
}

/**
 * Reads a stream, such as standard input, to its end.
 * @throws RangeError when it is larger than any photo, or a person's keyboard
 */
export async function readPhotoStream(stream: Readable & { readonly isTTY?: boolean }): Promise<Uint8Array> {
  if (stream.isTTY === true)
    throw new RangeError("standard input is the keyboard. Send a photo: srmap explain - < photo.jpg.");
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of stream) {
    bytes += part.length;
    if (bytes > maxPhotoBytes) throw tooLarge(bytes);
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Reads and decodes a photo; see `decodeAnyImage`. */
export async function readImage(path: string, limits?: ImageLimits): Promise<Image> {
  return decodeAnyImage(await readPhotoBytes(path), limits);
}
