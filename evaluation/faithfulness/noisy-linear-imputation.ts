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
 * looked for. The channels lie beside each other: in the sweeps each waits for nothing but itself (0.72 to 0.85 of the time of one channel
 * after the other, 224x224, nine shares of three maps).
 */
interface Hole {
  readonly channels: number;
  /** Values from a row to the next, with the border. */
  readonly stride: number;
  /** Where the missing pixels' first channels are, in rows from the top. */
  readonly places: Int32Array;
  /** [places]: sum of the weights of a missing pixel's neighbours in the picture. */
  readonly weights: Float64Array;
  /** [places]: the relaxation over `weights`: in the sweeps each pixel waits for the one before, and a product is there sooner than a quotient. */
  readonly steps: Float64Array;
}

/** What the four neighbours before a place give it. */
function before(v: Float64Array, at: number, stride: number, channels: number): number {
  const up = at - stride;
  return corner * (v[up - channels]! + v[up + channels]!) + beside * (v[up]! + v[at - channels]!);
}

/** What the four neighbours after a place give it. */
function after(v: Float64Array, at: number, stride: number, channels: number): number {
  const down = at + stride;
  return corner * (v[down - channels]! + v[down + channels]!) + beside * (v[down]! + v[at + channels]!);
}

/** [channels]: sums of squares over the missing pixels. */
function squares({ channels, places }: Hole, v: Float64Array): Float64Array {
  const sums = new Float64Array(channels);
  for (const place of places) {
    for (let channel = 0; channel < channels; channel++) sums[channel]! += v[place + channel]! ** 2;
  }
  return sums;
}

/** weights v - (what v gives its neighbours). @returns [channels]: the sums of its products with v */
function applyTo({ channels, stride, places, weights }: Hole, v: Float64Array, out: Float64Array): Float64Array {
  const sums = new Float64Array(channels);
  for (let k = 0; k < places.length; k++) {
    const [place, weight] = [places[k]!, weights[k]!];
    for (let channel = 0; channel < channels; channel++) {
      const at = place + channel;
      const value = v[at]!;
      const applied = weight * value - before(v, at, stride, channels) - after(v, at, stride, channels);
      out[at] = applied;
      sums[channel]! += applied * value;
    }
  }
  return sums;
}

/**
 * Symmetric over-relaxation of the residual from 0: a sweep from the first pixel on and one back.
 * @returns [channels]: the sums of its products with the residual
 */
function precondition(
  { channels, stride, places, steps }: Hole,
  residual: Float64Array,
  z: Float64Array,
): Float64Array {
  const sums = new Float64Array(channels);
  z.fill(0);
  for (let k = 0; k < places.length; k++) {
    const [place, step] = [places[k]!, steps[k]!];
    for (let at = place; at < place + channels; at++) {
      z[at] = step * (residual[at]! + before(z, at, stride, channels));
    }
  }
  for (let k = places.length - 1; k >= 0; k--) {
    const [place, step] = [places[k]!, steps[k]!];
    for (let channel = 0; channel < channels; channel++) {
      const at = place + channel;
      const value = z[at]! + step * after(z, at, stride, channels);
      z[at] = value;
      sums[channel]! += value * residual[at]!;
    }
  }
  return sums;
}

/**
 * Solves weights x - (what x gives its neighbours) = b by conjugate gradients, preconditioned by symmetric over-relaxation (Saad 2003,
 * Iterative Methods for Sparse Linear Systems, algorithm 9.1 and section 10.2): the matrix is symmetric and, since some neighbour is
 * known, positive definite. A channel that is solved stays as it is while the others go on. A first guess from a smaller hole saves a
 * tenth of the rounds at most (measured), so that each hole begins at the mean.
 * @param x the first guess at the missing pixels, 0 elsewhere; becomes the solution
 * @param b at the missing pixels
 */
