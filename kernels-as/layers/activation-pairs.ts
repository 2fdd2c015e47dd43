// Functions of two float64 values at once; within some roundings of float64, so that what is rounded to float32 is right but for ties.

const ln2High: f64 = 0.6931471803691238; // 32 bits, so that its multiples up to 2^20 are exact
const ln2Low: f64 = 1.9082149292705877e-10;
const rounder: f64 = 6755399441055744; // 1.5 2^52: added to a number it leaves the nearest integer in the last bits

/** c + x d. */
@inline
function linear(c: f64, x: v128, d: f64): v128 {
  return f64x2.add(f64x2.splat(c), f64x2.mul(x, f64x2.splat(d)));
}

/**
 * e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2 and e^r by its series to r^11 / 11!: the next term is below 7e-15. From -708 to 709;
 * beyond that the value at the end, which is 0 or infinite as float32.
 * Source: Taylor, summed in pairs (Estrin); the reduction as in fdlibm's e_exp.c.
 */
@inline
export function expPair(x: v128): v128 {
  const y = f64x2.pmin(f64x2.pmax(x, f64x2.splat(-708)), f64x2.splat(709));
  const t = f64x2.add(f64x2.mul(y, f64x2.splat(1.4426950408889634)), f64x2.splat(rounder));
  const n = f64x2.sub(t, f64x2.splat(rounder));
  const r = f64x2.sub(f64x2.sub(y, f64x2.mul(n, f64x2.splat(ln2High))), f64x2.mul(n, f64x2.splat(ln2Low)));
  const r2 = f64x2.mul(r, r);
  const r4 = f64x2.mul(r2, r2);
  const low = f64x2.add(linear(1, r, 1), f64x2.mul(r2, linear(0.5, r, 1.0 / 6)));
  const middle = f64x2.add(linear(1.0 / 24, r, 1.0 / 120), f64x2.mul(r2, linear(1.0 / 720, r, 1.0 / 5040)));
  const high = f64x2.add(linear(1.0 / 40320, r, 1.0 / 362880), f64x2.mul(r2, linear(1.0 / 3628800, r, 1.0 / 39916800)));
  const s = f64x2.add(low, f64x2.mul(r4, f64x2.add(middle, f64x2.mul(r4, high))));
  // n is in the last bits of t; added to the exponent's.
  return i64x2.add(s, i64x2.shl(t, 52));
}

/** 1 / (1 + e^-x). */
@inline
export function logisticPair(x: v128): v128 {
  const one = f64x2.splat(1);
  return f64x2.div(one, f64x2.add(one, expPair(f64x2.neg(x))));
}

/** tanh x = 1 - 2 / (1 + e^2x), and by its series to x^7 where |x| < 0.02 and the difference would cancel; the next term is below 6e-16. */
@inline
export function tanhPair(x: v128): v128 {
  const one = f64x2.splat(1);
  const two = f64x2.splat(2);
  const far = f64x2.sub(one, f64x2.div(two, f64x2.add(one, expPair(f64x2.mul(two, x)))));
  const q = f64x2.mul(x, x);
  let s = f64x2.splat(-17.0 / 315);
  s = f64x2.add(f64x2.mul(s, q), f64x2.splat(2.0 / 15));
  s = f64x2.add(f64x2.mul(s, q), f64x2.splat(-1.0 / 3));
  const near = f64x2.add(x, f64x2.mul(x, f64x2.mul(q, s)));
  return v128.bitselect(near, far, f64x2.lt(f64x2.abs(x), f64x2.splat(0.02)));
}

/** e^x - 1 for x <= 0, and by its series where |x| < 1e-4. */
@inline
function expMinusOnePair(x: v128): v128 {
  const far = f64x2.sub(expPair(x), f64x2.splat(1));
  const s = f64x2.add(f64x2.splat(0.5), f64x2.mul(x, f64x2.splat(1.0 / 6)));
  const near = f64x2.add(x, f64x2.mul(f64x2.mul(x, x), s));
  return v128.bitselect(near, far, f64x2.lt(f64x2.abs(x), f64x2.splat(1e-4)));
}

/** b (x > 0 ? x : a (e^x - 1)). */
@inline
export function eluPair(x: v128, a: f64, b: f64): v128 {
  const below = f64x2.mul(f64x2.splat(a), expMinusOnePair(f64x2.pmin(x, f64x2.splat(0))));
  return f64x2.mul(f64x2.splat(b), v128.bitselect(x, below, f64x2.gt(x, f64x2.splat(0))));
}

