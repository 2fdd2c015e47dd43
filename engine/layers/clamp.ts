import { mustHave } from "../basics/must-have.ts";
import type { Bounds } from "../graph/compiled-graph.ts";
import type { OutputSign } from "./output-sign.ts";

// What is known of y = min(max(x, low), high), as ReLU and clip compute it, alone or with the layer before them.

/** The smallest and largest output. */
export interface Clamp {
  readonly low: number;
  readonly high: number;
}

/** Sign of the output: of [low, high], or of high alone where low exceeds it. */
export function clampSign({ low, high }: Clamp): OutputSign {
  if (Math.min(low, high) >= 0) return "nonNegative";
  return high >= 0 ? "keeps" : "any";
}

/** Bounds of the output, by those of its one input. */
export function clampBounds({ low, high }: Clamp, inputs: readonly Bounds[]): Bounds {
  const x = mustHave(inputs[0], "bounds");
  const clamp = (bound: number): number => Math.min(Math.max(bound, low), high);
  return { low: x.low.map(clamp), high: x.high.map(clamp) };
}

/** True when 0 stays 0. */
export function keepsZero({ low, high }: Clamp): boolean {
  return low <= 0 && high >= 0;
}

/** True when whatever is not positive becomes 0. */
export function rectifies({ low, high }: Clamp): boolean {
  return low === 0 && high >= 0;
}
