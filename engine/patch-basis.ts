/** An orthonormal basis for patches, most energetic vectors first. */
export interface PatchBasis {
  /** [length], what is subtracted from a patch. */
  readonly mean: Float64Array;
  /** [count,length]; vectors beyond the patches' dimension are zero. */
  readonly vectors: Float64Array;
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

/**
 * The basis in which few coefficients hold most of a patch: the cosine transform in the plane, the principal axes of the
 * channels across, ordered by energy over a sample. Measured against the principal axes of whole patches (7x7, eight
 * relevance maps): as few pairs pass a bound from the same number of coefficients, with no 147 x 147 eigenproblem to solve.
 * @param sample patches [n,length], elements [channels,size,size] and zeros up to length
 * @param count how many vectors to return
 */
export function patchBasis(
  sample: Float32Array,
  length: number,
  channels: number,
  size: number,
  count: number,
): PatchBasis {
  const n = sample.length / length;
  const area = size * size;
  const dimension = channels * area;
  const mean = new Float64Array(length);
  for (let at = 0; at < sample.length; at += length) {
    for (let e = 0; e < length; e++) mean[e] = mean[e]! + sample[at + e]! / n;
  }

  const covariance = new Float64Array(channels * channels);
  const centred = new Float64Array(sample.length);
  for (let at = 0; at < sample.length; at += length) {
    for (let e = 0; e < length; e++) centred[at + e] = sample[at + e]! - mean[e]!;
  }
  for (let c = 0; c < channels; c++) {
    for (let d = c; d < channels; d++) {
      let sum = 0;
      for (let at = 0; at < sample.length; at += length) {
        for (let e = 0; e < area; e++) sum += centred[at + c * area + e]! * centred[at + d * area + e]!;
      }
      covariance[c * channels + d] = sum;
      covariance[d * channels + c] = sum;
    }
  }
  const axes = eigenvectors(covariance, channels);
  const cosines = cosineBasis(size);

  const energy = new Float64Array(dimension); // of the coefficient [axis, u, v]
  const rowwise = new Float64Array(area); // of one patch on one axis: pixels, then cosines along rows
  const plane = new Float64Array(area);
  for (let at = 0; at < sample.length; at += length) {
    for (let axis = 0; axis < channels; axis++) {
      plane.fill(0);
      for (let c = 0; c < channels; c++) {
        const weight = axes[c * channels + axis]!;
        for (let e = 0; e < area; e++) plane[e] = plane[e]! + weight * centred[at + c * area + e]!;
      }
      for (let i = 0; i < size; i++) {
        for (let v = 0; v < size; v++) {
          let sum = 0;
          for (let j = 0; j < size; j++) sum += cosines[v * size + j]! * plane[i * size + j]!;
          rowwise[i * size + v] = sum;
        }
      }
      for (let u = 0; u < size; u++) {
        for (let v = 0; v < size; v++) {
          let sum = 0;
          for (let i = 0; i < size; i++) sum += cosines[u * size + i]! * rowwise[i * size + v]!;
          const e = axis * area + u * size + v;
          energy[e] = energy[e]! + sum * sum;
        }
      }
    }
  }
  const order = Array.from(energy.keys()).sort((a, b) => energy[b]! - energy[a]! || a - b);

  const vectors = new Float64Array(count * length);
  order.slice(0, count).forEach((which, k) => {
    const axis = Math.floor(which / area);
    const u = Math.floor((which % area) / size);
    const v = which % size;
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          vectors[k * length + c * area + i * size + j] =
            axes[c * channels + axis]! * cosines[u * size + i]! * cosines[v * size + j]!;
        }
      }
    }
  });
  return { mean, vectors };
}
