import { FormatError } from "../../engine/basics/errors.ts";
import type { BitReader } from "./bit-reader.ts";

// Codes up to this long are found in one look; measured on photos, they are 98 % of all.
const lookBits = 9;

/** A Huffman table ready for decoding (T.81, annex C and F.2.2.3). */
export interface HuffmanTable {
  /** By the next 9 bits: length of the code << 8 | its symbol, or 0 where the code is longer. */
  readonly look: Uint16Array;
  /** By length: the largest code of that length, -1 where there is none. */
  readonly largestCode: Int32Array;
  /** By length: what turns a code into its symbol's index. */
  readonly offset: Int32Array;
  readonly symbols: Uint8Array;
}

/**
 * @param counts number of codes of length 1 to 16
 * @throws FormatError when the lengths do not make a code
 */
export function createHuffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const look = new Uint16Array(1 << lookBits);
  const largestCode = new Int32Array(17).fill(-1);
  const offset = new Int32Array(17);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1]!;
    // Codes of one length are consecutive numbers, and none is all ones (C.2).
    if (count > 0 && code + count >= 1 << length)
      throw new FormatError("JPEG: a Huffman table is no code. The file is damaged.");
    offset[length] = index - code;
    for (let i = 0; i < count; i++, code++, index++) {
      if (length > lookBits) continue;
      const first = code << (lookBits - length);
      look.fill((length << 8) | symbols[index]!, first, first + (1 << (lookBits - length)));
    }
    if (count > 0) largestCode[length] = code - 1;
    code <<= 1;
  }
  return { look, largestCode, offset, symbols };
}

/**
 * The next symbol.
 * @throws FormatError when the bits are no code
 */
export function readSymbol(reader: BitReader, table: HuffmanTable): number {
  if (reader.count < 16) reader.fill();
  const found = table.look[(reader.bits >>> (reader.count - lookBits)) & ((1 << lookBits) - 1)]!;
  if (found !== 0) {
    reader.count -= found >> 8;
    return found & 255;
  }
  for (let length = lookBits + 1; length <= 16; length++) {
    const code = (reader.bits >>> (reader.count - length)) & ((1 << length) - 1);
    if (code <= table.largestCode[length]!) {
      reader.count -= length;
      return table.symbols[code + table.offset[length]!]!;
    }
  }
  throw new FormatError("JPEG: the pixel data contain a code that no table has. The file is damaged.");
}
