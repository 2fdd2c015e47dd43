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

/** Levenshtein distance of two strings, ignoring case. */
function editDistance(a: string, b: string): number {
  const s = a.toLowerCase();
  const t = b.toLowerCase();
  let row = Array.from({ length: t.length + 1 }, (_, j) => j);
  for (let i = 1; i <= s.length; i++) {
    const next = [i];
    for (let j = 1; j <= t.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (s[i - 1] === t[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[t.length] ?? 0;
}

/** The candidate closest to `name` by edit distance, or undefined when none is near (more than half of it differs). */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.ceil(name.length / 2)) + 1;
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
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
}
