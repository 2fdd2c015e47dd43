import { FormatError } from "../../engine/basics/errors.ts";
import { type ByteSource, readRange } from "../bytes/source.ts";

/** One field of a message. Source: https://protobuf.dev/programming-guides/encoding. */
export interface ProtoField {
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly wire: number;
  /** The varint as a signed 64-bit number (NaN beyond 2^53), or the raw little-endian bits of a 4-byte field; else 0. */
  readonly value: number;
  /** Where the field's bytes lie in the source (behind tag and length). */
  readonly offset: number;
  readonly length: number;
}

/** Where a length-delimited field's bytes lie. */
export type ProtoRange = Pick<ProtoField, "offset" | "length">;

/** Bytes fetched at a time; larger fields are skipped without being read. */
const windowBytes = 1 << 16;
/** Longest tag plus number: two varints of ten bytes. */
const maximumHeadBytes = 20;
/** Longest text or packed list that is read into memory. */
const maximumTextBytes = 1 << 20;

/**
 * Reads protobuf messages from a source field by field. Only heads are read: a field of 500 MB costs nothing. Messages inside
 * messages are opened by whoever knows the schema, so that no nesting in a file can make the reader recurse.
 */
export class ProtoReader {
  readonly source: ByteSource;
  readonly what: string;
  #window: Uint8Array = new Uint8Array(0);
  #start = 0;

  /** @param what names the file in messages */
  constructor(source: ByteSource, what: string) {
    this.source = source;
    this.what = what;
  }

  /** Calls `visit` for every field of the message in a range. @throws FormatError when the bytes are no message */
  async fields({ offset, length }: ProtoRange, visit: (field: ProtoField) => void): Promise<void> {
    const end = offset + length;
    let at = offset;
    while (at < end) {
      const head = Math.min(end - at, maximumHeadBytes);
      if (at < this.#start || at + head > this.#start + this.#window.length) {
        this.#start = at;
        this.#window = await readRange(
          this.source,
          at,
          Math.min(windowBytes, this.source.byteLength - at),
          `${this.what}: a protobuf field`,
        );
      }
      const field = parseField(this.#window, at - this.#start, at - this.#start + head);
      const next = field === undefined ? Number.NaN : this.#start + field.offset + field.length;
      if (field === undefined || !(next <= end)) {
        throw new FormatError(
          `${this.what}: no protobuf field at byte ${at}. It is truncated or damaged: get a fresh copy.`,
        );
      }
      visit({ ...field, offset: this.#start + field.offset });
      at = next;
    }
  }

  /** A short field's bytes. @throws FormatError when it is longer than a text can be */
  async bytes({ offset, length }: ProtoRange): Promise<Uint8Array> {
    if (length > maximumTextBytes) throw new FormatError(`${this.what}: a text of ${length} bytes at byte ${offset}.`);
    const inWindow = offset >= this.#start && offset + length <= this.#start + this.#window.length;
    if (inWindow) return this.#window.subarray(offset - this.#start, offset - this.#start + length);
    return readRange(this.source, offset, length, `${this.what}: a protobuf field`);
  }

  /** A short field's text. */
  async text(range: ProtoRange): Promise<string> {
    return new TextDecoder("utf-8").decode(await this.bytes(range));
  }

  /** Integers of a repeated field that is packed in a range. */
  async packedInts(range: ProtoRange): Promise<number[]> {
    const bytes = await this.bytes(range);
    const values: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const varint = parseVarint(bytes, at, bytes.length);
      if (varint === undefined)
        throw new FormatError(`${this.what}: a damaged list of integers at byte ${range.offset}.`);
      values.push(varint.value);
      at = varint.next;
    }
    return values;
  }
}

/** The float32 of a 4-byte field. */
export function floatOf({ value }: ProtoField): number {
  return new Float32Array(Uint32Array.of(value).buffer)[0] ?? 0;
}

function parseVarint(bytes: Uint8Array, begin: number, end: number): { value: number; next: number } | undefined {
  let low = 0; // bits 0 to 27
  let middle = 0; // bits 28 to 55
  let high = 0; // bits 56 to 63
  for (let i = 0; i < 10 && begin + i < end; i++) {
    const byte = bytes[begin + i]!;
    if (i < 4) low |= (byte & 127) << (7 * i);
    else if (i < 8) middle |= (byte & 127) << (7 * (i - 4));
    else high |= (byte & 127) << (7 * (i - 8));
    if (byte < 128) {
      // int64 is stored in two's complement; the sign comes first, or the sum of the parts would round away the low bits.
      const isNegative = (high & 128) !== 0;
      const mask = isNegative ? -1 : 0;
      const magnitude =
        ((low ^ mask) & 0xfffffff) + ((middle ^ mask) & 0xfffffff) * 2 ** 28 + ((high ^ mask) & 255) * 2 ** 56;
      const value = isNegative ? -magnitude - 1 : magnitude;
      return { value: Number.isSafeInteger(value) ? value : Number.NaN, next: begin + i + 1 };
    }
  }
  return undefined;
}

/** The field at `begin`, its place relative to `bytes`; undefined when there is none. */
function parseField(bytes: Uint8Array, begin: number, end: number): ProtoField | undefined {
  const tag = parseVarint(bytes, begin, end);
  if (tag === undefined || !(tag.value >= 8 && tag.value < 2 ** 32)) return undefined;
  const number = Math.floor(tag.value / 8);
  const wire = tag.value % 8;
  switch (wire) {
    case 0: {
      const varint = parseVarint(bytes, tag.next, end);
      return varint && { number, wire, value: varint.value, offset: tag.next, length: varint.next - tag.next };
    }
    case 1:
      return { number, wire, value: 0, offset: tag.next, length: 8 };
    case 2: {
      const length = parseVarint(bytes, tag.next, end);
      if (length === undefined || !(length.value >= 0)) return undefined;
      return { number, wire, value: 0, offset: length.next, length: length.value };
    }
    case 5: {
      if (tag.next + 4 > end) return undefined;
      const value = new DataView(bytes.buffer, bytes.byteOffset + tag.next, 4).getUint32(0, true);
      return { number, wire, value, offset: tag.next, length: 4 };
    }
    default:
      return undefined; // groups (3, 4) left the language before these formats existed
  }
}
