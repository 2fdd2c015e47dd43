/** A zlib stream that a decoder needs inflated to go on, and the most bytes it may grow to. */
export interface InflateRequest {
  readonly stream: Uint8Array;
  readonly maxBytes: number;
}

/** What came of it. A stream without its end is no damage as long as its bytes are; "too long" is one that exceeds `maxBytes`. */
export type Inflated = Uint8Array | "damaged" | "too long";

/**
 * A decoder that stops wherever it needs something inflated. Node inflates at once, a page only asynchronously: the decoder is
 * the same, and the host drives it.
 */
export type Steps<Result> = Generator<InflateRequest, Result, Inflated>;

/** Runs a decoder to its end where inflating is synchronous. */
export function runSteps<Result>(steps: Steps<Result>, inflate: (request: InflateRequest) => Inflated): Result {
  let step = steps.next();
  while (step.done !== true) step = steps.next(inflate(step.value));
  return step.value;
}

/** Runs a decoder to its end where inflating takes a promise. */
export async function runStepsAsync<Result>(
  steps: Steps<Result>,
  inflate: (request: InflateRequest) => Promise<Inflated>,
): Promise<Result> {
  let step = steps.next();
  while (step.done !== true) step = steps.next(await inflate(step.value));
  return step.value;
}
