import { FormatError } from "../../engine/basics/errors.ts";
import { ArithmeticReader, evenOdds } from "./arithmetic.ts";
import { zigzag } from "./frame.ts";
import type { BlockDecoder } from "./huffman-blocks.ts";
import type { ScanHeader } from "./scan-header.ts";

/** How the tables of arithmetic coding are conditioned (T.81, B.2.4.3); by number of the table, with defaults where nothing was said. */
export interface Conditioning {
  /** Differences up to 2^(low-1) count as none, over 2^(high-1) as large. */
  readonly dc: (readonly [low: number, high: number] | undefined)[];
  /** Coefficients up to this one have magnitude bins of their own. */
  readonly ac: (number | undefined)[];
}

/** DAC: a segment of pairs, table and value. */
export function readConditioning(data: Uint8Array, { dc, ac }: Conditioning): void {
  for (let i = 0; i + 1 < data.length; i += 2) {
    const id = data[i]! & 15;
    const value = data[i + 1]!;
    const kind = data[i]! >> 4;
    const isDc = kind === 0;
    if (kind > 1 || (isDc ? (value & 15) > value >> 4 : value < 1 || value > 63)) {
      throw new FormatError(`JPEG: arithmetic coding cannot be conditioned by ${value}. The file is damaged.`);
    }
    if (isDc) dc[id] = [value & 15, value >> 4];
    else ac[id] = value;
  }
}

const damaged = (): FormatError => new FormatError("JPEG: the arithmetic code is impossible. The file is damaged.");

// Bins of a table: 49 and 245 are used (T.81, F.1.4.4).
const dcBins = 64;
const acBins = 256;
// Where the bins for magnitudes begin (tables F.4 and F.5).
const dcMagnitude = 20;
const acMagnitudeLow = 189;
const acMagnitudeHigh = 217;
/** From the bin of a magnitude's length to that of its bits. */
const toBits = 14;

/** Decodes arithmetic-coded blocks: sequential ones whole (T.81, F.2.4), progressive ones scan by scan (G.1.3). */
export function arithmeticBlocks(
  bytes: Uint8Array,
  at: number,
  scan: ScanHeader,
  isProgressive: boolean,
  conditioning: Conditioning,
): BlockDecoder {
  const reader = new ArithmeticReader(bytes, at);
  const { first, last, high, low, parts } = scan;
  const dcStatistics = Array.from({ length: 16 }, () => new Uint8Array(dcBins));
  const acStatistics = Array.from({ length: 16 }, () => new Uint8Array(acBins));
  const even = Uint8Array.of(evenOdds);
  const means = new Int32Array(parts.length);
  const contexts = new Uint8Array(parts.length);

  /** The length of a magnitude beyond its first bit: doubles `m` until a decision says no. */
  function grow(bins: Uint8Array, from: number, m: number): readonly [m: number, bin: number] {
    let bin = from;
    let size = m;
    while (reader.decide(bins, bin) === 1) {
      size <<= 1;
      if (size === 0x8000) throw damaged();
      bin++;
    }
    return [size, bin];
  }

  /** The bits below the highest one of a magnitude less 1. */
  function magnitude(bins: Uint8Array, bin: number, size: number): number {
    let value = size;
    for (let bit = size >> 1; bit > 0; bit >>= 1) if (reader.decide(bins, bin) === 1) value |= bit;
    return value + 1;
  }

  /** The first coefficient: the difference from the previous block's, by what that one's difference was like. */
  function nextMean(part: number): number {
    const table = parts[part]!.dcTable;
    const bins = dcStatistics[table]!;
    const context = contexts[part]!;
    if (reader.decide(bins, context) === 0) {
      contexts[part] = 0;
      return means[part]!;
    }
    const sign = reader.decide(bins, context + 1);
    let [size, bin] = [reader.decide(bins, context + 2 + sign), context + 2 + sign];
    if (size === 1) [size, bin] = grow(bins, dcMagnitude, 1);
    const [small, large] = conditioning.dc[table] ?? [0, 1];
    if (size < (1 << small) >> 1) contexts[part] = 0;
    else contexts[part] = (size > (1 << large) >> 1 ? 12 : 4) + 4 * sign;
    const value = magnitude(bins, bin + toBits, size);
    means[part]! += sign === 1 ? -value : value;
    return means[part]!;
  }

  function band(part: number, coefficients: Int16Array, from: number, start: number): void {
    const table = parts[part]!.acTable;
    const bins = acStatistics[table]!;
    const limit = conditioning.ac[table] ?? 5;
    for (let k = start; k <= last; k++) {
      if (reader.decide(bins, 3 * (k - 1)) === 1) return;
      while (reader.decide(bins, 3 * (k - 1) + 1) === 0) {
        k++;
        if (k > last) throw damaged();
      }
      const sign = reader.decide(even, 0);
      let bin = 3 * (k - 1) + 2;
      let size = reader.decide(bins, bin);
      if (size === 1 && reader.decide(bins, bin) === 1) {
        [size, bin] = grow(bins, k <= limit ? acMagnitudeLow : acMagnitudeHigh, 2);
      }
      const value = magnitude(bins, bin + toBits, size);
      coefficients[from + zigzag[k]!] = (sign === 1 ? -value : value) << low;
    }
  }

  function sequential(part: number, coefficients: Int16Array, from: number): void {
    coefficients[from] = nextMean(part);
    band(part, coefficients, from, 1);
  }

  function firstMeans(part: number, coefficients: Int16Array, from: number): void {
    coefficients[from] = nextMean(part) << low;
  }

  function refineMeans(_part: number, coefficients: Int16Array, from: number): void {
    if (reader.decide(even, 0) === 1) coefficients[from]! |= 1 << low;
  }

  function firstBand(part: number, coefficients: Int16Array, from: number): void {
    band(part, coefficients, from, first);
  }

  function refineBand(part: number, coefficients: Int16Array, from: number): void {
    const bins = acStatistics[parts[part]!.acTable]!;
    // The end of the block is asked for only behind the last coefficient that is known.
    let known = last;
    while (known > 0 && coefficients[from + zigzag[known]!] === 0) known--;
    for (let k = first; k <= last; k++) {
      if (k > known && reader.decide(bins, 3 * (k - 1)) === 1) return;
      for (;;) {
        const place = from + zigzag[k]!;
        const bin = 3 * (k - 1);
        const value = coefficients[place]!;
        if (value !== 0) {
          if (reader.decide(bins, bin + 2) === 1) coefficients[place] = value + (value < 0 ? -1 << low : 1 << low);
          break;
        }
        if (reader.decide(bins, bin + 1) === 1) {
          coefficients[place] = reader.decide(even, 0) === 1 ? -1 << low : 1 << low;
          break;
        }
        k++;
        if (k > last) throw damaged();
      }
    }
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
      for (const bins of [...dcStatistics, ...acStatistics]) bins.fill(0);
      means.fill(0);
      contexts.fill(0);
    },
  };
}
