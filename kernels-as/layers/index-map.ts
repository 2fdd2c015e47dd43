// Layers that move values: every output is one input value or a constant.

/**
 * y[r, i] = index[r, i] < 0 ? fill : x[index[r, i]]; rows [begin, end) are written.
 * Layout: y rows of `length` floats, yRow apart; index i32 [rows, length], in elements of x from its first pixel on. y may not alias x.
 * Source: definition.
 */
export function gatherForward(
  y: usize, yRow: i32, x: usize, index: usize, length: i32, fill: f32, begin: i32, end: i32
): void {
  for (let r = begin; r < end; r++) {
    let o = y + (<usize>r * <usize>yRow << 2);
    let k = index + (<usize>r * <usize>length << 2);
    for (const stop = o + (<usize>length << 2); o < stop; o += 4, k += 4) {
      const at = i32.load(k);
      f32.store(o, at < 0 ? fill : f32.load(x + (<usize>at << 2)));
    }
  }
}

/**
 * dx[index[i]] += dy[i] for all i of [begin, end) with index[i] >= 0; dx must be zero before.
 * Layout: dy and index without gaps, dx as index says. Not to be split: places may coincide.
 * Source: adjoint of gatherForward.
 */
export function gatherBackward(dx: usize, dy: usize, index: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i++) {
    const at = i32.load(index + (<usize>i << 2));
    if (at < 0) continue;
    const to = dx + (<usize>at << 2);
    f32.store(to, f32.load(to) + f32.load(dy + (<usize>i << 2)));
  }
}

/**
 * As gatherBackward, where many outputs are one input: sums in double, rounded once; dx [0, size) is overwritten.
 * Layout: scratch sums f64 [size]. Not to be split: places may coincide.
 * Source: adjoint of gatherForward.
 */
export function gatherBackwardSums(dx: usize, sums: usize, dy: usize, index: usize, count: i32, size: i32): void {
  memory.fill(sums, 0, <usize>size << 3);
  for (let i = 0; i < count; i++) {
    const at = i32.load(index + (<usize>i << 2));
    if (at < 0) continue;
    const to = sums + (<usize>at << 3);
    f64.store(to, f64.load(to) + <f64>f32.load(dy + (<usize>i << 2)));
  }
  for (let i = 0; i < size; i++) f32.store(dx + (<usize>i << 2), <f32>f64.load(sums + (<usize>i << 3)));
}
