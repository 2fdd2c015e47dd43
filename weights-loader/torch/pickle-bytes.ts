import { FormatError } from "../../engine/basics/errors.ts";

/** The pickle goes on after the bytes at hand. */
export class PickleTruncated extends FormatError {}

/** Longest integer, in bytes; PyTorch's magic number has 10. */
const maximumLongBytes = 32;

/** A pickle's bytes, read one thing after the other. Every read may throw PickleTruncated; damage is FormatError. */
export interface PickleBytes {
  /** Offset of the next byte. */
  position(): number;
  skip(length: number): void;
  u8(): number;
  u16(): number;
  u32(): number;
  i32(): number;
  /** The only number that a pickle keeps big-endian. */
  f64(): number;
  /** A signed integer of `length` bytes. */
  long(length: number): number | bigint;
  utf8(length: number): string;
  latin1(length: number): string;
  /** Text up to the next line feed, which is passed over. */
  line(): string;
  /** The error for damage that ends at the position. */
  broken(why: string): FormatError;
}

/** The bytes from `begin` on as a pickle. @param what names the pickle in messages */
export function pickleBytes(bytes: Uint8Array, begin: number, what: string): PickleBytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const latin1 = new TextDecoder("latin1");
  let at = begin;

  const broken = (why: string): FormatError =>
    new FormatError(`${what}: ${why} (pickle, byte ${at - begin}). The file is damaged: get a fresh copy.`);
  const take = (length: number): number => {
    if (length > bytes.length - at)
      throw new PickleTruncated(`${what}: the pickle ends early (after ${bytes.length} bytes).`);
    at += length;
    return at - length;
  };
  const text = (length: number, decoder: TextDecoder): string => {
    const from = take(length);
    try {
      return decoder.decode(bytes.subarray(from, from + length));
    } catch {
      throw broken("text is not UTF-8");
    }
  };
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    if (end < 0) throw new PickleTruncated(`${what}: the pickle ends early (after ${bytes.length} bytes).`);
    const words = text(end - at, utf8);
    at++;
    return words;
  };
  const long = (length: number): number | bigint => {
    if (length < 0 || length > maximumLongBytes) throw broken(`an integer of ${length} bytes`);
    const from = take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[from + i]!);
    if (length > 0) value = BigInt.asIntN(8 * length, value);
    return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  };

  return {
    position: () => at,
    skip: (length) => {
      take(length);
    },
    u8: () => bytes[take(1)]!,
    u16: () => view.getUint16(take(2), true),
    u32: () => view.getUint32(take(4), true),
    i32: () => view.getInt32(take(4), true),
    f64: () => view.getFloat64(take(8), false),
    long,
    utf8: (length) => text(length, utf8),
    latin1: (length) => text(length, latin1),
    line,
    broken,
  };
}
