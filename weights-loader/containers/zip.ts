import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { isSafeRelativePath } from "../bytes/safe-relative-path.ts";
import { type ByteSource, readRange } from "../bytes/source.ts";

/** A file inside a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  /** Where its (perhaps compressed) bytes lie in the archive. */
  readonly offset: number;
  readonly compressedBytes: number;
  readonly bytes: number;
}

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
/** End record without comment, and the longest comment. */
const endBytes = 22;
const maximumComment = 65535;
/** A central directory beyond this is no weight file's (it would list about a million tensors). */
const maximumDirectoryBytes = 64 << 20;
/** Deflate cannot shrink further than 1032 to 1 (zlib's technical notes). */
const maximumRatio = 1032;

/** True when the bytes start as a zip archive does. */
export function looksLikeZip(start: Uint8Array): boolean {
  return start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;
}

/**
 * Lists a zip archive and checks that its entries lie inside the file and apart from each other: overlapping entries are how
 * zip bombs work. Zip64 is read; encryption and compression other than deflate are refused. Source: PKWARE APPNOTE 6.3.
 * @param what names the file in messages
 */
export async function readZip(source: ByteSource, what: string): Promise<Map<string, ZipEntry>> {
  const { start, length, entryCount } = await findDirectory(source, what);
  if (length > maximumDirectoryBytes) {
    throw new FormatError(`${what}: the zip directory claims ${length} bytes, more than ${maximumDirectoryBytes}.`);
  }
  const directory = await readRange(source, start, length, `${what}: the zip directory`);
  const entries = new Map<string, ZipEntry>();
  const places: { name: string; begin: number; end: number }[] = [];
  let at = 0;
  for (let i = 0; i < entryCount; i++) {
    const { header, localOffset, next } = parseCentral(directory, at, what);
    at = next;
    if (entries.has(header.name)) throw new FormatError(`${what}: zip entry "${header.name}" occurs twice.`);
    checkEntry(header, what);
    const offset = await dataOffset(source, localOffset, header.name, what);
    entries.set(header.name, { ...header, offset });
    places.push({ name: header.name, begin: localOffset, end: offset + header.compressedBytes });
  }
  if (at !== length) throw new FormatError(`${what}: the zip directory has ${length} bytes, its entries take ${at}.`);
  checkApart(places, start, what);
  return entries;
}

async function findDirectory(
  source: ByteSource,
  what: string,
): Promise<{ start: number; length: number; entryCount: number }> {
  const tailBytes = Math.min(source.byteLength, endBytes + maximumComment);
  const tailStart = source.byteLength - tailBytes;
  const tail = await readRange(source, tailStart, tailBytes, what);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let at = tailBytes - endBytes;
  while (
    at >= 0 &&
    !(view.getUint32(at, true) === endSignature && view.getUint16(at + 20, true) === tailBytes - endBytes - at)
  ) {
    at--;
  }
  if (at < 0) {
    throw new FormatError(`${what}: the zip archive has no end record. It is truncated: get a fresh copy.`);
  }
  if (at >= 20 && view.getUint32(at - 20, true) === locator64Signature) {
    const end64 = Number(view.getBigUint64(at - 12, true));
    const record = await readRange(source, end64, 56, `${what}: the zip64 end record`);
    const view64 = new DataView(record.buffer, record.byteOffset, 56);
    if (view64.getUint32(0, true) !== end64Signature)
      throw new FormatError(`${what}: the zip64 end record is missing.`);
    return {
      entryCount: Number(view64.getBigUint64(32, true)),
      length: Number(view64.getBigUint64(40, true)),
      start: Number(view64.getBigUint64(48, true)),
    };
  }
  return {
    entryCount: view.getUint16(at + 10, true),
    length: view.getUint32(at + 12, true),
    start: view.getUint32(at + 16, true),
  };
}

interface CentralHeader {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly compressedBytes: number;
  readonly bytes: number;
}

