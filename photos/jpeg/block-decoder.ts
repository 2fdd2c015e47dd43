import type { ScanHeader } from "./scan-header.ts";

/** Reads one entropy-coded segment. */
export interface SegmentReader {
  /** Where the segment's data end, or a place before that; never behind the marker that follows. */
  readonly at: number;
  /** Whether more was decoded than the segment holds. */
  readonly isOverrun: boolean;
  /** Begins another segment of the scan, behind a restart marker. */
  restart(at: number): void;
}

/** Decodes the blocks of one scan, one after the other. */
export type BlockDecoder = SegmentReader & ScanPass;

/** What a scan's blocks are decoded by, with what it knows of the blocks before. */
export interface ScanPass {
  /**
   * Decodes the next block.
   * @param part index of its component in the scan header
   * @param coefficients where its 64 coefficients are, row by row from `from`; in first scans they are 0 before
   */
  decode(part: number, coefficients: Int16Array, from: number): void;
}

/** A pass, and how it forgets the blocks before at a restart. */
export interface RestartablePass extends ScanPass {
  forget(): void;
}

/** The kinds of scans: sequential frames have the first one, progressive frames the others (T.81, G.1.1.1). */
export interface ScanPasses {
  readonly sequential: () => RestartablePass;
  readonly firstMeans: () => RestartablePass;
  readonly refineMeans: () => RestartablePass;
  readonly firstBand: () => RestartablePass;
  readonly refineBand: () => RestartablePass;
}

/** The pass of a scan. */
export function passOf({ first, high }: ScanHeader, isProgressive: boolean, passes: ScanPasses): RestartablePass {
  if (!isProgressive) return passes.sequential();
  if (first === 0) return high === 0 ? passes.firstMeans() : passes.refineMeans();
  return high === 0 ? passes.firstBand() : passes.refineBand();
}

/** The decoder of a scan. */
export function blockDecoder(reader: SegmentReader, pass: RestartablePass): BlockDecoder {
  return {
    decode: pass.decode,
    get at() {
      return reader.at;
    },
    get isOverrun() {
      return reader.isOverrun;
    },
    restart(next) {
      reader.restart(next);
      pass.forget();
    },
  };
}
