// Functions of two float64 values at once; within some roundings of float64, so that what is rounded to float32 is right but for ties.

const ln2High: f64 = 0.6931471803691238; // 32 bits, so that its multiples up to 2^20 are exact
const ln2Low: f64 = 1.9082149292705877e-10;
const rootOfTwoOverPi: f64 = 0.7978845608028654;
const rounder: f64 = 6755399441055744; // 1.5 2^52: added to a number it leaves the nearest integer in the last bits

/** c + x d. */
@inline
function linear(c: f64, x: v128, d: f64): v128 {
  return f64x2.add(f64x2.splat(c), f64x2.mul(x, f64x2.splat(d)));
}

// Coefficients lie in memory: V8 makes a constant of two lanes anew for every use, in three instructions, and reads it in one (silu: 2.7 to 2.3 ns a value).

/** Coefficient i of a table. */
@inline
function at(table: usize, i: usize): v128 {
  return v128.load_splat<f64>(table + (i << 3));
}

/** Coefficient i + x times the next. */
@inline
function pairAt(table: usize, i: usize, x: v128): v128 {
  return f64x2.add(at(table, i), f64x2.mul(x, at(table, i + 1)));
}

/** Coefficients i to i + 3 of a polynomial in x, x2 = x^2. */
@inline
function fourAt(table: usize, i: usize, x: v128, x2: v128): v128 {
  return f64x2.add(pairAt(table, i, x), f64x2.mul(x2, pairAt(table, i + 2, x)));
}

// e^r; the reduction: ends, 1 / ln 2, rounder, ln 2 in two parts.
const expTable = memory.data<f64>([
  1, 0.9999999999830591, 0.5000000000458432, 0.1666666687333345, 0.04166666453581526, 0.00833326875542957, 0.0013889155094753399,
  0.00019914680158186082, 2.473295625834838e-05, -708, 709, 1.4426950408889634, rounder, ln2High, ln2Low
]);
// P of normalPair.
const normalTable = memory.data<f64>([
  0.09973671027019275, 0.0997020088965889, 0.09394615199297346, 0.07754157210183116, 0.081712387420274, -0.022999320087576134,
  0.1957700545487847, -0.3152727263916085, 0.4246768777240568, -0.3929943002004204, 0.2118314053340009, -0.06101538310119062,
  0.007364561481210421
]);
// artanh(s) / s in s^2, up to 1/9 and up to 0.0295.
const wideTable = memory.data<f64>([
  1.0000000000025169, 0.3333333311350006, 0.2000003128834662, 0.142840505411752, 0.11152953829214508, 0.08558129395423185, 0.10939751136711019
]);
const narrowTable = memory.data<f64>([
  1.00000000000422, 0.3333333261899372, 0.2000019318722825, 0.14267476902538373, 0.11809045063859451
]);

/**
 * e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2, and e^r as 1 + r times a polynomial; within 9e-13 of it. From -708 to 709; beyond
 * that the value at the end, which is 0 or infinite as float32.
 * Source: coefficients fitted with the least relative error over the interval; summed in pairs (Estrin); the reduction as in fdlibm's e_exp.c.
 */
