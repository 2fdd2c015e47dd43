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

export const nothingLost: LedgerTerms = { bias: 0, stabilizer: 0, dropped: 0 };
