// Functions of one value, in float64 inside, two values at once, and rounded once: their exp and log are the module's own, so that no host
// decides the bytes.
import { highOf, lowOf, rounded } from "../common/pairs";
import {
  bellPair, celuPair, eluPair, erfPair, expPair, geluPair, geluTanhPair, hardPair, logisticPair, logPair, mishPair, normalPair, softplusPair,
  tanhPair
} from "./activation-pairs";
import {
  erfSlope, expSlope, geluSlope, geluSlopeOf, geluTanhSlope, hardSlope, hardSwishSlope, logisticSlope, mishSlope, rootSlope, signPair,
  siluSlope, softsignSlope, tanhSlope, thresholdSlope
} from "./activation-slopes";

const sigmoid = 0;
const tanh = 1;
const silu = 2;
const hardSigmoid = 3;
const hardSwish = 4;
const gelu = 5;
const geluTanh = 6;
const elu = 7;
const celu = 8;
const mish = 9;
const softplus = 10;
const softsign = 11;
const exponential = 12;
const logarithm = 13;
const root = 14;
const absolute = 15;
const power = 16;
const reciprocal = 17;
const errorFunction = 18;
const threshold = 19;
const sign = 20;

/** x^a; the exponents that networks have, squares and roots, without logarithms. */
function powerOf(x: f64, a: f64): f64 {
  if (a == 2) return x * x;
  if (a == 3) return x * x * x;
  if (a == 0.5 && x >= 0) return Math.sqrt(x);
  return Math.pow(x, a);
}

/** x^a of two values. */
@inline
function powerPair(x: v128, a: f64): v128 {
  return f64x2.replace_lane(f64x2.splat(powerOf(f64x2.extract_lane(x, 0), a)), 1, powerOf(f64x2.extract_lane(x, 1), a));
}

/** f of two values. */
@inline
function pairOf(kind: i32, x: v128, a: f64, b: f64): v128 {
  switch (kind) {
    case sigmoid: return logisticPair(x);
    case tanh: return tanhPair(x);
    case silu: return f64x2.mul(x, logisticPair(f64x2.mul(f64x2.splat(a), x)));
    case hardSigmoid: return hardPair(x, a, b);
    case hardSwish: return f64x2.mul(x, hardPair(x, a, b));
    case gelu: return geluPair(x);
    case geluTanh: return geluTanhPair(x);
    case elu: return eluPair(x, a, b);
    case celu: return celuPair(x, a);
    case mish: return mishPair(x);
    case softplus: return softplusPair(x);
    case softsign: return f64x2.div(x, f64x2.add(f64x2.splat(1), f64x2.abs(x)));
    case exponential: return expPair(x);
    case logarithm: return logPair(x);
    case root: return f64x2.sqrt(x);
    case absolute: return f64x2.abs(x);
    case power: return powerPair(x, a);
    case reciprocal: return f64x2.div(f64x2.splat(1), x);
    case errorFunction: return erfPair(x);
    case threshold: return v128.and(x, f64x2.gt(x, f64x2.splat(a)));
    case sign: return signPair(x);
    default: return f64x2.splat(NaN);
  }
}

/** f' of two values. */
@inline
function slopeOf(kind: i32, x: v128, a: f64, b: f64): v128 {
  const one = f64x2.splat(1);
  switch (kind) {
    case sigmoid: return logisticSlope(x);
    case tanh: return tanhSlope(x);
    case silu: return siluSlope(x, a);
    case hardSigmoid: return hardSlope(x, a, b);
    case hardSwish: return hardSwishSlope(x, a, b);
    case gelu: return geluSlope(x);
    case geluTanh: return geluTanhSlope(x);
    case elu: return f64x2.mul(f64x2.splat(b), expSlope(x, a, 1));
    case celu: return expSlope(x, 1, a);
    case mish: return mishSlope(x);
    case softplus: return logisticPair(x);
    case softsign: return softsignSlope(x);
    case exponential: return expPair(x);
    case logarithm: return f64x2.div(one, x);
    case root: return rootSlope(x);
    case absolute: return signPair(x);
    case power: {
      const slope = f64x2.mul(f64x2.splat(a), powerPair(x, a - 1));
      return a < 1 ? v128.and(slope, f64x2.ne(x, f64x2.splat(0))) : slope;
    }
    case reciprocal: return f64x2.neg(f64x2.div(one, f64x2.mul(x, x)));
    case errorFunction: return erfSlope(x);
    case threshold: return thresholdSlope(x, a);
    case sign: return f64x2.splat(0);
    default: return f64x2.splat(NaN);
  }
}

