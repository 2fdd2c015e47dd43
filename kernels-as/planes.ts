// Passes over stacks of float64 planes [count,height,width]: kernels of the Salient Relevance step. Rows are counted through
// the stack: row n belongs to plane n / height.

/**
 * Sum of planes over a divisor.
 *   out[i] = (sum over k of planes[k,i]) / divisor
 * Layout: out [length], planes [count,length], float64. out may not alias planes. Elements [begin,end) are written.
 */
export function sumPlanes(
  out: usize,
  planes: usize,
  count: i32,
  length: i32,
  divisor: f64,
  begin: i32,
  end: i32,
): void {
  const pitch = (<usize>length) << 3;
  const planesEnd = planes + <usize>count * pitch;
  const all = f64x2.splat(divisor);
  let at = (<usize>begin) << 3;
  const stop = (<usize>end) << 3;
  for (; at + 16 <= stop; at += 16) {
    let s = f64x2.splat(0);
    for (let p = planes + at; p < planesEnd; p += pitch) s = f64x2.add(s, v128.load(p));
    v128.store(out + at, f64x2.div(s, all));
  }
  if (at < stop) {
    let s = 0.0;
    for (let p = planes + at; p < planesEnd; p += pitch) s += load<f64>(p);
    store<f64>(out + at, s / divisor);
  }
}
