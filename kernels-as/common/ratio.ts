// The ratio R / z of a relevance rule, and what becomes of the relevance that it does not hand on.

/** Lanes 0 and 2, 1 and 3, in float64. */
@inline
function promotedSum(v: v128): v128 {
  return f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 0)));
}

/**
 * Stabilised ratio of a rule, with its ledger.
 *   d = z + stabilizer * (signedStabilizer && z < 0 ? -1 : 1);  s[r, i] = d != 0 && gate ? coefficient * R[r, i] / d : 0
 *   gate: gateSign * g[r, i] > 0, or true where g is 0 (no gate)
 * Per row, ledger[r] = (sum s * bias[i % channels], sum s * (d - z), sum coefficient * R that no branch serves), float64: where the gate
 * is open and d = 0, and, booked by the branch with gateSign > 0, where g = 0. Gated branches come in pairs, 1 and -1.
 * Layout: rows of `length` floats; bias [channels] or 0; ledger f64 [rows][3]. s may alias z or R.
 * Source: docs/rules.md, the divisor s(z) and the ledger; sign(0) = +1.
 */
export function ratio(
  s: usize, sRow: i32, r: usize, rRow: i32, z: usize, zRow: i32, g: usize, gRow: i32, bias: usize, ledger: usize,
  length: i32, channels: i32, coefficient: f32, stabilizer: f32, signedStabilizer: i32, gateSign: f32, begin: i32, end: i32
): void {
  const zero = f32x4.splat(0);
  const coefficients = f32x4.splat(coefficient);
  const epsilon = f32x4.splat(stabilizer);
  const signBit = i32x4.splat(signedStabilizer ? 0x80000000 : 0);
  const gateSigns = f32x4.splat(gateSign);
  for (let row = begin; row < end; row++) {
    let a = r + (<usize>row * <usize>rRow << 2);
    let q = z + (<usize>row * <usize>zRow << 2);
    let h = g + (<usize>row * <usize>gRow << 2);
    let o = s + (<usize>row * <usize>sRow << 2);
    let biasSum = f64x2.splat(0);
    let stabilizerSum = f64x2.splat(0);
    let droppedSum = f64x2.splat(0);
    let c = 0;
    const quads = (channels & 3) == 0 || bias == 0; // a load of four biases never straddles two pixels
    let i = 0;
    while (i + 4 <= length) {
      // Four sums of at most sixteen terms in float32, then float64 (measured: twice as fast as float64 at once).
      let biases = zero, held = zero, lost = zero;
      for (const stop = min(i + 64, length & ~3); i < stop; i += 4) {
        const vz = v128.load(q);
        const vr = f32x4.mul(coefficients, v128.load(a));
        // z < 0 flips the stabiliser's sign; -0 counts as +0
        const e = v128.xor(epsilon, v128.and(signBit, f32x4.lt(vz, zero)));
        const d = f32x4.add(vz, e);
        let live = f32x4.ne(d, zero);
        if (g) {
          // Lost is what neither the branch of positive nor that of negative outputs serves.
          const signed = f32x4.mul(gateSigns, v128.load(h));
          const open = f32x4.gt(signed, zero);
          const nowhere = v128.andnot(open, live);
          lost = f32x4.add(lost, v128.and(vr, gateSign > 0 ? v128.or(nowhere, f32x4.eq(signed, zero)) : nowhere));
          live = v128.and(live, open);
        } else {
          lost = f32x4.add(lost, v128.andnot(vr, live));
        }
        const vs = v128.and(f32x4.div(vr, d), live);
        v128.store(o, vs);
        held = f32x4.add(held, f32x4.mul(vs, e));
        if (bias) {
          let b: v128;
          if (quads) {
            b = v128.load(bias + (<usize>c << 2));
            c += 4;
            if (c == channels) c = 0;
          } else {
            b = f32x4.splat(f32.load(bias + (<usize>c << 2)));
            if (++c == channels) c = 0;
            b = f32x4.replace_lane(b, 1, f32.load(bias + (<usize>c << 2)));
            if (++c == channels) c = 0;
            b = f32x4.replace_lane(b, 2, f32.load(bias + (<usize>c << 2)));
            if (++c == channels) c = 0;
            b = f32x4.replace_lane(b, 3, f32.load(bias + (<usize>c << 2)));
            if (++c == channels) c = 0;
          }
          biases = f32x4.add(biases, f32x4.mul(vs, b));
        }
        a += 16;
        q += 16;
        h += 16;
        o += 16;
      }
      biasSum = f64x2.add(biasSum, promotedSum(biases));
      stabilizerSum = f64x2.add(stabilizerSum, promotedSum(held));
      droppedSum = f64x2.add(droppedSum, promotedSum(lost));
    }
    let tailBias: f64 = 0, tailStabilizer: f64 = 0, tailDropped: f64 = 0;
    for (; i < length; i++) {
      const vz = f32.load(q);
      const vr = coefficient * f32.load(a);
      const e = signedStabilizer && vz < 0 ? -stabilizer : stabilizer;
      const d = vz + e;
      const open = !g || gateSign * f32.load(h) > 0;
      const live = d != 0 && open;
      const vs: f32 = live ? vr / d : 0;
      f32.store(o, vs);
      tailStabilizer += <f64>(vs * e);
      if ((open && d == 0) || (g && gateSign > 0 && f32.load(h) == 0)) tailDropped += <f64>vr;
      if (bias) {
        tailBias += <f64>(vs * f32.load(bias + (<usize>c << 2)));
        if (++c == channels) c = 0;
      }
      a += 4;
      q += 4;
      h += 4;
      o += 4;
    }
    const out = ledger + <usize>row * 24;
    f64.store(out, f64x2.extract_lane(biasSum, 0) + f64x2.extract_lane(biasSum, 1) + tailBias);
    f64.store(out, f64x2.extract_lane(stabilizerSum, 0) + f64x2.extract_lane(stabilizerSum, 1) + tailStabilizer, 8);
    f64.store(out, f64x2.extract_lane(droppedSum, 0) + f64x2.extract_lane(droppedSum, 1) + tailDropped, 16);
  }
}