/** dx where dy is not 0, and where it must be positive and is not, 0. */
@inline
function passing(dx: v128, dy: v128, positiveOnly: i32): v128 {
  const zero = f32x4.splat(0);
  return v128.and(dx, positiveOnly ? f32x4.gt(dy, zero) : f32x4.ne(dy, zero));
}

/** f of four values, each rounded once. */
@inline
function fourOf(kind: i32, v: v128, a: f64, b: f64): v128 {
  return rounded(pairOf(kind, lowOf(v), a, b), pairOf(kind, highOf(v), a, b));
}

/** f' of four values times dy, rounded once; 0 where dy is, and where it must be positive and is not. */
@inline
function fourSlopes(kind: i32, v: v128, dy: v128, a: f64, b: f64, positiveOnly: i32): v128 {
  const low = f64x2.mul(slopeOf(kind, lowOf(v), a, b), lowOf(dy));
  const high = f64x2.mul(slopeOf(kind, highOf(v), a, b), highOf(dy));
  return passing(rounded(low, high), dy, positiveOnly);
}

// The functions that large networks have, each a loop of its own: V8 keeps their constants in registers, where a loop over all of them chooses
// anew for every pair.

function sigmoidRow(o: usize, p: usize, stop: usize, a: f64, b: f64): void {
  for (; o < stop; o += 16, p += 16) v128.store(o, fourOf(sigmoid, v128.load(p), a, b));
}

function siluRow(o: usize, p: usize, stop: usize, a: f64, b: f64): void {
  for (; o < stop; o += 16, p += 16) v128.store(o, fourOf(silu, v128.load(p), a, b));
}

function hardSigmoidRow(o: usize, p: usize, stop: usize, a: f64, b: f64): void {
  for (; o < stop; o += 16, p += 16) v128.store(o, fourOf(hardSigmoid, v128.load(p), a, b));
}

function hardSwishRow(o: usize, p: usize, stop: usize, a: f64, b: f64): void {
  for (; o < stop; o += 16, p += 16) v128.store(o, fourOf(hardSwish, v128.load(p), a, b));
}

// V8 reads all constants of a block before it computes anything, and keeps on the stack what does not fit 15 registers. A way out in the middle
// makes two blocks of it (4.7 to 3.9 ns a value).
function geluRow(o: usize, p: usize, stop: usize): void {
  for (; o < stop; o += 16, p += 16) {
    const v = v128.load(p);
    const x = lowOf(v), x2 = highOf(v);
    const bell = bellPair(x), bell2 = bellPair(x2);
    if (p == 0) break;
    v128.store(o, rounded(f64x2.mul(x, normalPair(x, bell)), f64x2.mul(x2, normalPair(x2, bell2))));
  }
}

function anyRow(kind: i32, o: usize, p: usize, stop: usize, a: f64, b: f64): void {
  for (; o < stop; o += 16, p += 16) v128.store(o, fourOf(kind, v128.load(p), a, b));
}

function sigmoidSlopeRow(o: usize, q: usize, p: usize, stop: usize, a: f64, b: f64, positiveOnly: i32): void {
  for (; o < stop; o += 16, p += 16, q += 16) v128.store(o, fourSlopes(sigmoid, v128.load(p), v128.load(q), a, b, positiveOnly));
}

function siluSlopeRow(o: usize, q: usize, p: usize, stop: usize, a: f64, b: f64, positiveOnly: i32): void {
  for (; o < stop; o += 16, p += 16, q += 16) v128.store(o, fourSlopes(silu, v128.load(p), v128.load(q), a, b, positiveOnly));
}

function hardSigmoidSlopeRow(o: usize, q: usize, p: usize, stop: usize, a: f64, b: f64, positiveOnly: i32): void {
  for (; o < stop; o += 16, p += 16, q += 16) v128.store(o, fourSlopes(hardSigmoid, v128.load(p), v128.load(q), a, b, positiveOnly));
}

function hardSwishSlopeRow(o: usize, q: usize, p: usize, stop: usize, a: f64, b: f64, positiveOnly: i32): void {
  for (; o < stop; o += 16, p += 16, q += 16) v128.store(o, fourSlopes(hardSwish, v128.load(p), v128.load(q), a, b, positiveOnly));
}

