import { FormatError } from "../../engine/basics/errors.ts";
import { type PngHeader, readPngHeader } from "./header.ts";

/** A text about the picture, by its keyword. */
export interface PngText {
  readonly keyword: string;
  readonly bytes: Uint8Array;
  readonly isCompressed: boolean;
}

/** What the chunks of a file say, pixels still compressed. */
export interface PngChunks {
  readonly header: PngHeader;
  readonly pixels: Uint8Array;
  /** RGB triples. */
  readonly palette: Uint8Array | undefined;
  /** Data of the tRNS chunk: alpha of palette entries, or the one colour that is transparent. */
  readonly transparency: Uint8Array | undefined;
  /** Data of the eXIf chunk. */
  readonly exif: Uint8Array | undefined;
  readonly texts: readonly PngText[];
  /** The iCCP chunk: a name and a compressed ICC profile. */
  readonly colorProfile: PngText | undefined;
  /** What gAMA or cICP say of the colours where there is no profile and it is not sRGB, in words. */
  readonly colorSpace: string | undefined;
}

const crcTable = Int32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = (c & 1) === 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

/** PNG specification, annex D. */
function crc32(bytes: Uint8Array): number {
  let c = -1;
  for (let i = 0; i < bytes.length; i++) c = crcTable[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return ~c >>> 0;
}

const damaged = (what: string): FormatError => new FormatError(`PNG: ${what}. The file is damaged.`);

/** Latin-1 text up to the next 0 byte, and where the rest begins. */
function untilZero(data: Uint8Array, from: number): readonly [text: string, rest: number] {
  const zero = data.indexOf(0, from);
  const end = zero < 0 ? data.length : zero;
  // Keywords have 79 bytes at most; a longer one is none that we know.
  return [String.fromCharCode(...data.subarray(from, Math.min(end, from + 80))), Math.min(end + 1, data.length)];
}

function readText(type: string, data: Uint8Array): PngText {
  const [keyword, start] = untilZero(data, 0);
  if (type === "tEXt") return { keyword, bytes: data.subarray(start), isCompressed: false };
  if (type !== "iTXt") return { keyword, bytes: data.subarray(start + 1), isCompressed: true };
  const [, translated] = untilZero(data, start + 2);
  const [, text] = untilZero(data, translated);
  return { keyword, bytes: data.subarray(text), isCompressed: data[start] === 1 };
}

/** A palette or transparency chunk must fit the header (PNG specification, 11.2.3 and 11.3.2.1). */
function checkColors(header: PngHeader, palette: Uint8Array | undefined, transparency: Uint8Array | undefined): void {
  const { colorType, depth } = header;
  if (colorType === 3 && palette === undefined) throw damaged("the pixels are of a palette, which is missing");
  if (palette !== undefined && (palette.length % 3 !== 0 || palette.length === 0 || palette.length > 768)) {
    throw damaged(`a palette must have 1 to 256 colours of 3 bytes, got ${palette.length} bytes`);
  }
  if (colorType === 3 && palette !== undefined && palette.length > 3 << depth) {
    throw damaged(`a palette for ${depth} bits has at most ${1 << depth} colours, got ${palette.length / 3}`);
  }
  if (transparency === undefined) return;
  const expected = colorType === 0 ? 2 : colorType === 2 ? 6 : colorType === 3 ? (palette?.length ?? 0) / 3 : 0;
  if (colorType === 3 ? transparency.length > expected : transparency.length !== expected) {
    throw damaged(
      `a tRNS chunk for colour type ${colorType} has ${transparency.length} bytes, ${expected} are allowed`,
    );
  }
}

// Chunks that may be there once; behind the pixel data only the first may be.
const onceOnly = new Set(["eXIf", "PLTE", "tRNS", "iCCP", "gAMA", "sRGB", "cICP"]);

/** PNG specification, 11.3.2: cICP overrides iCCP and sRGB, which override gAMA. */
function colorSpaceOf(chunks: ReadonlyMap<string, Uint8Array>): string | undefined {
  // Primaries and transfer function of sRGB in ITU-T H.273: 1 and 13.
  const [primaries, transfer] = chunks.get("cICP") ?? [];
  if (primaries !== undefined) return primaries === 1 && transfer === 13 ? undefined : `CICP ${primaries}/${transfer}`;
  const gamma = chunks.get("gAMA");
  if (chunks.has("iCCP") || chunks.has("sRGB") || gamma?.length !== 4) return undefined;
  const value = new DataView(gamma.buffer, gamma.byteOffset, 4).getUint32(0) / 100000;
  // 1/2.2, with what programs round it to.
  return Math.abs(value - 0.45455) < 0.01 ? undefined : `gamma ${value}`;
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** Throws unless the checksum is right. */
  check(): void;
}

/** The chunks one after the other, up to IEND; those of wrong names or that end too late are refused. */
function* chunksOf(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length)
      throw new FormatError("PNG: the file is truncated, its end is missing. Get the photo again.");
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const begin = at;
    const next = at + 12 + view.getUint32(at);
    if (at === 8 && type !== "IHDR") {
      throw new FormatError("PNG: the file must begin with its header. The file is damaged.");
    }
    if (!/^[A-Za-z]{4}$/.test(type)) throw damaged("a chunk's name is not four letters");
    if (next > bytes.length) {
      throw new FormatError(
        `PNG: the file is truncated, chunk "${type}" needs ${next - bytes.length} more bytes. Get the photo again.`,
      );
    }
    const check = (): void => {
      if (crc32(bytes.subarray(begin + 4, next - 4)) === view.getUint32(next - 4)) return;
      throw new FormatError(`PNG: the checksum of chunk "${type}" is wrong. Get the photo again.`);
    };
    yield { type, data: bytes.subarray(at + 8, next - 4), check };
    if (type === "IEND") return;
    at = next;
  }
}

