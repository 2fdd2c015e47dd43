import type { BytesLike } from "../engine/basics/bytes.ts";
import { type Image, onWhite } from "../engine/picture/image.ts";
import { decodePhoto, type PhotoFormat, photoFormat } from "./decode.ts";
import { runStepsAsync } from "./inflate.ts";
import { inflateByStream } from "./inflate-stream.ts";
import { defaultImageLimits, type ImageLimits } from "./size-limit.ts";

export { defaultImageLimits, type ImageLimits, type PhotoFormat, photoFormat };

/**
 * Decodes a PNG, JPEG or BMP photo where there is no Node: in pages, workers and on the edge. The same pixels as `decodeImage` of
 * srmap/node, byte for byte: upright, transparency over white, colour profiles not applied. The bytes are only read.
 * @throws FormatError when the bytes are no picture, truncated or broken; UnsupportedError for other formats; RangeError when the
 *   header announces more pixels than `limits` allows
 */
export async function decodeImage(bytes: BytesLike, limits: ImageLimits = defaultImageLimits): Promise<Image> {
  return onWhite((await runStepsAsync(decodePhoto(bytes, limits), inflateByStream)).image);
}
