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

/** True when 0 stays 0. */
export function keepsZero({ low, high }: Clamp): boolean {
  return low <= 0 && high >= 0;
}

/** True when whatever is not positive becomes 0. */
export function rectifies({ low, high }: Clamp): boolean {
  return low === 0 && high >= 0;
}