/**
 * Walks over the chunks up to the end of the picture; what follows is ignored. Of an animated PNG this is the picture shown where
 * animation is not supported.
 * @throws FormatError that names the rule the file breaks, and RangeError when the picture is larger than `maxPixels`
 */
export function readChunks(bytes: Uint8Array, maxPixels: number): PngChunks {
  const pixels: Uint8Array[] = [];
  const once = new Map<string, Uint8Array>();
  const texts: PngText[] = [];
  let header: PngHeader | undefined;
  let previous = "";
  for (const { type, data, check } of chunksOf(bytes)) {
    // The header's promise comes first: sizes over the limit are refused whatever the checksum says.
    if (type === "IHDR") {
      if (header !== undefined) throw damaged("there is a second header");
      header = readPngHeader(data, maxPixels);
    }
    check();
    if (type === "IDAT") {
      if (pixels.length > 0 && previous !== "IDAT") throw damaged("the pixel data are interrupted by another chunk");
      pixels.push(data);
    } else if (onceOnly.has(type)) {
      if (once.has(type)) throw damaged(`there is a second "${type}" chunk`);
      if (pixels.length > 0 && type !== "eXIf") throw damaged(`chunk "${type}" must come before the pixel data`);
      once.set(type, data);
    } else if (type === "tEXt" || type === "zTXt" || type === "iTXt") {
      texts.push(readText(type, data));
    } else if (type !== "IHDR" && type !== "IEND" && /^[A-Z]/.test(type)) {
      throw new FormatError(`PNG: chunk "${type}" is needed to show the picture, and it is none of the standard's.`);
    }
    previous = type;
  }
  if (header === undefined) throw damaged("there is no header");
  const palette = once.get("PLTE");
  const transparency = once.get("tRNS");
  checkColors(header, palette, transparency);
  const profile = once.get("iCCP");
  return {
    header,
    pixels: joined(pixels),
    palette,
    transparency,
    exif: once.get("eXIf"),
    texts,
    colorProfile: profile === undefined ? undefined : readText("iCCP", profile),
    colorSpace: colorSpaceOf(once),
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
