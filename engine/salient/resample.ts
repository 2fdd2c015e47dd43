import * as kernel from "../../kernels-as/kernel-calls.js";
import { allocatePerThread, type Kernels } from "../memory/kernels.ts";
import { allocatePlanes, type Planes } from "../memory/planes.ts";

/** For each output index the run of input indices it reads, with weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** [outputs, longest] */
  readonly weights: Float64Array;
  readonly longest: number;
}

/**
 * Antialiased triangle filter from n to m samples, as Pillow's BILINEAR: output i looks at u = (i+.5) s - .5, s = n/m,
 * with weights max(0, 1 - |x-u| / max(1,s)) over the x in range, renormalised.
 */
function triangleTaps(n: number, m: number): Taps {
  const step = n / m;
  const support = Math.max(1, step);
  const longest = Math.ceil(2 * support) + 1;
  const taps = { first: new Int32Array(m), count: new Int32Array(m), weights: new Float64Array(m * longest), longest };
  for (let i = 0; i < m; i++) {
    const u = (i + 0.5) * step - 0.5;
    const first = Math.max(0, Math.ceil(u - support));
    const last = Math.min(n - 1, Math.floor(u + support));
    let sum = 0;
    for (let x = first; x <= last; x++) {
      const weight = Math.max(0, 1 - Math.abs(x - u) / support);
      taps.weights[i * longest + x - first] = weight;
      sum += weight;
    }
    for (let k = 0; k <= last - first; k++) taps.weights[i * longest + k]! /= sum;
    taps.first[i] = first;
    taps.count[i] = last - first + 1;
  }
  return taps;
}

/**
 * Linear interpolation at 0, 1, ... m-1 between samples at the rising positions `at`; beyond the first and the last sample
 * their values continue.
 */
function interpolationTaps(at: Float64Array, m: number): Taps {
  const n = at.length;
  const taps = { first: new Int32Array(m), count: new Int32Array(m), weights: new Float64Array(m * 2), longest: 2 };
  let j = 0;
  for (let i = 0; i < m; i++) {
    while (j + 2 < n && at[j + 1]! <= i) j++;
    taps.first[i] = j;
    taps.count[i] = Math.min(2, n);
    const next = n > 1 ? at[j + 1]! : at[j]! + 1;
    const t = Math.min(1, Math.max(0, (i - at[j]!) / (next - at[j]!)));
    taps.weights[i * 2] = n > 1 ? 1 - t : 1;
    taps.weights[i * 2 + 1] = n > 1 ? t : 0;
  }
  return taps;
}

/** Weighted sums along both axes of all planes, into `out`. */
function applyTaps(kernels: Kernels, input: Planes, vertical: Taps, horizontal: Taps, out: Planes): void {
  const { arena } = kernels;
  const mark = arena.mark();
  const taps = ({ first, count, weights }: Taps): { first: number; count: number; weights: number } => {
    const n = first.length;
    const firstAt = arena.allocate(n * 4);
    arena.i32(firstAt, n).set(first);
    const countAt = arena.allocate(n * 4);
    arena.i32(countAt, n).set(count);
    const weightsAt = arena.allocate(weights.length * 8);
    arena.f64(weightsAt, weights.length).set(weights);
    return { first: firstAt, count: countAt, weights: weightsAt };
  };
  const rows = taps(vertical);
  const columns = taps(horizontal);
  kernel.resamplePlanes(kernels, out.count * out.height, {
    out: out.address,
    scratch: allocatePerThread(kernels, input.width * 8),
    input: input.address,
    firstRows: rows.first,
    rowCounts: rows.count,
    rowWeights: rows.weights,
    firstColumns: columns.first,
    columnCounts: columns.count,
    columnWeights: columns.weights,
    height: input.height,
    width: input.width,
    rows: out.height,
    columns: out.width,
    rowTaps: vertical.longest,
    columnTaps: horizontal.longest,
  });
  arena.release(mark);
}

/** Resizes with the antialiased triangle filter (Pillow's BILINEAR, without its rounding to 8 bits); may return its input. */
export function resampleTriangle(kernels: Kernels, input: Planes, height: number, width: number): Planes {
  if (height === input.height && width === input.width) return input;
  const out = allocatePlanes(kernels, input.count, height, width);
  applyTaps(kernels, input, triangleTaps(input.height, height), triangleTaps(input.width, width), out);
  return out;
}

/**
 * Bilinear interpolation of values known on a grid, into `out`.
 * @param grid the values; row a lies at output row `rows[a]`, column b at output column `columns[b]` (both rising)
 */
export function interpolateGrid(
  kernels: Kernels,
  grid: Planes,
  rows: Float64Array,
  columns: Float64Array,
  out: Planes,
): void {
  applyTaps(kernels, grid, interpolationTaps(rows, out.height), interpolationTaps(columns, out.width), out);
}