function solve(hole: Hole, x: Float64Array, b: Float64Array): void {
  const { channels, places } = hole;
  const [residual, direction, applied, z] = [0, 1, 2, 3].map(() => new Float64Array(x.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  applyTo(hole, x, applied);
  for (const place of places) {
    for (let at = place; at < place + channels; at++) residual[at] = b[at]! - applied[at]!;
  }
  const enough = squares(hole, b).map((square) => smallResidual * Math.sqrt(square));
  const [turns, fars] = [new Float64Array(channels), new Float64Array(channels)];
  let left = squares(hole, residual);
  let last: Float64Array = new Float64Array(channels);
  // In exact arithmetic as many rounds as unknowns are always enough.
  for (let round = 0; round < places.length; round++) {
    const isOpen = left.map((square, channel) => Number(Math.sqrt(square) > enough[channel]!));
    if (!isOpen.includes(1)) return;
    const now = precondition(hole, residual, z);
    for (let channel = 0; channel < channels; channel++) {
      turns[channel] = round === 0 || isOpen[channel] === 0 ? 0 : now[channel]! / last[channel]!;
    }
    for (const place of places) {
      for (let channel = 0; channel < channels; channel++) {
        direction[place + channel] = z[place + channel]! + turns[channel]! * direction[place + channel]!;
      }
    }
    const lengths = applyTo(hole, direction, applied);
    for (let channel = 0; channel < channels; channel++) {
      fars[channel] = isOpen[channel] === 0 ? 0 : now[channel]! / lengths[channel]!;
    }
    left = new Float64Array(channels);
    for (const place of places) {
      for (let channel = 0; channel < channels; channel++) {
        const at = place + channel;
        const rest = residual[at]! - fars[channel]! * applied[at]!;
        x[at]! += fars[channel]! * direction[at]!;
        residual[at] = rest;
        left[channel]! += rest * rest;
      }
    }
    last = now;
  }
}

/** Where and how strongly the missing pixels hang together. */
function holeOf(isMissing: Uint8Array, missing: Uint32Array, width: number, channels: number): Hole {
  const stride = (width + 2) * channels;
  const inside = new Float64Array(stride * (isMissing.length / width + 2));
  const placeOf = (pixel: number): number =>
    (Math.floor(pixel / width) + 1) * stride + ((pixel % width) + 1) * channels;
  for (let pixel = 0; pixel < isMissing.length; pixel++) inside[placeOf(pixel)] = 1;
  const places = Int32Array.from(missing, placeOf);
  const weights = Float64Array.from(
    places,
    (at) => before(inside, at, stride, channels) + after(inside, at, stride, channels),
  );
  return { channels, stride, places, weights, steps: weights.map((weight) => relaxation / weight) };
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
  const hole = holeOf(isMissing, missing, width, channels);
  const { places, stride } = hole;
  const [known, x, b] = [0, 1, 2].map(() => new Float64Array(stride * (height + 2))) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const means = new Float64Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    for (let pixel = 0; pixel < area; pixel++) {
      if (isMissing[pixel] !== 0) continue;
      const value = input.data[channel * area + pixel]!;
      known[(Math.floor(pixel / width) + 1) * stride + ((pixel % width) + 1) * channels + channel] = value;
      means[channel]! += value;
    }
    means[channel]! /= area - missing.length;
  }
  for (const place of places) {
    for (let channel = 0; channel < channels; channel++) {
      const at = place + channel;
      x[at] = means[channel]!;
      b[at] = before(known, at, stride, channels) + after(known, at, stride, channels);
    }
  }
  solve(hole, x, b);
  const normal = seededNormal(seed);
  const data = input.data.slice();
  for (let channel = 0; channel < channels; channel++) {
    for (const [k, pixel] of missing.entries()) {
      data[channel * area + pixel] = x[places[k]! + channel]! + (noise === 0 ? 0 : noise * normal());
    }
  }
  return tensor(input.shape, data);
}
