// Passes over stacks of float64 planes [count,height,width]: kernels of the Salient Relevance step. Rows are counted through
// the stack: row n belongs to plane n / height.

/**
 * Sum of planes over a divisor.
 *   out[i] = (sum over k of planes[k,i]) / divisor
 * Layout: out [length], planes [count,length], float64. out may not alias planes. Elements [begin,end) are written.
 * Source: definition.
 */
export function sumPlanes(out: usize, planes: usize, count: i32, length: i32, divisor: f64, begin: i32, end: i32): void {
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
    for (let p = planes + at; p < planesEnd; p += pitch) s += f64.load(p);
    f64.store(out + at, s / divisor);
  }
}

/**
 * Smallest and largest value of each row: ranges[n,0] = min over x of planes[n,x], ranges[n,1] = max over x of planes[n,x]
 * Layout: ranges [rows,2], planes [rows,width], float64 without NaN. Rows [begin,end) are written.
 * Source: definition.
 */
export function rangeRows(ranges: usize, planes: usize, width: i32, begin: i32, end: i32): void {
  let p = planes + ((<usize>begin * <usize>width) << 3);
  for (let n = begin; n < end; n++) {
    const stop = p + ((<usize>(width & ~1)) << 3);
    let low = v128.load64_splat(p);
    let high = low;
    for (; p < stop; p += 16) {
      const v = v128.load(p);
      low = f64x2.pmin(low, v);
      high = f64x2.pmax(high, v);
    }
    if ((width & 1) != 0) {
      const v = v128.load64_splat(p);
      low = f64x2.pmin(low, v);
      high = f64x2.pmax(high, v);
      p += 8; // planes at [n+1,0]
    }
    const to = ranges + ((<usize>n) << 4);
    f64.store(to, min(f64x2.extract_lane(low, 0), f64x2.extract_lane(low, 1)));
    f64.store(to, max(f64x2.extract_lane(high, 0), f64x2.extract_lane(high, 1)), 8);
  }
}

/** Smallest value of a plane, from the ranges of its rows. */
function lowest(ranges: usize, plane: i32, height: i32): f64 {
  let p = ranges + ((<usize>(plane * height)) << 4);
  const stop = p + ((<usize>height) << 4);
  let low = f64.load(p);
  for (; p < stop; p += 16) low = min(low, f64.load(p));
  return low;
}

/** Largest value of a plane, from the ranges of its rows. */
function highest(ranges: usize, plane: i32, height: i32): f64 {
  let p = ranges + ((<usize>(plane * height)) << 4);
  const stop = p + ((<usize>height) << 4);
  let high = f64.load(p, 8);
  for (; p < stop; p += 16) high = max(high, f64.load(p, 8));
  return high;
}

/**
 * Brings each plane into [0,1], in place: planes[n,x] = (planes[n,x] - min) / (max - min), min and max over the plane; 0 where
 * it is constant.
 * Layout: planes [rows,width], ranges [rows,2] as rangeRows gives them, float64. Rows [begin,end) are written.
 * Source: definition.
 */
export function normaliseRows(planes: usize, ranges: usize, height: i32, width: i32, begin: i32, end: i32): void {
  let p = planes + ((<usize>begin * <usize>width) << 3);
  let low = 0.0;
  let range = 1.0;
  for (let n = begin; n < end; n++) {
    if (n == begin || n % height == 0) {
      low = lowest(ranges, n / height, height);
      const high = highest(ranges, n / height, height);
      range = high > low ? high - low : 1;
    }
    const lows = f64x2.splat(low);
    const divisors = f64x2.splat(range);
    const stop = p + ((<usize>(width & ~1)) << 3);
    for (; p < stop; p += 16) v128.store(p, f64x2.div(f64x2.sub(v128.load(p), lows), divisors));
    if ((width & 1) != 0) {
      f64.store(p, (f64.load(p) - low) / range);
      p += 8; // planes at [n+1,0]
    }
  }
}

/**
 * Weakens values far from something, in place: planes[n,x] *= 1 - distances[n,x] / furthest, furthest the largest distance in
 * the plane. A plane where it is 0 or Infinity stays as it is.
 * Layout: planes, distances [rows,width], ranges [rows,2] of the distances as rangeRows gives them, float64. Rows [begin,end)
 * are written.
 * Source: Goferman, Zelnik-Manor, Tal 2010, section 3.3: what is far from the foci counts less.
 */
export function weakenRows(planes: usize, distances: usize, ranges: usize, height: i32, width: i32, begin: i32, end: i32): void {
  const pitch = (<usize>width) << 3;
  let furthest = 0.0;
  for (let n = begin; n < end; n++) {
    if (n == begin || n % height == 0) furthest = highest(ranges, n / height, height);
    if (furthest == 0 || furthest == Infinity) continue;
    const divisors = f64x2.splat(furthest);
    let p = planes + <usize>n * pitch;
    let d = distances + <usize>n * pitch;
    const stop = p + (pitch & ~15);
    for (; p < stop; p += 16) {
      const factors = f64x2.sub(f64x2.splat(1), f64x2.div(v128.load(d), divisors));
      v128.store(p, f64x2.mul(v128.load(p), factors));
      d += 16; // distances at [n,x+2]
    }
    if ((width & 1) != 0) f64.store(p, f64.load(p) * (1 - f64.load(d) / furthest));
  }
}
