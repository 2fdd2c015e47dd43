import { FormatError } from "../../engine/basics/errors.ts";
import { BitReader } from "./bit-reader.ts";
import { zigzag } from "./frame.ts";
import { type HuffmanTable, readSymbol } from "./huffman.ts";
import type { ScanHeader } from "./scan-header.ts";

/** Decodes the blocks of one scan, one after the other. */
export interface BlockDecoder {
  /**
   * Decodes the next block.
   * @param part index of its component in the scan header
   * @param coefficients where its 64 coefficients are, row by row from `from`; in first scans they are 0 before
   */
  decode(part: number, coefficients: Int16Array, from: number): void;
  /** Where the segment's data end, or a place before that; never behind the marker that follows. */
  readonly at: number;
  /** Whether more was decoded than the segment holds. */
  readonly isOverrun: boolean;
  /** Begins another segment of the scan, behind a restart marker. */
  restart(at: number): void;
}

/** The entropy tables that may be replaced between scans. */
export interface HuffmanTables {
  readonly dc: readonly (HuffmanTable | undefined)[];
  readonly ac: readonly (HuffmanTable | undefined)[];
}

const tooMany = (): FormatError => new FormatError("JPEG: a block has more than 64 coefficients. The file is damaged.");

/** Decodes Huffman-coded blocks: sequential ones whole (T.81, F.2.2), progressive ones scan by scan (G.1.2). */
export function huffmanBlocks(
  bytes: Uint8Array,
  at: number,
  scan: ScanHeader,
  isProgressive: boolean,
  tables: HuffmanTables,
): BlockDecoder {
  const reader = new BitReader(bytes, at);
  const { first, last, high, low } = scan;
  const table = (kind: "dc" | "ac", id: number): HuffmanTable => {
    const found = tables[kind][id];
    if (found === undefined) {
      throw new FormatError(`JPEG: a scan uses Huffman table ${id}, which is missing. The file is damaged.`);
    }
    return found;
  };
  const needsDc = first === 0 && high === 0;
  const needsAc = last > 0;
  const dcTables = needsDc ? scan.parts.map(({ dcTable }) => table("dc", dcTable)) : [];
  const acTables = needsAc ? scan.parts.map(({ acTable }) => table("ac", acTable)) : [];
  const means = new Int32Array(scan.parts.length);
  // Blocks, the current one included, that have no further new coefficient in this band ("end of band run").
  let emptyBlocks = 0;

  /** The first coefficient: the difference from the previous block's. */
  function nextMean(part: number): number {
    const length = readSymbol(reader, dcTables[part]!);
    if (length > 0) means[part]! += reader.readSigned(length);
    return means[part]!;
  }

  function sequential(part: number, coefficients: Int16Array, from: number): void {
    coefficients[from] = nextMean(part);
    const acTable = acTables[part]!;
    for (let k = 1; k < 64; k++) {
      const symbol = readSymbol(reader, acTable);
      const length = symbol & 15;
      k += symbol >> 4;
      if (length === 0) {
        if (symbol !== 0xf0) return;
        continue;
      }
      if (k > 63) throw tooMany();
      coefficients[from + zigzag[k]!] = reader.readSigned(length);
    }
  }

  function firstMeans(part: number, coefficients: Int16Array, from: number): void {
    coefficients[from] = nextMean(part) << low;
  }

  function refineMeans(_part: number, coefficients: Int16Array, from: number): void {
    if (reader.read(1) === 1) coefficients[from]! |= 1 << low;
  }

  function firstBand(part: number, coefficients: Int16Array, from: number): void {
    if (emptyBlocks > 0) {
      emptyBlocks--;
      return;
    }
    const acTable = acTables[part]!;
    for (let k = first; k <= last; k++) {
      const symbol = readSymbol(reader, acTable);
      const length = symbol & 15;
      const run = symbol >> 4;
      if (length === 0 && run < 15) {
        emptyBlocks = (1 << run) - 1 + (run > 0 ? reader.read(run) : 0);
        return;
      }
      k += run;
      if (length === 0) continue;
      if (k > last) throw tooMany();
      coefficients[from + zigzag[k]!] = reader.readSigned(length) << low;
    }
  }

  /** One more bit of a coefficient that is not 0. */
  function refine(coefficients: Int16Array, at: number): void {
    const value = coefficients[at]!;
    if (reader.read(1) === 1 && (value & (1 << low)) === 0)
      coefficients[at] = value + (value > 0 ? 1 << low : -1 << low);
  }

  function refineBand(part: number, coefficients: Int16Array, from: number): void {
    let k = first;
    if (emptyBlocks === 0) {
      const acTable = acTables[part]!;
      for (; k <= last; k++) {
        const symbol = readSymbol(reader, acTable);
        let run = symbol >> 4;
        let value = 0;
        if ((symbol & 15) !== 0) {
          if ((symbol & 15) !== 1) {
            throw new FormatError("JPEG: a refinement has more than one bit. The file is damaged.");
          }
          value = reader.read(1) === 1 ? 1 << low : -1 << low;
        } else if (run < 15) {
          emptyBlocks = (1 << run) + (run > 0 ? reader.read(run) : 0);
          break;
        }
        // Over the coefficients known already, each of which gets its bit, and over `run` zeros, to the next zero.
        for (; k <= last; k++) {
          const at = from + zigzag[k]!;
          if (coefficients[at] !== 0) refine(coefficients, at);
          else if (--run < 0) break;
        }
        if (value !== 0) {
          if (k > last) throw tooMany();
          coefficients[from + zigzag[k]!] = value;
        }
      }
    }
    if (emptyBlocks === 0) return;
    for (; k <= last; k++) {
      const at = from + zigzag[k]!;
      if (coefficients[at] !== 0) refine(coefficients, at);
    }
    emptyBlocks--;
  }

  const decodeProgressive = first === 0 ? (high === 0 ? firstMeans : refineMeans) : high === 0 ? firstBand : refineBand;
  return {
    decode: isProgressive ? decodeProgressive : sequential,
    get at() {
      return reader.at;
    },
    get isOverrun() {
      return reader.isOverrun;
    },
    restart(next) {
      reader.restart(next);
      means.fill(0);
      emptyBlocks = 0;
    },
  };
}
