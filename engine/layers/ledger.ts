import type { Arena } from "../memory/arena.ts";

/** Relevance that a layer took in but did not hand to its inputs, summed over its outputs in float64. */
export interface LedgerTerms {
  /** Absorbed by the bias. */
  readonly bias: number;
  /** Absorbed by the stabiliser. */
  readonly stabilizer: number;
  /** Lost: outputs without any contribution, closed gates, overwritten pool windows. */
  readonly dropped: number;
}

/** One layer's account: relevanceOut = relevanceIn + bias + stabilizer + dropped, up to rounding. */
export interface LedgerRow extends LedgerTerms {
  readonly layer: string;
  readonly op: string;
  readonly rule: string;
  /** Sum of the relevance at the layer's output. */
  readonly relevanceOut: number;
  /** Sum of the relevance that the layer handed to its inputs. */
  readonly relevanceIn: number;
}

/** For rules that do not say where the difference went: all of relevanceOut - relevanceIn is booked as dropped. */
export const bookTheRest = "rest";

/** Where the kernel `ratio` writes what became of each row's relevance: absorbed by bias, by stabiliser, dropped; float64. */
export function shareBytes(rows: number): number {
  return 24 * rows;
}

/** Adds the rows that `ratio` wrote to `lost`. */
export function addShares(
  lost: { -readonly [Key in keyof LedgerTerms]: number },
  arena: Arena,
  address: number,
  rows: number,
): LedgerTerms {
  const shares = arena.f64(address, 3 * rows);
  for (let row = 0; row < rows; row++) {
    lost.bias += shares[3 * row]!;
    lost.stabilizer += shares[3 * row + 1]!;
    lost.dropped += shares[3 * row + 2]!;
  }
  return lost;
}

export const nothingLost: LedgerTerms = { bias: 0, stabilizer: 0, dropped: 0 };
