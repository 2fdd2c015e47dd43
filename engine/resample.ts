import { allocatePerThread, type Kernels } from "./kernels.ts";
import type { Plane } from "./plane.ts";

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

function applyTaps(kernels: Kernels, { width, data }: Plane, vertical: Taps, horizontal: Taps): Plane {
  const { arena, split } = kernels;
  const height = vertical.first.length;
  const columns = horizontal.first.length;
  const mark = arena.mark();
  try {
    const floats = (values: Float64Array): number => {
      const address = arena.allocate(values.length * 8);
      arena.f64(address, values.length).set(values);
      return address;
    };
    const indices = (values: Int32Array): number => {
      const address = arena.allocate(values.length * 4);
      arena.i32(address, values.length).set(values);
      return address;
    };
    const taps = ({ first, count, weights }: Taps): [first: number, count: number, weights: number] => [
      indices(first),
      indices(count),
      floats(weights),
    ];
    const input = floats(data);
    const rows = taps(vertical);
    const across = taps(horizontal);
    const out = arena.allocate(height * columns * 8);
    const scratch = allocatePerThread(kernels, width * 8);
    split(
      "resamplePlane",
      height,
      out,
      scratch,
      input,
      ...rows,
      ...across,
      width,
      columns,
      vertical.longest,
      horizontal.longest,
    );
    return { height, width: columns, data: arena.f64(out, height * columns).slice() };
  } finally {
    arena.release(mark);
  }
}

/** Resizes with the antialiased triangle filter (Pillow's BILINEAR, without its rounding to 8 bits). */
export function resampleTriangle(kernels: Kernels, input: Plane, height: number, width: number): Plane {
  if (height === input.height && width === input.width) return input;
  return applyTaps(kernels, input, triangleTaps(input.height, height), triangleTaps(input.width, width));
}

/**
 * Bilinear interpolation of values known on a grid.
 * @param grid the values; row a lies at output row `rows[a]`, column b at output column `columns[b]` (both rising)
 */
export function interpolateGrid(
  kernels: Kernels,
  grid: Plane,
  rows: Float64Array,
  columns: Float64Array,
  height: number,
  width: number,
): Plane {
  return applyTaps(kernels, grid, interpolationTaps(rows, height), interpolationTaps(columns, width));
}
