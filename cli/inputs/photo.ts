import { basename, extname } from "node:path";
import type { Tensor } from "../../engine/basics/tensor.ts";
import { formatSize, type Image } from "../../engine/picture/image.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { readPhotoBytes } from "../../host/photos/read.ts";
import type { ImageLimits } from "../../photos/size-limit.ts";
import { sha256 } from "../outputs/hash.ts";
import { parseTensor } from "./map.ts";

/** A file that went into an explanation. */
export interface SourceFile {
  readonly file: string;
  readonly sha256: string;
}

/** The photo (or tensor in its place) that went into an explanation. */
export interface InputFile extends SourceFile {
  readonly kind: "photo" | "tensor";
  /** Size of the photo before it was fitted to the network. */
  readonly width?: number;
  readonly height?: number;
}

// Fewer pixels than this show nothing that could be explained; enlarging them to a network's input invents the rest.
const minimumSide = 8;

/**
 * Reads a photo, or a tensor in its place.
 * @throws FormatError, UnsupportedError for damaged or unknown files, RangeError for photos too small or too large, system errors
 */
export async function readPhotoInput(
  path: string,
  limits: ImageLimits,
): Promise<{ input: Image | Tensor; source: InputFile }> {
  const bytes = await readPhotoBytes(path);
  const file = { file: basename(path), sha256: sha256(bytes) };
  if (extname(path).toLowerCase() === ".npy") {
    return { input: parseTensor(bytes, basename(path)), source: { ...file, kind: "tensor" } };
  }
  const input = decodeImage(bytes, limits);
  if (Math.min(input.width, input.height) < minimumSide) {
    throw new RangeError(
      `the photo has ${formatSize(input)} pixels, at least ${minimumSide}x${minimumSide} are needed to explain anything.`,
    );
  }
  return { input, source: { ...file, kind: "photo", width: input.width, height: input.height } };
}
