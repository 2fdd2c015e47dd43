import { FormatError } from "../../engine/basics/errors.ts";
import { BitReader } from "./bit-reader.ts";
import { type BlockDecoder, blockDecoder, passOf, type RestartablePass } from "./block-decoder.ts";
import { zigzag } from "./frame.ts";
import { type HuffmanTable, readSymbol } from "./huffman.ts";
import type { ScanHeader } from "./scan-header.ts";

/** The entropy tables that may be replaced between scans. */
export interface HuffmanTables {
  readonly dc: readonly (HuffmanTable | undefined)[];
  readonly ac: readonly (HuffmanTable | undefined)[];
}

const tooMany = (): FormatError => new FormatError("JPEG: a block has more than 64 coefficients. The file is damaged.");

/** The table of this number. @throws FormatError when the file did not define it */
function tableOf(tables: HuffmanTables, kind: "dc" | "ac", id: number): HuffmanTable {
  const found = tables[kind][id];
  if (found === undefined) {
    throw new FormatError(`JPEG: a scan uses Huffman table ${id}, which is missing. The file is damaged.`);
  }
  return found;
}

const nothing = (): void => {};

// The decoders' inner loops read what they close over; each pass of a scan closes over what it needs alone.

/** First coefficients, each by its difference from that of the component's block before. */
interface Means {
  next(part: number): number;
  forget(): void;
}

function meansOf(reader: BitReader, tables: readonly HuffmanTable[]): Means {
  const means = new Int32Array(tables.length);
  return {
    next(part) {
      const length = readSymbol(reader, tables[part]!);
      if (length > 0) means[part]! += reader.readSigned(length);
      return means[part]!;
    },
    forget: () => void means.fill(0),
  };
}

/** Whole blocks (T.81, F.2.2). */
function sequentialPass(reader: BitReader, means: Means, acTables: readonly HuffmanTable[]): RestartablePass {
  return {
    decode(part, coefficients, from) {
      coefficients[from] = means.next(part);
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
    },
    forget: means.forget,
  };
}

/** First bits of the first coefficients (G.1.2.1). */
function firstMeansPass(means: Means, { low }: ScanHeader): RestartablePass {
  return {
    decode(part, coefficients, from) {
      coefficients[from] = means.next(part) << low;
    },
    forget: means.forget,
  };
}

/** One more bit of the first coefficients. */
function refineMeansPass(reader: BitReader, { low }: ScanHeader): RestartablePass {
  return {
    decode(_part, coefficients, from) {
      if (reader.read(1) === 1) coefficients[from]! |= 1 << low;
    },
    forget: nothing,
  };
}

/** First bits of a band of the other coefficients, of one component (G.1.2.2). */
function firstBandPass(reader: BitReader, { first, last, low }: ScanHeader, acTable: HuffmanTable): RestartablePass {
  // Blocks, the current one included, that have no further coefficient in this band ("end of band run").
  let emptyBlocks = 0;
  return {
    decode(_part, coefficients, from) {
      if (emptyBlocks > 0) {
        emptyBlocks--;
        return;
      }
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
    },
    forget() {
      emptyBlocks = 0;
    },
  };
}

/** One more bit of a band (G.1.2.3). */
function refineBandPass(reader: BitReader, { first, last, low }: ScanHeader, acTable: HuffmanTable): RestartablePass {
  let emptyBlocks = 0;

  /** One more bit of a coefficient that is not 0. */
  function refine(coefficients: Int16Array, at: number): void {
    const value = coefficients[at]!;
    if (reader.read(1) === 1 && (value & (1 << low)) === 0)
      coefficients[at] = value + (value > 0 ? 1 << low : -1 << low);
  }

  /** The value of a coefficient that was 0: a single bit with its sign, or none for a symbol that is but a run. */
  function newValue(symbol: number): number {
    if ((symbol & 15) === 0) return 0;
    if ((symbol & 15) !== 1) throw new FormatError("JPEG: a refinement has more than one bit. The file is damaged.");
    return reader.read(1) === 1 ? 1 << low : -1 << low;
  }

  /** The codes of a block, up to its end or the end of the band. @returns where it stopped */
  function refineCoded(coefficients: Int16Array, from: number): number {
    let k = first;
    for (; k <= last; k++) {
      const symbol = readSymbol(reader, acTable);
      let run = symbol >> 4;
      const value = newValue(symbol);
      if (value === 0 && run < 15) {
        emptyBlocks = (1 << run) + (run > 0 ? reader.read(run) : 0);
        break;
      }
      // Over the coefficients known already, each of which gets its bit, and over `run` zeros, to the next zero.
      for (; k <= last; k++) {
        const at = from + zigzag[k]!;
        if (coefficients[at] !== 0) refine(coefficients, at);
        else if (--run < 0) break;
      }
      if (value === 0) continue;
      if (k > last) throw tooMany();
      coefficients[from + zigzag[k]!] = value;
    }
    return k;
  }

  return {
    decode(_part, coefficients, from) {
      let k = emptyBlocks === 0 ? refineCoded(coefficients, from) : first;
      if (emptyBlocks === 0) return;
      for (; k <= last; k++) {
        const at = from + zigzag[k]!;
        if (coefficients[at] !== 0) refine(coefficients, at);
      }
      emptyBlocks--;
    },
    forget() {
      emptyBlocks = 0;
    },
  };
}

/** Decodes Huffman-coded blocks: sequential ones whole (T.81, F.2.2), progressive ones scan by scan (G.1.2). */
export function huffmanBlocks(
  bytes: Uint8Array,
  at: number,
  scan: ScanHeader,
  isProgressive: boolean,
  tables: HuffmanTables,
): BlockDecoder {
  const reader = new BitReader(bytes, at);
  const { parts } = scan;
  const means = (): Means =>
    meansOf(
      reader,
      parts.map(({ dcTable }) => tableOf(tables, "dc", dcTable)),
    );
  const acTables = (): HuffmanTable[] => parts.map(({ acTable }) => tableOf(tables, "ac", acTable));
  const pass = passOf(scan, isProgressive, {
    sequential: () => sequentialPass(reader, means(), acTables()),
    firstMeans: () => firstMeansPass(means(), scan),
    refineMeans: () => refineMeansPass(reader, scan),
    firstBand: () => firstBandPass(reader, scan, acTables()[0]!),
    refineBand: () => refineBandPass(reader, scan, acTables()[0]!),
  });
  return blockDecoder(reader, pass);
}