function geluSlopeRow(o: usize, q: usize, p: usize, stop: usize, positiveOnly: i32): void {
  for (; o < stop; o += 16, p += 16, q += 16) {
    const v = v128.load(p);
    const x = lowOf(v), x2 = highOf(v);
    const bell = bellPair(x), bell2 = bellPair(x2);
    if (p == 0) break;
    const dy = v128.load(q);
    const dx = rounded(f64x2.mul(geluSlopeOf(x, bell), lowOf(dy)), f64x2.mul(geluSlopeOf(x2, bell2), highOf(dy)));
    v128.store(o, passing(dx, dy, positiveOnly));
  }
}

function anySlopeRow(kind: i32, o: usize, q: usize, p: usize, stop: usize, a: f64, b: f64, positiveOnly: i32): void {
  for (; o < stop; o += 16, p += 16, q += 16) v128.store(o, fourSlopes(kind, v128.load(p), v128.load(q), a, b, positiveOnly));
}

/** f of one value, by the arithmetic of four, so that a value's place decides nothing. */
function oneOf(kind: i32, x: f32, a: f64, b: f64): f32 {
  return f32x4.extract_lane(f32x4.demote_f64x2_zero(pairOf(kind, f64x2.splat(<f64>x), a, b)), 0);
}

/** The same of f'. */
function oneSlope(kind: i32, x: f32, dy: f32, a: f64, b: f64, positiveOnly: i32): f32 {
  return f32x4.extract_lane(fourSlopes(kind, f32x4.splat(x), f32x4.splat(dy), a, b, positiveOnly), 0);
}

/**
 * y[r, i] = f(x[r, i]) for the function `kind` with parameters a and b; rows [begin, end) are written.
 * Layout: rows of `length` floats with strides in elements; y may alias x.
 * Source: the functions' definitions in ONNX and PyTorch, see ActivationFunction of the engine.
 */
export function activationForward(
  y: usize, yRow: i32, x: usize, xRow: i32, length: i32, kind: i32, a: f64, b: f64, begin: i32, end: i32
): void {
  const wholeBytes = <usize>(length & ~3) << 2;
  for (let r = begin; r < end; r++) {
    const p = x + (<usize>r * <usize>xRow << 2);
    const o = y + (<usize>r * <usize>yRow << 2);
    const stop = o + wholeBytes;
    switch (kind) {
      case sigmoid: sigmoidRow(o, p, stop, a, b); break;
      case silu: siluRow(o, p, stop, a, b); break;
      case hardSigmoid: hardSigmoidRow(o, p, stop, a, b); break;
      case hardSwish: hardSwishRow(o, p, stop, a, b); break;
      case gelu: geluRow(o, p, stop); break;
      default: anyRow(kind, o, p, stop, a, b);
    }
    for (let i = wholeBytes; i < <usize>length << 2; i += 4) f32.store(o + i, oneOf(kind, f32.load(p + i), a, b));
  }
}

/**
 * dx[r, i] = f'(x[r, i]) * dy[r, i], 0 where dy[r, i] is, and where positiveOnly and dy[r, i] <= 0; rows [begin, end) are written.
 * Layout: as activationForward; dx may alias dy.
 * Source: derivatives of the functions above.
 */
export function activationGrad(
  dx: usize, dxRow: i32, dy: usize, dyRow: i32, x: usize, xRow: i32, length: i32, kind: i32, a: f64, b: f64, positiveOnly: i32,
  begin: i32, end: i32
): void {
  const wholeBytes = <usize>(length & ~3) << 2;
  for (let r = begin; r < end; r++) {
    const p = x + (<usize>r * <usize>xRow << 2);
    const q = dy + (<usize>r * <usize>dyRow << 2);
    const o = dx + (<usize>r * <usize>dxRow << 2);
    const stop = o + wholeBytes;
    switch (kind) {
      case sigmoid: sigmoidSlopeRow(o, q, p, stop, a, b, positiveOnly); break;
      case silu: siluSlopeRow(o, q, p, stop, a, b, positiveOnly); break;
      case hardSigmoid: hardSigmoidSlopeRow(o, q, p, stop, a, b, positiveOnly); break;
      case hardSwish: hardSwishSlopeRow(o, q, p, stop, a, b, positiveOnly); break;
      case gelu: geluSlopeRow(o, q, p, stop, positiveOnly); break;
      default: anySlopeRow(kind, o, q, p, stop, a, b, positiveOnly);
    }
    for (let i = wholeBytes; i < <usize>length << 2; i += 4) {
      f32.store(o + i, oneSlope(kind, f32.load(p + i), f32.load(q + i), a, b, positiveOnly));
    }
  }
}
