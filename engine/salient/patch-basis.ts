import * as kernel from "../../kernels-as/kernel-calls.js";
import { allocatePerThread, type Kernels } from "../memory/kernels.ts";

/** An orthonormal basis for patches, most energetic vectors first: addresses of float64 in kernel memory. */
export interface PatchBasis {
  /** [length], what is subtracted from a patch. */
  readonly mean: number;
  /** [count,length]; vectors beyond the patches' dimension are zero. */
  readonly vectors: number;
}

/** cos(pi m / (2n)) for whole m >= 0, n > 0, from the power series: the host's `cos` may differ in the last bit. */
function cosine(m: number, n: number): number {
  let k = m % (4 * n);
  if (k > 2 * n) k = 4 * n - k;
  if (k > n) return -cosine(2 * n - k, n);
  const x = (Math.PI * k) / (2 * n);
  let term = 1;
  let sum = 1;
  for (let i = 2; i <= 30; i += 2) {
    term *= (-x * x) / (i * (i - 1));
    sum += term;
  }
  return sum;
}

/** The orthonormal DCT-II of n points: [n,n], row u the function of frequency u. */
function cosineBasis(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, at) => {
    const u = Math.floor(at / n);
    return cosine((2 * (at % n) + 1) * u, n) * Math.sqrt((u === 0 ? 1 : 2) / n);
  });
}

/** Eigenvectors, as columns, of a symmetric n x n matrix: cyclic Jacobi rotations. */
function eigenvectors(matrix: Float64Array, n: number): Float64Array {
  const a = matrix.slice();
  const v = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
  for (let sweep = 0; sweep < 12; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const apq = a[p * n + q]!;
        if (apq === 0) continue;
        const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        const rotate = (m: Float64Array, i: number, j: number): void => {
          const x = m[i]!;
          const y = m[j]!;
          m[i] = c * x - s * y;
          m[j] = s * x + c * y;
        };
        for (let k = 0; k < n; k++) rotate(a, k * n + p, k * n + q);
        for (let k = 0; k < n; k++) rotate(a, p * n + k, q * n + k);
        for (let k = 0; k < n; k++) rotate(v, k * n + p, k * n + q);
      }
    }
  }
  return v;
}

/** A sample of patches, in kernel memory. */
interface Sample {
  /** [count,length] float64: patches less their mean. */
  readonly centred: number;
  readonly count: number;
  readonly length: number;
  readonly channels: number;
  readonly size: number;
}

/** The principal axes of the channels, [channels,channels] float64, an axis a column: copied to `axesAt` too. */
function channelAxes({ arena, split }: Kernels, axesAt: number, sample: Sample): Float64Array {
  const { centred, count, length, channels, size } = sample;
  split("channelProducts", channels * channels, axesAt, centred, count, length, channels, size * size);
  const axes = eigenvectors(arena.f64(axesAt, channels * channels), channels);
  arena.f64(axesAt, axes.length).set(axes);
  return axes;
}

/** The coefficients [axis,u,v], the most energetic over the sample first. */
function orderOfEnergy(kernels: Kernels, sample: Sample, axes: number, cosines: Float64Array): readonly number[] {
  const { arena, split } = kernels;
  const { centred, count, length, channels, size } = sample;
  const area = size * size;
  const dimension = channels * area;
  const cosinesAt = arena.allocate(area * 8);
  const transposed = arena.allocate(area * 8);
  arena.f64(cosinesAt, area).set(cosines);
  arena.f64(transposed, area).set(cosines.map((_, at) => cosines[(at % size) * size + Math.floor(at / size)]!));
  const squares = arena.allocate(count * dimension * 8);
  const scratch = allocatePerThread(kernels, 2 * area * 8);
  const bases = { axes, cosines: cosinesAt, transposed };
  kernel.squareCoefficients(kernels, count, {
    out: squares,
    scratch,
    patches: centred,
    ...bases,
    length,
    channels,
    size,
  });
  const energies = arena.allocate(dimension * 8);
  split("sumPlanes", dimension, energies, squares, count, dimension, 1);
  const energy = arena.f64(energies, dimension);
  return Array.from(energy.keys()).sort((a, b) => energy[b]! - energy[a]! || a - b);
}

/**
 * The basis in which few coefficients hold most of a patch: the cosine transform in the plane, the principal axes of the
 * channels across, ordered by energy over a sample. Measured against the principal axes of whole patches (7x7, eight
 * relevance maps): as few pairs pass a bound from the same number of coefficients, with no 147 x 147 eigenproblem to solve.
 * @param patches address of patches [.,length] float32, elements [channels,size,size] and zeros up to length
 * @param sample which of them are the sample
 * @param count how many vectors to return
 */
export function patchBasis(
  kernels: Kernels,
  patches: number,
  sample: Int32Array,
  length: number,
  channels: number,
  size: number,
  count: number,
): PatchBasis {
  const { arena, split } = kernels;
  const area = size * size;
  const samples = sample.length;
  const mean = arena.allocate(length * 8);
  const vectors = arena.allocate(count * length * 8);
  const mark = arena.mark();
  const places = arena.allocate(samples * 4);
  arena.i32(places, samples).set(sample);
  const centred = arena.allocate(samples * length * 8);
  split("centreSample", length, centred, mean, patches, places, samples, length);

  const ofSample = { centred, count: samples, length, channels, size };
  const axesAt = arena.allocate(channels * channels * 8); // the covariance, then its principal axes
  const axes = channelAxes(kernels, axesAt, ofSample);
  const cosines = cosineBasis(size);
  const order = orderOfEnergy(kernels, ofSample, axesAt, cosines);

  const out = arena.f64(vectors, count * length);
  order.slice(0, count).forEach((which, k) => {
    const axis = Math.floor(which / area);
    const u = Math.floor((which % area) / size);
    const v = which % size;
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          out[k * length + c * area + i * size + j] =
            axes[c * channels + axis]! * cosines[u * size + i]! * cosines[v * size + j]!;
        }
      }
    }
  });
  arena.release(mark);
  return { mean, vectors };
}
