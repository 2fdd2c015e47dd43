import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { type ByteSource, readRange } from "../bytes/source.ts";

/** A file inside a tar archive. */
export interface TarEntry {
  readonly offset: number;
  readonly bytes: number;
}

const blockBytes = 512;
/** PyTorch's archives have four members; more than this is something else. */
const maximumMembers = 64;

/** True when the first block is a tar header (POSIX ustar and GNU write "ustar" at 257). */
export function looksLikeTar(start: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(start.subarray(257, 262)) === "ustar";
}

/**
 * Lists the regular files of a small tar archive. Extended headers may only carry what does not matter here (times, owners).
 * Source: POSIX pax, "ustar Interchange Format".
 */
export async function readTar(source: ByteSource, what: string): Promise<Map<string, TarEntry>> {
  const entries = new Map<string, TarEntry>();
  let at = 0;
  for (let members = 0; at + blockBytes <= source.byteLength; members++) {
    const header = await readRange(source, at, blockBytes, `${what}: a tar header`);
    if (header.every((byte) => byte === 0)) break;
    if (members >= maximumMembers)
      throw new FormatError(`${what}: more than ${maximumMembers} members in the tar archive.`);
    const name = fieldText(header, 0, 100);
    const entry = `${what}: tar member "${name}"`;
    if (octal(header, 148, 8, entry) !== checksum(header)) throw new FormatError(`${entry}: its header is damaged.`);
    const bytes = octal(header, 124, 12, entry);
    const kind = String.fromCharCode(header[156] ?? 0);
    const offset = at + blockBytes;
    if (bytes > source.byteLength - offset) {
      throw new FormatError(
        `${entry} would take ${bytes} bytes, but ${source.byteLength - offset} follow. It is truncated or damaged: get a fresh copy.`,
      );
    }
    if (kind === "x" || kind === "g") {
      const records = new TextDecoder("latin1").decode(
        await readRange(source, offset, Math.min(bytes, 1 << 16), entry),
      );
      if (/\d+ (path|size|linkpath)=/.test(records)) {
        throw new UnsupportedError(`${entry}: an extended header renames or resizes a member.`);
      }
    } else if (kind === "0" || kind === "\0") {
      if (entries.has(name)) throw new FormatError(`${entry} occurs twice.`);
      entries.set(name, { offset, bytes });
    } else if (kind !== "5") {
      // Folders hold nothing themselves.
      throw new UnsupportedError(`${entry} is no regular file (type "${kind}").`);
    }
    at = offset + Math.ceil(bytes / blockBytes) * blockBytes;
  }
  return entries;
}

function fieldText(header: Uint8Array, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return new TextDecoder("latin1").decode(end < 0 ? field : field.subarray(0, end));
}

function octal(header: Uint8Array, offset: number, length: number, what: string): number {
  const digits = fieldText(header, offset, length).trim();
  if (!/^[0-7]+$/.test(digits)) throw new FormatError(`${what}: "${digits}" is no octal number. The file is damaged.`);
  return Number.parseInt(digits, 8);
}

/** Sum of the header's bytes with the checksum field read as spaces. */
function checksum(header: Uint8Array): number {
  let sum = 8 * 32;
  for (const [i, byte] of header.entries()) if (i < 148 || i >= 156) sum += byte;
  return sum;
}
