import { hasSuggestions } from "./features.ts";

/** A tensor, image or map has another shape than the operation needs. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** A file or byte sequence does not follow its format. */
export class FormatError extends Error {
  override readonly name = "FormatError";
}

/** The request is well formed, but this version cannot do it. */
export class UnsupportedError extends Error {
  override readonly name = "UnsupportedError";
}

/**
 * Letters that must be added, removed, changed or swapped with their neighbour to make one string of the other, ignoring case
 * (the optimal string alignment distance).
 */
function editDistance(a: string, b: string): number {
  const s = a.toLowerCase();
  const t = b.toLowerCase();
  let before = new Int32Array(t.length + 1);
  let row = before.map((_, j) => j);
  for (let i = 1; i <= s.length; i++) {
    const next = new Int32Array(t.length + 1).fill(i, 0, 1);
    for (let j = 1; j <= t.length; j++) {
      const substitution = row[j - 1]! + (s[i - 1] === t[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && s[i - 1] === t[j - 2] && s[i - 2] === t[j - 1];
      const swap = isSwap ? before[j - 2]! + 1 : substitution;
      next[j] = Math.min(substitution, swap, row[j]! + 1, next[j - 1]! + 1);
    }
    before = row;
    row = next;
  }
  return row[t.length]!;
}

/** The error for what a smaller build of the engine leaves out; see features.ts. */
export function notInThisBuild(what: string): UnsupportedError {
  return new UnsupportedError(
    `${what}: not in this build of srmap. Take srmap/browser instead of srmap/browser/minimal.`,
  );
}

/** The candidate closest to `name` by edit distance, or undefined when none is near: at most a third of the letters may differ. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.floor(name.length / 3) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** ` Did you mean "x"?` when a candidate is near, else an empty string: the last part of an unknown-name message. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const nearest = hasSuggestions ? nearestName(name, candidates) : undefined;
  return nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
}

/**
 * Refuses options that do not exist, which would otherwise be left out in silence.
 * @param what begins the message: "explain"
 * @throws TypeError that offers the nearest name and lists all
 */
export function refuseUnknownOptions(what: string, options: unknown, known: readonly string[]): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const got = Array.isArray(options)
      ? "an array"
      : options === null
        ? "null"
        : `the ${typeof options} ${String(options)}`;
    throw new TypeError(`${what}: options must be an object such as { ${known[0]}: ... }, got ${got}.`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TypeError(
    `${what}: unknown option "${unknown}".${didYouMean(unknown, known)} It takes ${known.join(", ")}.`,
  );
}
