import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { type ByteSource, checkRange, readRange } from "../bytes/source.ts";
import type { ZipEntry } from "./zip.ts";

/** Compressed bytes that are fed at a time. */
const pieceBytes = 1 << 16;

/**
 * The first `length` bytes of a deflated zip entry. The host's inflater works on a stream, so that never more than was asked
 * for (and one piece) is in memory, whatever the entry would grow to.
 * @throws FormatError when the entry is damaged or shorter; UnsupportedError where the host has no inflater
 */
export async function inflateStart(
  source: ByteSource,
  entry: ZipEntry,
  length: number,
  what: string,
): Promise<Uint8Array> {
  let stream: DecompressionStream;
  try {
    stream = new DecompressionStream("deflate-raw");
  } catch {
    throw new UnsupportedError(
      `${what} is compressed, which needs Node 20.12 or later. Save it uncompressed: np.savez.`,
    );
  }
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  const feed = async (): Promise<void> => {
    for (let at = 0; at < entry.compressedBytes; at += pieceBytes) {
      const piece = Math.min(pieceBytes, entry.compressedBytes - at);
      await writer.write(await readRange(source, entry.offset + at, piece, what));
    }
    await writer.close();
  };
  // Feeding fails when reading stops early, which is no error, and when the data is damaged, which reading reports.
  const feeding = feed().catch(() => {});
  const result = new Uint8Array(length);
  let done = 0;
  try {
    while (done < length) {
      const { value } = await reader.read();
      if (value === undefined) break;
      result.set(value.subarray(0, length - done), done);
      done += Math.min(value.length, length - done);
    }
  } catch {
    throw new FormatError(`${what}: its compressed data is damaged: get a fresh copy.`);
  } finally {
    await reader.cancel().catch(() => {});
    await feeding;
  }
  if (done < length) throw new FormatError(`${what}: ${length} bytes were promised, ${done} came out.`);
  return result;
}

/**
 * A deflated entry as a source. It is inflated as a whole at the first read and kept until its last byte has been read, so
 * that reading in blocks inflates once and arrays that were read take no memory.
 */
export function inflatedSource(source: ByteSource, entry: ZipEntry, what: string): ByteSource {
  let kept: Promise<Uint8Array> | undefined;
  return {
    byteLength: entry.bytes,
    read: async (offset, length) => {
      checkRange(offset, length, entry.bytes);
      kept ??= inflateStart(source, entry, entry.bytes, what);
      const bytes = await kept;
      if (offset + length === entry.bytes) kept = undefined;
      return bytes.subarray(offset, offset + length);
    },
  };
}
