import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { iccDescription } from "../../photos/color-profile.ts";
import type { PhotoFormat } from "../../photos/decode.ts";
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
 * named and not applied, 16 bits rounded to 8. WebP, GIF and TIFF pixels are Pillow's byte for byte; AVIF with subsampled colours
 * is not, since libheif repeats chroma where libavif interpolates.
 * @throws UnsupportedError without sharp and for CMYK, FormatError for damaged files, RangeError for too many pixels
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
  return {
    image: { width: info.width, height: info.height, data: isDeep ? rounded(data) : new Uint8Array(data) },
    colorProfile: metadata.icc === undefined ? undefined : iccDescription(new Uint8Array(metadata.icc)),
  };
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