/** x > 0 ? x : a (e^(x / a) - 1). */
@inline
export function celuPair(x: v128, a: f64): v128 {
  const scale = f64x2.splat(a);
  const below = f64x2.mul(scale, expMinusOnePair(f64x2.div(f64x2.pmin(x, f64x2.splat(0)), scale)));
  return v128.bitselect(x, below, f64x2.gt(x, f64x2.splat(0)));
}

/** min(max(a x + b, 0), 1). */
@inline
export function hardPair(x: v128, a: f64, b: f64): v128 {
  const y = f64x2.add(f64x2.mul(f64x2.splat(a), x), f64x2.splat(b));
  return f64x2.pmin(f64x2.pmax(y, f64x2.splat(0)), f64x2.splat(1));
}

/** x tanh(ln(1 + e^x)) = x (e^2x + 2 e^x) / (e^2x + 2 e^x + 2); from x = 300 on the quotient is 1. */
@inline
export function mishPair(x: v128): v128 {
  const two = f64x2.splat(2);
  const e = expPair(f64x2.pmin(x, f64x2.splat(300)));
  const s = f64x2.mul(e, f64x2.add(e, two));
  return f64x2.mul(x, f64x2.div(s, f64x2.add(s, two)));
}

/** 1 - erf(x) for x >= 0: `complementary` of activation.ts. */
@inline
function complementaryPair(x: v128): v128 {
  const t = f64x2.div(f64x2.splat(2), f64x2.add(f64x2.splat(2), x));
  const u = f64x2.mul(f64x2.splat(2), f64x2.sub(f64x2.mul(f64x2.splat(2), t), f64x2.splat(1)));
  let c = f64x2.splat(0);
  let b = f64x2.splat(6.693534615465069e-15);
  let d: v128;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(6.972200594645983e-16)); c = b; b = d;
  d = f64x2.sub(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(1.127586912730294e-13)); c = b; b = d;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(3.132161197072492e-13)); c = b; b = d;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(8.941558604647071e-13)); c = b; b = d;
  d = f64x2.sub(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(6.8861227831007455e-12)); c = b; b = d;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(2.3941737481436575e-12)); c = b; b = d;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(9.646826448772572e-11)); c = b; b = d;
  d = f64x2.sub(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(2.273651644735253e-10)); c = b; b = d;
  d = f64x2.sub(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(9.913638709946326e-10)); c = b; b = d;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(5.059343552993312e-9)); c = b; b = d;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(6.529054679127455e-9)); c = b; b = d;
  d = f64x2.sub(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(8.523809627902778e-8)); c = b; b = d;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(1.5626441842719884e-8)); c = b; b = d;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(1.303655835496187e-6)); c = b; b = d;
  d = f64x2.sub(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(1.6242900046581355e-6)); c = b; b = d;
  d = f64x2.sub(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(2.027857811258471e-5)); c = b; b = d;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(4.252332480734422e-5)); c = b; b = d;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(3.668394978526379e-4)); c = b; b = d;
  d = f64x2.sub(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(9.465953444817848e-4)); c = b; b = d;
  d = f64x2.sub(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(9.561514786808889e-3)); c = b; b = d;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(1.947647320418593e-2)); c = b; b = d;
  d = f64x2.add(f64x2.sub(f64x2.mul(u, b), c), f64x2.splat(6.419697923564901e-1)); c = b; b = d;
  const exponent = f64x2.sub(f64x2.sub(f64x2.mul(f64x2.mul(f64x2.splat(0.5), u), b), f64x2.mul(x, x)), f64x2.add(c, f64x2.splat(0.6513268598908546)));
  return f64x2.mul(t, expPair(exponent));
}

/** x (1 + erf(x / sqrt 2)) / 2, with all digits far below 0. */
@inline
export function geluPair(x: v128): v128 {
  const half = f64x2.mul(f64x2.splat(0.5), complementaryPair(f64x2.mul(f64x2.abs(x), f64x2.splat(0.7071067811865476))));
  const normal = v128.bitselect(half, f64x2.sub(f64x2.splat(1), half), f64x2.lt(x, f64x2.splat(0)));
  return f64x2.mul(x, normal);
}

/** erf x. */
@inline
export function erfPair(x: v128): v128 {
  const one = f64x2.splat(1);
  const rest = complementaryPair(f64x2.abs(x));
  return v128.bitselect(f64x2.sub(rest, one), f64x2.sub(one, rest), f64x2.lt(x, f64x2.splat(0)));
}
