import { FormatError } from "../../engine/basics/errors.ts";
import { ArithmeticReader, evenOdds } from "./arithmetic.ts";
import { type BlockDecoder, blockDecoder, passOf, type RestartablePass } from "./block-decoder.ts";
import { zigzag } from "./frame.ts";
import type { ScanHeader } from "./scan-header.ts";

/** How the tables of arithmetic coding are conditioned (T.81, B.2.4.3); by number of the table, with defaults where nothing was said. */
export interface Conditioning {
  /** Differences up to 2^(low-1) count as none, over 2^(high-1) as large. */
  readonly dc: (readonly [low: number, high: number] | undefined)[];
  /** Coefficients up to this one have magnitude bins of their own. */
  readonly ac: (number | undefined)[];
}

/** What holds where nothing was said, as libjpeg begins (jdmarker.c, get_soi). */
const usualConditioning = { dc: [0, 1], ac: 5 } as const;

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

const even = Uint8Array.of(evenOdds);
const emptyBins = (bins: number): Uint8Array[] => Array.from({ length: 16 }, () => new Uint8Array(bins));
const empty = (statistics: readonly Uint8Array[]): void => {
  for (const bins of statistics) bins.fill(0);
};

/** The length of a magnitude beyond its first bit: doubles `m` until a decision says no. */
function grow(reader: ArithmeticReader, bins: Uint8Array, from: number, m: number): readonly [m: number, bin: number] {
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
function magnitude(reader: ArithmeticReader, bins: Uint8Array, bin: number, size: number): number {
  let value = size;
  for (let bit = size >> 1; bit > 0; bit >>= 1) if (reader.decide(bins, bin) === 1) value |= bit;
  return value + 1;
}

/** What a scan's blocks have in common. */
interface ArithmeticScan {
  readonly reader: ArithmeticReader;
  readonly scan: ScanHeader;
  readonly conditioning: Conditioning;
}

/** First coefficients, each by its difference from that of the component's block before, by what that one's difference was like. */
interface Means {
  next(part: number): number;
  forget(): void;
}

function meansOf({ reader, scan: { parts }, conditioning }: ArithmeticScan): Means {
  const statistics = emptyBins(dcBins);
  const means = new Int32Array(parts.length);
  const contexts = new Uint8Array(parts.length);
  return {
    next(part) {
      const table = parts[part]!.dcTable;
      const bins = statistics[table]!;
      const context = contexts[part]!;
      if (reader.decide(bins, context) === 0) {
        contexts[part] = 0;
        return means[part]!;
      }
      const sign = reader.decide(bins, context + 1);
      let [size, bin] = [reader.decide(bins, context + 2 + sign), context + 2 + sign];
      if (size === 1) [size, bin] = grow(reader, bins, dcMagnitude, 1);
      const [small, large] = conditioning.dc[table] ?? usualConditioning.dc;
      if (size < (1 << small) >> 1) contexts[part] = 0;
      else contexts[part] = (size > (1 << large) >> 1 ? 12 : 4) + 4 * sign;
      const value = magnitude(reader, bins, bin + toBits, size);
      means[part]! += sign === 1 ? -value : value;
      return means[part]!;
    },
    forget() {
      empty(statistics);
      means.fill(0);
      contexts.fill(0);
    },
  };
}

/** First bits of the coefficients from `start` to the scan's last. */
function bandPass({ reader, scan, conditioning }: ArithmeticScan, start: number): RestartablePass {
  const { parts, last, low } = scan;
  const statistics = emptyBins(acBins);
  return {
    decode(part, coefficients, from) {
      const table = parts[part]!.acTable;
      const bins = statistics[table]!;
      const limit = conditioning.ac[table] ?? usualConditioning.ac;
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
          [size, bin] = grow(reader, bins, k <= limit ? acMagnitudeLow : acMagnitudeHigh, 2);
        }
        const value = magnitude(reader, bins, bin + toBits, size);
        coefficients[from + zigzag[k]!] = (sign === 1 ? -value : value) << low;
      }
    },
    forget: () => empty(statistics),
  };
}

/** Whole blocks (T.81, F.2.4). */
function sequentialPass(shared: ArithmeticScan): RestartablePass {
  const means = meansOf(shared);
  const others = bandPass(shared, 1);
  return {
    decode(part, coefficients, from) {
      coefficients[from] = means.next(part);
      others.decode(part, coefficients, from);
    },
    forget() {
      means.forget();
      others.forget();
    },
  };
}

/** First bits of the first coefficients (G.1.3.1). */
function firstMeansPass(shared: ArithmeticScan): RestartablePass {
  const means = meansOf(shared);
  const { low } = shared.scan;
  return {
    decode(part, coefficients, from) {
      coefficients[from] = means.next(part) << low;
    },
    forget: means.forget,
  };
}

/** One more bit of the first coefficients. */
function refineMeansPass({ reader, scan: { low } }: ArithmeticScan): RestartablePass {
  return {
    decode(_part, coefficients, from) {
      if (reader.decide(even, 0) === 1) coefficients[from]! |= 1 << low;
    },
    forget() {},
  };
}

/** One more bit of a band of the other coefficients (G.1.3.3). */
function refineBandPass({ reader, scan: { parts, first, last, low } }: ArithmeticScan): RestartablePass {
  const statistics = emptyBins(acBins);
  return {
    decode(part, coefficients, from) {
      const bins = statistics[parts[part]!.acTable]!;
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
    },
    forget: () => empty(statistics),
  };
}

/** Decodes arithmetic-coded blocks: sequential ones whole (T.81, F.2.4), progressive ones scan by scan (G.1.3). */
export function arithmeticBlocks(
  bytes: Uint8Array,
  at: number,
  scan: ScanHeader,
  isProgressive: boolean,
  conditioning: Conditioning,
): BlockDecoder {
  const reader = new ArithmeticReader(bytes, at);
  const shared = { reader, scan, conditioning };
  const pass = passOf(scan, isProgressive, {
    sequential: () => sequentialPass(shared),
    firstMeans: () => firstMeansPass(shared),
    refineMeans: () => refineMeansPass(shared),
    firstBand: () => bandPass(shared, scan.first),
    refineBand: () => refineBandPass(shared),
  });
  return blockDecoder(reader, pass);
}
