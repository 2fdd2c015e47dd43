import type { Metadata } from "sharp";
import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { asciiText } from "../../photos/bytes.ts";
import { iccDescription } from "../../photos/color-profile.ts";
import type { PhotoFormat } from "../../photos/decode.ts";
import { applyOrientation } from "../../photos/orientation/apply.ts";
import { exifOrientation } from "../../photos/orientation/exif.ts";
import { xmpOrientation } from "../../photos/orientation/xmp.ts";
import type { Photo } from "../../photos/photo.ts";
import { checkLimits, checkSize, type ImageLimits } from "../../photos/size-limit.ts";

/** The package that reads further formats, in the version that it was tested with. */
export const sharpPackage = "sharp@0.35.5";

/** Formats that sharp decodes; in its prebuilt form it has none for HEIC, JPEG XL and JPEG 2000. */
type SharpFormat = Extract<PhotoFormat, "WebP" | "GIF" | "TIFF" | "AVIF">;

const sharpFormats: readonly SharpFormat[] = ["WebP", "GIF", "TIFF", "AVIF"];

/** Whether a format is one that sharp reads. */
export function isSharpFormat(format: PhotoFormat | undefined): format is SharpFormat {
  return sharpFormats.some((candidate) => candidate === format);
}

// Decoding 100 megapixels takes a few seconds.
const timeoutSeconds = 60;

async function loadSharp(format: SharpFormat): Promise<typeof import("sharp").default> {
  try {
    return (await import("sharp")).default;
  } catch {
    throw new UnsupportedError(
      `image: ${format} photos are read by the package sharp, which is not installed. Run: npm install ${sharpPackage}, or convert the photo to PNG or JPEG.`,
    );
  }
}

/**
 * Decodes a WebP, GIF (its first picture), TIFF (its first page) or AVIF by the optional package sharp: upright, colour profiles
 * named and not applied, 16 bits rounded to 8. WebP, GIF and TIFF pixels are Pillow's byte for byte; AVIF is one or two
 * levels off, and more with subsampled colours, since libheif repeats chroma where libavif interpolates.
 * @throws UnsupportedError without sharp and for CMYK and Lab, FormatError for damaged files, RangeError for too many pixels
 */
export async function decodeBySharp(bytes: Uint8Array, format: SharpFormat, limits: ImageLimits): Promise<Photo> {
  checkLimits(limits);
  const sharp = await loadSharp(format);
  const open = () => sharp(bytes, { ignoreIcc: true, limitInputPixels: false, pages: 1, autoOrient: true });
  const metadata = await open()
    .metadata()
    .catch((error: unknown) => {
      throw damaged(format, error);
    });
  // Of the header, before any pixel is decoded.
  checkSize(format, metadata.width, metadata.height, limits.maxPixels);
  if (metadata.space === "cmyk") {
    throw new UnsupportedError(`${format}: CMYK colours are not supported. Save the photo as RGB, PNG or JPEG.`);
  }
  if (metadata.space === "lab" || metadata.space === "labs") {
    throw new UnsupportedError(`${format}: Lab colours are not supported. Save the photo as RGB, PNG or JPEG.`);
  }
  const isDeep = metadata.depth === "ushort";
  if (metadata.depth !== "uchar" && !isDeep) {
    throw new UnsupportedError(
      `${format}: samples of kind ${metadata.depth} are not supported. Save the photo with 8 or 16 bits, or as PNG.`,
    );
  }
  const { data, info } = await open()
    .toColourspace(isDeep ? "rgb16" : "srgb")
    .ensureAlpha()
    .timeout({ seconds: timeoutSeconds })
    .raw({ depth: isDeep ? "ushort" : "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw damaged(format, error);
    });
  const image = { width: info.width, height: info.height, data: isDeep ? rounded(data) : new Uint8Array(data) };
  return {
    image: applyOrientation(image, orientationLeft(bytes, format, metadata)),
    colorProfile: metadata.icc === undefined ? undefined : iccDescription(new Uint8Array(metadata.icc)),
  };
}

/**
 * The orientation that sharp leaves to us: it applies EXIF's, TIFF's and AVIF's own, and knows none of XMP, which counts where
 * those are silent.
 */
function orientationLeft(bytes: Uint8Array, format: SharpFormat, { xmp, orientation }: Metadata): number {
  if (xmp === undefined) return 1;
  let isTold = orientation !== undefined;
  // Of a TIFF without the tag sharp says the same as of an upright one; a BigTIFF is left as sharp reads it.
  if (format === "TIFF") isTold = bytes[2] === 43 || bytes[3] === 43 || exifOrientation(bytes) !== undefined;
  // AVIF turns and mirrors by properties of the picture (ISO 23008-12, 6.5.10 and 6.5.12), of which sharp does not tell.
  if (format === "AVIF") isTold ||= /irot|imir/.test(asciiText(bytes.subarray(0, 65_536)));
  return isTold ? 1 : (xmpOrientation(new Uint8Array(xmp)) ?? 1);
}

/** 16-bit samples as 8 bits: v / 257, rounded, as for PNG. */
function rounded(data: Buffer): Uint8Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  // Samples lie as the machine has them; all machines that sharp runs on have the low byte first.
  return Uint8Array.from({ length: data.length / 2 }, (_, i) => Math.floor((view.getUint16(2 * i, true) + 128) / 257));
}

function damaged(format: string, error: unknown): FormatError {
  const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  return new FormatError(
    `${format}: the photo cannot be decoded (${reason}). Get it again, or convert it to PNG or JPEG.`,
  );
}
