import { asBytes, type BytesLike } from "../../engine/basics/bytes.ts";
import { FormatError } from "../../engine/basics/errors.ts";

/** Bytes that can be read at any place: a file, a download, a buffer. Nothing but the ranges asked for need be in memory. */
export interface ByteSource {
  readonly byteLength: number;
  /**
   * Exactly `length` bytes from `offset` on. The result may be a view of memory that the source owns: do not write to it.
   * @throws RangeError when the range leaves the source
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** As `read`, into memory of the caller's: for sources that would otherwise reserve new memory for every read. */
  readInto?(offset: number, target: Uint8Array): Promise<void>;
  /** As `readInto`, without waiting: for networks that leave their weights where they are (`weightRows`). */
  readSync?(offset: number, target: Uint8Array): void;
}

/** The part of the DOM's `Blob` (and `File`) that is needed to read one in ranges. */
export interface BlobLike {
  readonly size: number;
  slice(begin: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/**
 * Refuses a range that is not inside a source.
 * @throws RangeError naming the range and the source's size
 */
export function checkRange(offset: number, length: number, byteLength: number): void {
  if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0)) {
    throw new RangeError(`byte source: offset and length must be non-negative integers, got ${offset} and ${length}.`);
  }
  if (offset > byteLength || length > byteLength - offset) {
    throw new RangeError(
      `byte source: bytes ${offset} to ${offset + length} were asked for, but there are only ${byteLength}.`,
    );
  }
}

/** A source over bytes in memory; reads are views, nothing is copied. */
export function bytesSource(bytes: BytesLike): ByteSource {
  const plain = asBytes(bytes, "byte source");
  return {
    byteLength: plain.byteLength,
    read: async (offset, length) => {
      checkRange(offset, length, plain.byteLength);
      return plain.subarray(offset, offset + length);
    },
    readSync: (offset, target) => {
      checkRange(offset, target.byteLength, plain.byteLength);
      target.set(plain.subarray(offset, offset + target.byteLength));
    },
  };
}

/** A source over a `Blob` or `File` (a dropped file in a page); each read fetches its own range. */
export function blobSource(blob: BlobLike): ByteSource {
  return {
    byteLength: blob.size,
    read: async (offset, length) => {
      checkRange(offset, length, blob.size);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

/** A part of a source as a source. */
export function partOf(source: ByteSource, offset: number, byteLength: number): ByteSource {
  const { readInto, readSync } = source;
  const whole = (from: number, length: number): number => {
    checkRange(from, length, byteLength);
    return offset + from;
  };
  return {
    byteLength,
    read: async (from, length) => source.read(whole(from, length), length),
    ...(readInto && { readInto: async (from, target) => readInto(whole(from, target.byteLength), target) }),
    ...(readSync && { readSync: (from, target) => readSync(whole(from, target.byteLength), target) }),
  };
}

/**
 * Reads a range that a file's own header names, so that leaving the file is the file's fault.
 * @param what the thing that lies there, for the message: `weights "x.npz": entry "a.npy"`
 * @param target memory of just that length that may be used instead of new memory
 * @throws FormatError when the range leaves the source or the source ends early
 */
export async function readRange(
  source: ByteSource,
  offset: number,
  length: number,
  what: string,
  target?: Uint8Array,
): Promise<Uint8Array> {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new FormatError(`${what}: an offset or length is out of range (offset ${offset}, length ${length}).`);
  }
  if (offset > source.byteLength || length > source.byteLength - offset) {
    throw new FormatError(
      `${what} would lie at bytes ${offset} to ${offset + length}, but the file has ${source.byteLength}. It is truncated or damaged: get a fresh copy.`,
    );
  }
  if (source.readInto !== undefined && target?.byteLength === length) {
    await source.readInto(offset, target);
    return target;
  }
  const bytes = await source.read(offset, length);
  if (bytes.byteLength !== length) {
    throw new FormatError(`${what}: ${length} bytes expected at ${offset}, the source gave ${bytes.byteLength}.`);
  }
  return bytes;
}
