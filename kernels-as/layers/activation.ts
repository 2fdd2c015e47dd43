// Functions of one value, in float64 inside and rounded once: their exp, log and pow are the module's own, so that no host decides the bytes.
// The forward pass of most takes two values at once (activation-pairs.ts).
import { celuPair, eluPair, erfPair, expPair, geluPair, hardPair, logisticPair, mishPair, tanhPair } from "./activation-pairs";

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

const rootOfHalf: f64 = 0.7071067811865476;
const rootOfTwoOverPi: f64 = 0.7978845608028654;
const rootOfPi: f64 = 1.772453850905516;

/** 1 / (1 + e^-x). */
@inline
function logistic(x: f64): f64 {
  return 1 / (1 + Math.exp(-x));
}

/** ln(1 + e^x), without overflow. */
@inline
function softplusOf(x: f64): f64 {
  return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
}

/**
 * 1 - erf(x), for x >= 0: t e^(-x^2 + P(2t - 1)) with t = 2 / (2 + x) and P a Chebyshev sum over ln(e^(x^2) erfc(x) / t); within 2e-15.
 * Source: form as in Press et al., Numerical Recipes, 6.2.2; coefficients fitted to float64 values at 200 Chebyshev nodes.
 */
function complementary(x: f64): f64 {
  const t = 2 / (2 + x);
  const u = 2 * (2 * t - 1);
  // Clenshaw's recurrence, from the last coefficient to the second.
  let c: f64 = 0;
  let b: f64 = 6.693534615465069e-15;
  let d = u * b - c + 6.972200594645983e-16; c = b; b = d;
  d = u * b - c - 1.127586912730294e-13; c = b; b = d;
  d = u * b - c + 3.132161197072492e-13; c = b; b = d;
  d = u * b - c + 8.941558604647071e-13; c = b; b = d;
  d = u * b - c - 6.8861227831007455e-12; c = b; b = d;
  d = u * b - c + 2.3941737481436575e-12; c = b; b = d;
  d = u * b - c + 9.646826448772572e-11; c = b; b = d;
  d = u * b - c - 2.273651644735253e-10; c = b; b = d;
  d = u * b - c - 9.913638709946326e-10; c = b; b = d;
  d = u * b - c + 5.059343552993312e-9; c = b; b = d;
  d = u * b - c + 6.529054679127455e-9; c = b; b = d;
  d = u * b - c - 8.523809627902778e-8; c = b; b = d;
  d = u * b - c + 1.5626441842719884e-8; c = b; b = d;
  d = u * b - c + 1.303655835496187e-6; c = b; b = d;
  d = u * b - c - 1.6242900046581355e-6; c = b; b = d;
  d = u * b - c - 2.027857811258471e-5; c = b; b = d;
  d = u * b - c + 4.252332480734422e-5; c = b; b = d;
  d = u * b - c + 3.668394978526379e-4; c = b; b = d;
  d = u * b - c - 9.465953444817848e-4; c = b; b = d;
  d = u * b - c - 9.561514786808889e-3; c = b; b = d;
  d = u * b - c + 1.947647320418593e-2; c = b; b = d;
  d = u * b - c + 6.419697923564901e-1; c = b; b = d;
  return t * Math.exp(-x * x + 0.5 * u * b - c - 0.6513268598908546);
}

/** (1 + erf(x / sqrt 2)) / 2: the normal distribution, with all digits far below 0. */
@inline
function normal(x: f64): f64 {
  const half = 0.5 * complementary(Math.abs(x) * rootOfHalf);
  return x < 0 ? half : 1 - half;
}

/** f(x) for the functions without a form for pairs. */
function valueOf(kind: i32, x: f64, a: f64, b: f64): f64 {
  switch (kind) {
    case softplus: return softplusOf(x);
    case softsign: return x / (1 + Math.abs(x));
    case logarithm: return Math.log(x);
    case root: return Math.sqrt(x);
    case absolute: return Math.abs(x);
    case power: return Math.pow(x, a);
    case reciprocal: return 1 / x;
    case threshold: return x > a ? x : 0;
    case sign: return x > 0 ? 1 : x < 0 ? -1 : 0;
    default: return NaN;
  }
}

