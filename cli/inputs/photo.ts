import { extname } from "node:path";
import type { Tensor } from "../../engine/basics/tensor.ts";
import { formatSize, type Image, onWhite } from "../../engine/picture/image.ts";
import { openPhoto } from "../../host/photos/decode.ts";
import { downloadPhoto } from "../../host/photos/download.ts";
import { readPhotoBytes, readPhotoStream } from "../../host/photos/read.ts";
import { startsWith } from "../../photos/bytes.ts";
import { isSrgb } from "../../photos/color-profile.ts";
import type { ImageLimits } from "../../photos/size-limit.ts";
import { sha256 } from "../outputs/hash.ts";
import { inputName, isUrl } from "./expand.ts";
import { parseTensor } from "./map.ts";

/** A file that went into an explanation. */
export interface SourceFile {
  readonly file: string;
  readonly sha256: string;
  /** Of weights: what is computed otherwise than by the file's producer, or chosen of several. */
  readonly notes?: readonly string[];
}

/** The photo (or tensor in its place) that went into an explanation. */
export interface InputFile extends SourceFile {
  readonly kind: "photo" | "tensor";
  /** Where it lies below the folder that all inputs of the run have in common, parts divided by "/". */
  readonly path?: string;
  /** Size of the photo before it was fitted to the network. */
  readonly width?: number;
  readonly height?: number;
  /** Name of the colour profile in the file where it is another than sRGB. Its values were used as stored. */
  readonly colorProfile?: string;
}

// Fewer pixels than this show nothing that could be explained; enlarging them to a network's input invents the rest.
const minimumSide = 8;

/**
 * Reads the bytes of a path, a URL, or `-` for standard input.
 * @throws RangeError for what is too large or no file, system errors
 */
export async function readInputBytes(path: string): Promise<Uint8Array> {
  if (path === "-") return readPhotoStream(process.stdin);
  return isUrl(path) ? downloadPhoto(path) : readPhotoBytes(path);
}

/**
 * Decodes a photo, or a tensor in its place.
 * @throws FormatError, UnsupportedError for damaged or unknown files, RangeError for photos too small or too large
 */
export async function decodePhotoInput(
  path: string,
  bytes: Uint8Array,
  limits: ImageLimits,
): Promise<{ input: Image | Tensor; source: InputFile }> {
  const name = inputName(path);
  const file = { file: name, sha256: sha256(bytes) };
  // By its first bytes, too: standard input has no name.
  if (extname(name).toLowerCase() === ".npy" || startsWith(bytes, "\x93NUMPY")) {
    return { input: parseTensor(bytes, name), source: { ...file, kind: "tensor" } };
  }
  const { image, colorProfile } = await openPhoto(bytes, limits);
  const input = onWhite(image);
  const profile = colorProfile === undefined || isSrgb(colorProfile) ? {} : { colorProfile };
  if (Math.min(input.width, input.height) < minimumSide) {
    throw new RangeError(
      `the photo has ${formatSize(input)} pixels, at least ${minimumSide}x${minimumSide} are needed to explain anything.`,
    );
  }
  return { input, source: { ...file, kind: "photo", width: input.width, height: input.height, ...profile } };
}

/**
 * Reads a photo, or a tensor in its place, from a path, a URL, or `-` for standard input.
 * @throws as readInputBytes and decodePhotoInput
 */
export async function readPhotoInput(
  path: string,
  limits: ImageLimits,
): Promise<{ input: Image | Tensor; source: InputFile }> {
  return decodePhotoInput(path, await readInputBytes(path), limits);
}
