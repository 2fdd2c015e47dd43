import type { Timing } from "./measure.ts";

/** One line of the report. */
export interface Result {
  /** Which table it belongs to. */
  readonly group: string;
  readonly name: string;
  /** Who was measured: srmap or a peer, with its version. */
  readonly by: string;
  readonly threads: number;
  readonly timing?: Timing;
  /** Floating point operations of one call, 2 per multiply-accumulate of the direct algorithm. */
  readonly flop?: number;
  /** Those that the algorithm really does; for Winograd's its products, without the transforms around them. Default: flop. */
  readonly arithmetic?: number;
  /** Bytes that one call must read or write, for work that memory bounds. */
  readonly bytes?: number;
  /** Milliseconds that reading its inputs and writing its outputs alone take, measured at the same sizes. */
  readonly streamMs?: number;
  /** A measure that is no time, with its unit. */
  readonly value?: number;
  readonly unit?: string;
  /** What the result was checked against before it was timed, and how far off it was. */
  readonly check?: string;
}