/** f'(x); 0 at kinks, where the left and the right one differ. */
function slopeOf(kind: i32, x: f64, a: f64, b: f64): f64 {
  switch (kind) {
    case sigmoid: {
      const y = logistic(x);
      return y * (1 - y);
    }
    case tanh: {
      const y = Math.tanh(x);
      return 1 - y * y;
    }
    case silu: {
      const y = logistic(a * x);
      return y + a * x * y * (1 - y);
    }
    case hardSigmoid: {
      const y = a * x + b;
      return y > 0 && y < 1 ? a : 0;
    }
    case hardSwish: {
      const y = a * x + b;
      return y <= 0 ? 0 : y >= 1 ? 1 : 2 * a * x + b;
    }
    case gelu: return normal(x) + x * Math.exp(-0.5 * x * x) * (0.5 * rootOfTwoOverPi);
    case geluTanh: {
      const y = Math.tanh(rootOfTwoOverPi * (x + 0.044715 * x * x * x));
      return 0.5 * (1 + y) + 0.5 * x * (1 - y * y) * rootOfTwoOverPi * (1 + 0.134145 * x * x);
    }
    case elu: return b * (x > 0 ? 1 : a * Math.exp(x));
    case celu: return x > 0 ? 1 : Math.exp(x / a);
    case mish: {
      const y = Math.tanh(softplusOf(x));
      return y + x * (1 - y * y) * logistic(x);
    }
    case softplus: return logistic(x);
    case softsign: {
      const y = 1 + Math.abs(x);
      return 1 / (y * y);
    }
    case exponential: return Math.exp(x);
    case logarithm: return 1 / x;
    case root: return x > 0 ? 0.5 / Math.sqrt(x) : 0;
    case absolute: return x > 0 ? 1 : x < 0 ? -1 : 0;
    case power: return x == 0 && a < 1 ? 0 : a * Math.pow(x, a - 1);
    case reciprocal: return -1 / (x * x);
    case errorFunction: return (2 / rootOfPi) * Math.exp(-x * x);
    case threshold: return x > a ? 1 : 0;
    case sign: return 0;
    default: return NaN;
  }
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
    case geluTanh: {
      // (1 + tanh u) / 2 = 1 / (1 + e^-2u)
      const cube = f64x2.mul(f64x2.splat(0.044715), f64x2.mul(x, f64x2.mul(x, x)));
      return f64x2.mul(x, logisticPair(f64x2.mul(f64x2.splat(2 * rootOfTwoOverPi), f64x2.add(x, cube))));
    }
    case elu: return eluPair(x, a, b);
    case celu: return celuPair(x, a);
    case mish: return mishPair(x);
    case exponential: return expPair(x);
    case errorFunction: return erfPair(x);
    default:
      return f64x2.replace_lane(
        f64x2.splat(valueOf(kind, f64x2.extract_lane(x, 0), a, b)), 1, valueOf(kind, f64x2.extract_lane(x, 1), a, b));
  }
}

/**
 * y[r, i] = f(x[r, i]) for the function `kind` with parameters a and b; rows [begin, end) are written.
 * Layout: rows of `length` floats with strides in elements; y may alias x.
 * Source: the functions' definitions in ONNX and PyTorch, see ActivationFunction of the engine.
 */
export function activationForward(
  y: usize, yRow: i32, x: usize, xRow: i32, length: i32, kind: i32, a: f64, b: f64, begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    let p = x + (<usize>r * <usize>xRow << 2);
    let o = y + (<usize>r * <usize>yRow << 2);
    const stop = o + (<usize>length << 2);
    for (; o + 16 <= stop; o += 16, p += 16) {
      const v = v128.load(p);
      const low = pairOf(kind, f64x2.promote_low_f32x4(v), a, b);
      const high = pairOf(kind, f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1)), a, b);
      v128.store(o, v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2));
    }
    // What is left goes through the same arithmetic, so that a value's place decides nothing.
    for (; o < stop; o += 4, p += 4) {
      f32.store(o, <f32>f64x2.extract_lane(pairOf(kind, f64x2.splat(<f64>f32.load(p)), a, b), 0));
    }
  }
}

/**
 * dx[r, i] = f'(x[r, i]) * dy[r, i], 0 where positiveOnly and dy[r, i] <= 0; rows [begin, end) are written.
 * Layout: as activationForward; dx may alias dy.
 * Source: derivatives of the functions above.
 */
export function activationGrad(
  dx: usize, dxRow: i32, dy: usize, dyRow: i32, x: usize, xRow: i32, length: i32, kind: i32, a: f64, b: f64, positiveOnly: i32,
  begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    let p = x + (<usize>r * <usize>xRow << 2);
    let q = dy + (<usize>r * <usize>dyRow << 2);
    let o = dx + (<usize>r * <usize>dxRow << 2);
    for (const stop = o + (<usize>length << 2); o < stop; o += 4, p += 4, q += 4) {
      const v = f32.load(q);
      f32.store(o, v == 0 || (positiveOnly && v <= 0) ? 0 : <f32>(slopeOf(kind, <f64>f32.load(p), a, b) * <f64>v));
    }
  }
}

/**
 * y[r, i] = x < 0 ? slope[i % channels] * x : x; rows [begin, end) are written.
 * Source: PReLU, He et al. 2015.
 */
export function preluForward(
  y: usize, yRow: i32, x: usize, xRow: i32, slope: usize, width: i32, channels: i32, begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    let p = x + (<usize>r * <usize>xRow << 2);
    let o = y + (<usize>r * <usize>yRow << 2);
    for (let i = 0; i < width; i++) {
      for (let c = 0; c < channels; c++, p += 4, o += 4) {
        const v = f32.load(p);
        f32.store(o, v < 0 ? v * f32.load(slope + (<usize>c << 2)) : v);
      }
    }
  }
}

/**
 * dx[r, i] = x < 0 ? slope[i % channels] * dy : dy, 0 where positiveOnly and dy <= 0; rows [begin, end) are written.
 * Source: derivative of preluForward, that from the right at 0.
 */
export function preluGrad(
  dx: usize, dxRow: i32, dy: usize, dyRow: i32, x: usize, xRow: i32, slope: usize, width: i32, channels: i32, positiveOnly: i32,
  begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    let p = x + (<usize>r * <usize>xRow << 2);
    let q = dy + (<usize>r * <usize>dyRow << 2);
    let o = dx + (<usize>r * <usize>dxRow << 2);
    for (let i = 0; i < width; i++) {
      for (let c = 0; c < channels; c++, p += 4, q += 4, o += 4) {
        const v = f32.load(q);
        f32.store(o, positiveOnly && v <= 0 ? 0 : f32.load(p) < 0 ? v * f32.load(slope + (<usize>c << 2)) : v);
      }
    }
  }
}
