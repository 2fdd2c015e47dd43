// Derivatives of the functions of activation.ts, two float64 values at once; 0 at kinks, where the left and the right one differ.
import { bellPair, cubic, expPair, logisticPair, normalPair } from "./activation-pairs";

const rootOfTwoOverPi: f64 = 0.7978845608028654;
const rootOfPi: f64 = 1.772453850905516;

/** a + x b. */
@inline
function sum(a: v128, x: v128, b: v128): v128 {
  return f64x2.add(a, f64x2.mul(x, b));
}

/** where ? 1 : 0. */
@inline
function oneWhere(where: v128): v128 {
  return v128.and(where, f64x2.splat(1));
}

/** y (1 - y). */
@inline
export function logisticSlope(x: v128): v128 {
  const y = logisticPair(x);
  return f64x2.mul(y, f64x2.sub(f64x2.splat(1), y));
}

/** 1 - tanh^2 x = 4 e / (1 + e)^2 with e = e^-2|x|, which does not cancel. */
@inline
export function tanhSlope(x: v128): v128 {
  const e = expPair(f64x2.mul(f64x2.splat(-2), f64x2.abs(x)));
  const d = f64x2.add(f64x2.splat(1), e);
  return f64x2.div(f64x2.mul(f64x2.splat(4), e), f64x2.mul(d, d));
}

/** y + u y (1 - y) with u = a x and y = 1 / (1 + e^-u). */
@inline
export function siluSlope(x: v128, a: f64): v128 {
  const u = f64x2.mul(f64x2.splat(a), x);
  const y = logisticPair(u);
  return sum(y, u, f64x2.mul(y, f64x2.sub(f64x2.splat(1), y)));
}

/** a where 0 < a x + b < 1. */
@inline
export function hardSlope(x: v128, a: f64, b: f64): v128 {
  const y = f64x2.add(f64x2.mul(f64x2.splat(a), x), f64x2.splat(b));
  return v128.and(v128.and(f64x2.gt(y, f64x2.splat(0)), f64x2.lt(y, f64x2.splat(1))), f64x2.splat(a));
}

/** 0 where a x + b <= 0, 1 where it is at least 1, else 2 a x + b. */
@inline
export function hardSwishSlope(x: v128, a: f64, b: f64): v128 {
  const ax = f64x2.mul(f64x2.splat(a), x);
  const y = f64x2.add(ax, f64x2.splat(b));
  const inside = v128.bitselect(f64x2.splat(1), f64x2.add(ax, y), f64x2.ge(y, f64x2.splat(1)));
  return v128.andnot(inside, f64x2.le(y, f64x2.splat(0)));
}

/** N(x) + x n(x), the normal distribution and its density, where `bell` is bellPair(x). */
@inline
export function geluSlopeOf(x: v128, bell: v128): v128 {
  return sum(normalPair(x, bell), x, f64x2.mul(bell, f64x2.splat(0.5 * rootOfTwoOverPi)));
}

/** The same by itself. */
@inline
export function geluSlope(x: v128): v128 {
  return geluSlopeOf(x, bellPair(x));
}

/** y + x y (1 - y) 2u' with y = 1 / (1 + e^-2u). */
@inline
export function geluTanhSlope(x: v128): v128 {
  const y = logisticPair(f64x2.mul(f64x2.splat(2 * rootOfTwoOverPi), cubic(x)));
  const du = f64x2.mul(f64x2.splat(2 * rootOfTwoOverPi), sum(f64x2.splat(1), f64x2.mul(x, x), f64x2.splat(0.134145)));
  return sum(y, f64x2.mul(x, du), f64x2.mul(y, f64x2.sub(f64x2.splat(1), y)));
}

/** x > 0 ? 1 : a e^(x / c). */
@inline
export function expSlope(x: v128, a: f64, c: f64): v128 {
  const below = f64x2.mul(f64x2.splat(a), expPair(f64x2.div(f64x2.pmin(x, f64x2.splat(0)), f64x2.splat(c))));
  return v128.bitselect(f64x2.splat(1), below, f64x2.gt(x, f64x2.splat(0)));
}

/** t + x (1 - t^2) e / (1 + e) with t = s / (s + 2), s = e (e + 2); 1 - t^2 = 4 (s + 1) / (s + 2)^2, which does not cancel. */
@inline
export function mishSlope(x: v128): v128 {
  const one = f64x2.splat(1);
  const e = expPair(f64x2.pmin(x, f64x2.splat(300)));
  const s = f64x2.mul(e, f64x2.add(e, f64x2.splat(2)));
  const r = f64x2.div(one, f64x2.add(s, f64x2.splat(2)));
  const bend = f64x2.mul(f64x2.mul(f64x2.splat(4), r), f64x2.mul(f64x2.add(s, one), r));
  return sum(f64x2.mul(s, r), x, f64x2.mul(bend, f64x2.div(e, f64x2.add(one, e))));
}

/** 1 / (1 + |x|)^2. */
@inline
export function softsignSlope(x: v128): v128 {
  const d = f64x2.add(f64x2.splat(1), f64x2.abs(x));
  return f64x2.div(f64x2.splat(1), f64x2.mul(d, d));
}

/** x > 0 ? 1 / (2 sqrt x) : 0. */
@inline
export function rootSlope(x: v128): v128 {
  return v128.and(f64x2.div(f64x2.splat(0.5), f64x2.sqrt(x)), f64x2.gt(x, f64x2.splat(0)));
}

/** The sign of x. */
@inline
export function signPair(x: v128): v128 {
  const zero = f64x2.splat(0);
  return f64x2.sub(oneWhere(f64x2.gt(x, zero)), oneWhere(f64x2.lt(x, zero)));
}

/** 2 / sqrt pi e^(-x^2). */
@inline
export function erfSlope(x: v128): v128 {
  return f64x2.mul(f64x2.splat(2 / rootOfPi), expPair(f64x2.neg(f64x2.mul(x, x))));
}

/** x > a ? 1 : 0. */
@inline
export function thresholdSlope(x: v128, a: f64): v128 {
  return oneWhere(f64x2.gt(x, f64x2.splat(a)));
}