@inline
export function expPair(x: v128): v128 {
  const y = f64x2.pmin(f64x2.pmax(x, at(expTable, 9)), at(expTable, 10));
  const t = f64x2.add(f64x2.mul(y, at(expTable, 11)), at(expTable, 12));
  const n = f64x2.sub(t, at(expTable, 12));
  const r = f64x2.sub(f64x2.sub(y, f64x2.mul(n, at(expTable, 13))), f64x2.mul(n, at(expTable, 14)));
  const r2 = f64x2.mul(r, r);
  const r4 = f64x2.mul(r2, r2);
  const high = f64x2.add(fourAt(expTable, 4, r, r2), f64x2.mul(r4, at(expTable, 8)));
  const s = f64x2.add(fourAt(expTable, 0, r, r2), f64x2.mul(r4, high));
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

/** e^x - 1 for x <= 0, and by its series to x^5 where |x| < 0.02 and the difference would cancel; the next term is below 5e-12 of it. */
@inline
function expMinusOnePair(x: v128): v128 {
  const far = f64x2.sub(expPair(x), f64x2.splat(1));
  const x2 = f64x2.mul(x, x);
  const s = f64x2.add(linear(0.5, x, 1.0 / 6), f64x2.mul(x2, linear(1.0 / 24, x, 1.0 / 120)));
  const near = f64x2.add(x, f64x2.mul(x2, s));
  return v128.bitselect(near, far, f64x2.lt(f64x2.abs(x), f64x2.splat(0.02)));
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

/** e^(-x^2 / 2). */
@inline
export function bellPair(x: v128): v128 {
  return expPair(f64x2.mul(f64x2.mul(x, x), f64x2.splat(-0.5)));
}

/**
 * (1 + erf(x / sqrt 2)) / 2, the normal distribution, with all digits far below 0, where `bell` is bellPair(x). Its tail beyond |x| is bell t P(t)
 * with t = 4 / (4 + |x|); within 3e-11 of it up to |x| = 15, from where on x times it is 0 as float32.
 * Source: form as in Press et al., Numerical Recipes, 6.2.2; P fitted with the least relative error over the interval.
 */
@inline
export function normalPair(x: v128, bell: v128): v128 {
  const t = f64x2.div(f64x2.splat(4), f64x2.add(f64x2.splat(4), f64x2.abs(x)));
  const t2 = f64x2.mul(t, t);
  const t4 = f64x2.mul(t2, t2);
  const top = f64x2.add(fourAt(normalTable, 8, t, t2), f64x2.mul(t4, at(normalTable, 12)));
  const s = f64x2.add(fourAt(normalTable, 0, t, t2), f64x2.mul(t4, f64x2.add(fourAt(normalTable, 4, t, t2), f64x2.mul(t4, top))));
  const tail = f64x2.mul(bell, f64x2.mul(t, s));
  return v128.bitselect(tail, f64x2.sub(f64x2.splat(1), tail), f64x2.lt(x, f64x2.splat(0)));
}

/** x (1 + erf(x / sqrt 2)) / 2. */
@inline
export function geluPair(x: v128): v128 {
  return f64x2.mul(x, normalPair(x, bellPair(x)));
}

/** x (1 + tanh u) / 2 = x / (1 + e^-2u) with u = sqrt(2 / pi) (x + 0.044715 x^3). */
@inline
export function geluTanhPair(x: v128): v128 {
  return f64x2.mul(x, logisticPair(f64x2.mul(f64x2.splat(2 * rootOfTwoOverPi), cubic(x))));
}

/** x + 0.044715 x^3. */
@inline
export function cubic(x: v128): v128 {
  return f64x2.add(x, f64x2.mul(f64x2.splat(0.044715), f64x2.mul(x, f64x2.mul(x, x))));
}

/** ln(1 + e^x) = max(x, 0) + ln(1 + e), e = e^-|x|: 2 artanh(e / (2 + e)) by a polynomial in the square of that; within 3e-12. */
@inline
export function softplusPair(x: v128): v128 {
  const e = expPair(f64x2.neg(f64x2.abs(x)));
  const s = f64x2.div(e, f64x2.add(f64x2.splat(2), e));
  const q = f64x2.mul(s, s);
  const q2 = f64x2.mul(q, q);
  const high = f64x2.add(pairAt(wideTable, 4, q), f64x2.mul(q2, at(wideTable, 6)));
  const p = f64x2.add(pairAt(wideTable, 0, q), f64x2.mul(q2, f64x2.add(pairAt(wideTable, 2, q), f64x2.mul(q2, high))));
  return f64x2.add(f64x2.pmax(x, f64x2.splat(0)), f64x2.mul(f64x2.add(s, s), p));
}

/** erf x. */
@inline
export function erfPair(x: v128): v128 {
  const one = f64x2.splat(1);
  const rest = complementaryPair(f64x2.abs(x));
  return v128.bitselect(f64x2.sub(rest, one), f64x2.sub(one, rest), f64x2.lt(x, f64x2.splat(0)));
}

/**
 * ln x for x promoted from float32: -infinite at 0, NaN below it. x = 2^k m with m from sqrt(1/2) to sqrt 2, ln m = 2 artanh((m - 1) / (m + 1)) by a
 * polynomial in the square of that; within 5e-12.
 */
@inline
export function logPair(x: v128): v128 {
  const offset = i64x2.sub(x, f64x2.splat(0.7071067811865476));
  const k = i64x2.shr_s(offset, 52);
  const m = i64x2.sub(x, i64x2.shl(k, 52));
  const f = f64x2.sub(m, f64x2.splat(1));
  const s = f64x2.div(f, f64x2.add(f, f64x2.splat(2)));
  const q = f64x2.mul(s, s);
  const q2 = f64x2.mul(q, q);
  const middle = f64x2.add(pairAt(narrowTable, 2, q), f64x2.mul(q2, at(narrowTable, 4)));
  const p = f64x2.add(pairAt(narrowTable, 0, q), f64x2.mul(q2, middle));
  // k is in the last bits of rounder + k.
  const exponent = f64x2.sub(i64x2.add(f64x2.splat(rounder), k), f64x2.splat(rounder));
  const y = f64x2.add(f64x2.mul(exponent, f64x2.splat(0.6931471805599453)), f64x2.mul(f64x2.add(s, s), p));
  const infinite = f64x2.splat(Infinity);
  const finite = v128.bitselect(y, x, f64x2.lt(x, infinite));
  const positive = v128.bitselect(finite, f64x2.neg(infinite), f64x2.ne(x, f64x2.splat(0)));
  return v128.bitselect(f64x2.splat(NaN), positive, f64x2.lt(x, f64x2.splat(0)));
}