function parseCentral(
  directory: Uint8Array,
  at: number,
  what: string,
): { header: CentralHeader; localOffset: number; next: number } {
  const short = (): FormatError => new FormatError(`${what}: the zip directory is damaged at byte ${at}.`);
  if (at + 46 > directory.length) throw short();
  const view = new DataView(directory.buffer, directory.byteOffset + at, directory.length - at);
  if (view.getUint32(0, true) !== centralSignature) throw short();
  const nameBytes = view.getUint16(28, true);
  const extraBytes = view.getUint16(30, true);
  const next = at + 46 + nameBytes + extraBytes + view.getUint16(32, true);
  if (next > directory.length) throw short();
  // Sizes and offset of 0xffffffff stand in the zip64 extra field instead, in this order, each only where needed.
  const wide = zip64Field(new DataView(directory.buffer, directory.byteOffset + at + 46 + nameBytes, extraBytes));
  const size = (position: number): number => {
    const value = view.getUint32(position, true);
    if (value !== 0xffffffff) return value;
    const next64 = wide.shift();
    if (next64 === undefined) throw short();
    return next64;
  };
  const bytes = size(24);
  const compressedBytes = size(20);
  const localOffset = size(42);
  const header = {
    name: decodeName(directory.subarray(at + 46, at + 46 + nameBytes), what),
    flags: view.getUint16(8, true),
    method: view.getUint16(10, true),
    compressedBytes,
    bytes,
  };
  return { header, localOffset, next };
}

/** The 64-bit numbers of the zip64 extra field (id 1), or none. */
function zip64Field(extra: DataView): number[] {
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === 1) {
      const numbers: number[] = [];
      for (let i = at + 4; i + 8 <= Math.min(at + 4 + length, extra.byteLength); i += 8) {
        numbers.push(Number(extra.getBigUint64(i, true)));
      }
      return numbers;
    }
    at += 4 + length;
  }
  return [];
}

function decodeName(bytes: Uint8Array, what: string): string {
  let name: string;
  try {
    name = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FormatError(`${what}: a zip entry's name is not UTF-8.`);
  }
  if (!isSafeRelativePath(name)) {
    throw new FormatError(`${what}: zip entry "${name}" would lie outside the archive's folder.`);
  }
  return name;
}

function checkEntry({ name, flags, method, compressedBytes, bytes }: CentralHeader, what: string): void {
  const entry = `${what}: zip entry "${name}"`;
  if ((flags & 1) !== 0) throw new UnsupportedError(`${entry} is encrypted.`);
  if (method !== 0 && method !== 8) {
    throw new UnsupportedError(`${entry} uses compression method ${method}; stored (0) and deflated (8) are read.`);
  }
  if (method === 0 && compressedBytes !== bytes) {
    throw new FormatError(
      `${entry} is stored, but claims ${compressedBytes} bytes in the archive and ${bytes} outside.`,
    );
  }
  if (bytes > (compressedBytes + 1) * maximumRatio) {
    throw new FormatError(
      `${entry} claims ${bytes} bytes from ${compressedBytes}; deflate reaches ${maximumRatio} to 1 at most. It is damaged or a zip bomb.`,
    );
  }
}

/** Where an entry's data starts: behind its local header, whose name must be the directory's. */
async function dataOffset(source: ByteSource, localOffset: number, name: string, what: string): Promise<number> {
  const entry = `${what}: zip entry "${name}"`;
  const nameBytes = new TextEncoder().encode(name).length;
  const local = await readRange(source, localOffset, 30 + nameBytes, entry);
  const view = new DataView(local.buffer, local.byteOffset, local.byteLength);
  const sameName =
    view.getUint32(0, true) === localSignature &&
    view.getUint16(26, true) === nameBytes &&
    new TextDecoder().decode(local.subarray(30)) === name;
  if (!sameName)
    throw new FormatError(`${entry}: its local header at byte ${localOffset} is missing or of another name.`);
  return localOffset + 30 + nameBytes + view.getUint16(28, true);
}

function checkApart(
  places: { name: string; begin: number; end: number }[],
  directoryStart: number,
  what: string,
): void {
  places.sort((a, b) => a.begin - b.begin);
  let free = 0;
  for (const { name, begin, end } of places) {
    if (begin < free) throw new FormatError(`${what}: zip entry "${name}" overlaps the one before it.`);
    if (end > directoryStart) throw new FormatError(`${what}: zip entry "${name}" reaches into the zip directory.`);
    free = end;
  }
}
