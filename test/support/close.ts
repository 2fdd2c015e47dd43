import * as assert from "uvu/assert";

/** Largest absolute difference and where it is. */
export interface Difference {
  readonly largest: number;
  readonly index: number;
}

/** Largest |actual - expected|; NaN counts as infinitely far. */
export function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): Difference {
  assert.is(actual.length, expected.length, `lengths differ: got ${actual.length}, expected ${expected.length}`);
  let largest = 0;
  let index = -1;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i] ?? Number.NaN;
    const e = expected[i] ?? Number.NaN;
    const d = Object.is(a, e) || a === e ? 0 : Math.abs(a - e);
    if (!(d <= largest)) {
      largest = Number.isNaN(d) ? Number.POSITIVE_INFINITY : d;
      index = i;
    }
  }
  return { largest, index };
}

/** Asserts |actual - expected| <= tolerance everywhere; the message names the worst element. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  const { largest, index } = difference(actual, expected);
  assert.ok(
    largest <= tolerance,
    `${what}: element ${index} is ${actual[index]}, expected ${expected[index]} (difference ${largest}, tolerance ${tolerance})`,
  );
}

/** sqrt(sum (a-e)^2 / sum e^2). */
export function relativeL2(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.is(actual.length, expected.length, "lengths differ");
  let error = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    const e = expected[i] ?? Number.NaN;
    error += ((actual[i] ?? Number.NaN) - e) ** 2;
    norm += e * e;
  }
  return Math.sqrt(error / norm);
}

/** Pearson correlation. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.is(a.length, b.length, "lengths differ");
  let sa = 0;
  let sb = 0;
  for (let i = 0; i < a.length; i++) {
    sa += a[i] ?? Number.NaN;
    sb += b[i] ?? Number.NaN;
  }
  const ma = sa / a.length;
  const mb = sb / b.length;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const da = (a[i] ?? Number.NaN) - ma;
    const db = (b[i] ?? Number.NaN) - mb;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Asserts |actual - expected| <= bounds[i] for every i; the message names the element that exceeds its bound most. */
export function assertWithin(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bounds: ArrayLike<number>,
  what: string,
): void {
  assert.is(actual.length, expected.length, `${what}: lengths differ`);
  let worst = -1;
  let excess = 0;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i] ?? Number.NaN;
    const e = expected[i] ?? Number.NaN;
    if (Object.is(a, e) || a === e) continue;
    const over = Math.abs(a - e) - (bounds[i] ?? 0);
    if (!(over <= excess)) {
      worst = i;
      excess = Number.isNaN(over) ? Number.POSITIVE_INFINITY : over;
    }
  }
  assert.ok(
    worst < 0,
    `${what}: element ${worst} is ${actual[worst]}, expected ${expected[worst]} (bound ${bounds[worst]})`,
  );
}
