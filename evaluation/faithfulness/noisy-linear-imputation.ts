import { ShapeError } from "../../engine/basics/errors.ts";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { seededNormal } from "../basics/normal.ts";

/** Weights of a pixel's neighbours beside, above and below it, and at its corners (Rong et al. 2022, appendix C). */
const [beside, corner] = [1 / 6, 1 / 12];
/** Residual at which the solver stops, as a share of the right-hand side: below float32's rounding. */
const smallResidual = 1e-8;
/**
 * Over-relaxation. Measured on 224x224, one channel, nine shares of three maps: 184, 371 and 546 rounds in all, with 1 (Gauss-Seidel)
 * 129, 530 and 1542.
 */
const relaxation = 1.85;

/**
 * The missing pixels, on the picture with a border of one pixel around it, which is never missing and always 0: no neighbour needs to be
 * looked for.
 */
interface Hole {
  /** Width with the border. */
  readonly stride: number;
  /** Where the missing pixels are, in rows from the top. */
  readonly places: Int32Array;
  /** [places]: sum of the weights of a missing pixel's neighbours in the picture. */
  readonly weights: Float64Array;
  /** [places]: the relaxation over `weights`: in the sweeps each pixel waits for the one before, and a product is there sooner than a quotient. */
  readonly steps: Float64Array;
}

/** What the four neighbours before a place give it. */
function before(v: Float64Array, at: number, stride: number): number {
  const up = at - stride;
  return corner * (v[up - 1]! + v[up + 1]!) + beside * (v[up]! + v[at - 1]!);
}

/** What the four neighbours after a place give it. */
function after(v: Float64Array, at: number, stride: number): number {
  const down = at + stride;
  return corner * (v[down - 1]! + v[down + 1]!) + beside * (v[down]! + v[at + 1]!);
}

/**
 * Solves weights x - (what x gives its neighbours) = b by conjugate gradients, preconditioned by symmetric over-relaxation (Saad 2003,
 * Iterative Methods for Sparse Linear Systems, algorithm 9.1 and section 10.2): the matrix is symmetric and, since some neighbour is
 * known, positive definite.
 * @param x the first guess at the missing pixels, 0 elsewhere; becomes the solution
 * @param b at the missing pixels
 */
function solve({ stride, places, weights, steps }: Hole, x: Float64Array, b: Float64Array): void {
  const residual = new Float64Array(x.length);
  const direction = new Float64Array(x.length);
  const applied = new Float64Array(x.length);
  const z = new Float64Array(x.length);
  const dot = (u: Float64Array, v: Float64Array): number => {
    let sum = 0;
    for (const at of places) sum += u[at]! * v[at]!;
    return sum;
  };
  const apply = (v: Float64Array): void => {
    for (let k = 0; k < places.length; k++) {
      const at = places[k]!;
      applied[at] = weights[k]! * v[at]! - before(v, at, stride) - after(v, at, stride);
    }
  };
  const precondition = (): void => {
    for (let k = 0; k < places.length; k++) {
      const at = places[k]!;
      z[at] = steps[k]! * (residual[at]! + before(z, at, stride));
    }
    for (let k = places.length - 1; k >= 0; k--) {
      const at = places[k]!;
      z[at]! += steps[k]! * after(z, at, stride);
    }
  };
  apply(x);
  for (const at of places) residual[at] = b[at]! - applied[at]!;
  const enough = smallResidual * Math.sqrt(dot(b, b));
  let last = 0;
  // In exact arithmetic as many rounds as unknowns are always enough.
  for (let round = 0; round < places.length && Math.sqrt(dot(residual, residual)) > enough; round++) {
    z.fill(0);
    precondition();
    const now = dot(residual, z);
    const turn = round === 0 ? 0 : now / last;
    for (const at of places) direction[at] = z[at]! + turn * direction[at]!;
    apply(direction);
    const far = now / dot(direction, applied);
    for (const at of places) {
      x[at]! += far * direction[at]!;
      residual[at]! -= far * applied[at]!;
    }
    last = now;
  }
}

/**
 * An input of which pixels are missing: each becomes the weighted mean of its neighbours (1/6 beside, above and below, 1/12 at the
 * corners), all of them together, plus normal noise, so that neither a hole's colour nor its smoothness tells the network its shape.
 * Source: Rong et al. 2022, A Consistent and Efficient Evaluation Strategy for Attribution Methods (ROAD), section 4.2; Quantus 0.6's
 * noisy_linear_imputation, whose sparse direct solver this equals to rounding.
 * @param input [C,H,W]
 * @param pixels which are missing, of H W
 * @param noise standard deviation of the noise, in the input's units
 * @throws ShapeError when no pixel is left or one is not in the picture
 */
export function noisyLinearImputation(input: Tensor, pixels: ArrayLike<number>, noise = 0.01, seed = 1): Tensor {
  const [channels = 1, height = 1, width = 1] = input.shape;
  const area = height * width;
  const missing = Uint32Array.from(pixels).sort();
  if (missing.length >= area || (missing.at(-1) ?? 0) >= area) {
    throw new ShapeError(
      `noisyLinearImputation: pixels must be fewer than the ${area} of the input and lie in it, got ${missing.length}, the last ${missing.at(-1)}.`,
    );
  }
  const isMissing = new Uint8Array(area);
  for (const pixel of missing) isMissing[pixel] = 1;
  const stride = width + 2;
  const size = stride * (height + 2);
  const placeOf = (pixel: number): number => (Math.floor(pixel / width) + 1) * stride + (pixel % width) + 1;
  const places = Int32Array.from(missing, placeOf);
  const inside = new Float64Array(size);
  for (let pixel = 0; pixel < area; pixel++) inside[placeOf(pixel)] = 1;
  const weights = Float64Array.from(places, (at) => before(inside, at, stride) + after(inside, at, stride));
  const hole = { stride, places, weights, steps: weights.map((weight) => relaxation / weight) };
  const normal = seededNormal(seed);
  const data = input.data.slice();
  for (let channel = 0; channel < channels; channel++) {
    const plane = data.subarray(channel * area, (channel + 1) * area);
    const known = new Float64Array(size);
    let sum = 0;
    for (let pixel = 0; pixel < area; pixel++) {
      if (isMissing[pixel] !== 0) continue;
      known[placeOf(pixel)] = plane[pixel]!;
      sum += plane[pixel]!;
    }
    const [x, b] = [new Float64Array(size), new Float64Array(size)];
    for (const at of places) {
      x[at] = sum / (area - missing.length);
      b[at] = before(known, at, stride) + after(known, at, stride);
    }
    solve(hole, x, b);
    for (const [k, pixel] of missing.entries()) plane[pixel] = x[places[k]!]! + (noise === 0 ? 0 : noise * normal());
  }
  return tensor(input.shape, data);
}
