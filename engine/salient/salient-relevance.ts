import { ShapeError } from "../basics/errors.ts";
import { hasSalientVariants } from "../basics/features.ts";
import { elementCount, formatShape, type Tensor } from "../basics/tensor.ts";
import type { Kernels } from "../memory/kernels.ts";
import {
  allocatePlanes,
  meanOf,
  normaliseRange,
  type Planes,
  planeAt,
  rangesOf,
  toTensor,
  valuesOf,
} from "../memory/planes.ts";
import { labPlanes } from "./cielab.ts";
import { scaleSaliency } from "./context-aware.ts";
import { distanceTransform } from "./distance-transform.ts";
import { gaussianBlur } from "./gaussian-blur.ts";
import { workShape } from "./grid.ts";
import {
  type ResolvedSalientRelevanceOptions,
  resolveSalientRelevanceOptions,
  type SalientRelevanceOptions,
} from "./options.ts";
import { resampleTriangle } from "./resample.ts";

/** The Salient Relevance map and what led to it. */
export interface SalientRelevance {
  /** [H,W] in [0,1], of the relevance map's size. */
  readonly map: Tensor;
  /** The same at the work size, before it is resized: larger side `workSize`. */
  readonly workMap: Tensor;
  /** Mean of the scales' maps before the foci step, at the work size. */
  readonly meanMap: Tensor;
  /** Per scale, in the order of `options.scales`: 1 - exp(-mean distance) on the grid of patch centres, not normalised. */
  readonly grids: readonly Tensor[];
  /** Every setting used. */
  readonly options: ResolvedSalientRelevanceOptions;
}

/** A relevance map as channels of numbers. */
interface Channels {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
  /** Smallest and largest magnitude. */
  readonly low: number;
  readonly high: number;
}

/**
 * Smallest and largest magnitude; the largest is not finite where one is not. Without their signs float32 order as their bits
 * do as integers, infinity and NaN last: measured 0.2 ms for 150528 values, 0.9 by comparing the values themselves.
 */
function magnitudeRange(data: Float32Array): Float32Array {
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  let low = 0x7fffffff;
  let high = 0;
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    if (magnitude < low) low = magnitude;
    if (magnitude > high) high = magnitude;
  }
  return new Float32Array(Int32Array.of(low, high).buffer);
}

function relevanceChannels({ shape, data }: Tensor): Channels {
  const [width = 0, height = 0, count = 1, batch = 1] = [...shape].reverse();
  const isMap = shape.length >= 2 && shape.length <= 4 && batch === 1;
  if (!isMap || !shape.every((size) => Number.isInteger(size) && size > 0) || elementCount(shape) !== data.length) {
    throw new ShapeError(
      `salient relevance: relevance must be [C,H,W], [H,W] or [1,C,H,W] with at least one pixel, got ${formatShape(shape)} with ${data.length} elements. Pass one map at a time.`,
    );
  }
  const [low = 0, high = 0] = magnitudeRange(data);
  if (!Number.isFinite(high)) {
    const i = data.findIndex((value) => !Number.isFinite(value));
    throw new RangeError(
      `salient relevance: relevance must be finite, got ${data[i]} at element ${i} of ${formatShape(shape)}. Check the network's weights and the rule that made the map.`,
    );
  }
  return { count, height, width, data, low, high };
}

/** True for the numbers of channels that have a heat image. */
const hasHeat = ({ count }: Channels): boolean => count === 1 || count === 3;

function heatOf(channels: Channels): Uint8Array {
  const { count, height, width, data, low, high } = channels;
  if (!hasHeat(channels)) {
    throw new ShapeError(
      `salient relevance: feature "lab" must have a relevance map of 1 or 3 channels, got ${count}. Use feature "gray" or "auto", without a heat image.`,
    );
  }
  const pixels = height * width;
  const heat = new Uint8Array(pixels * 3);
  if (high === low) return heat;
  for (let c = 0; c < 3; c++) {
    const from = count === 1 ? 0 : c * pixels;
    for (let i = 0; i < pixels; i++) {
      heat[3 * i + c] = Math.trunc((255 * (Math.abs(data[from + i]!) - low)) / (high - low));
    }
  }
  return heat;
}

/**
 * The heat image of a relevance map, as Li et al. 2019 make it: trunc(255 (|R| - min) / (max - min)), min and max over all
 * channels and pixels; all zeros where |R| is constant. A map of one channel gives three equal ones.
 * @returns height*width*3 levels, pixel by pixel
 * @throws ShapeError for other than 1 or 3 channels, RangeError for values that are not finite
 */
export function heatImage(relevance: Tensor): Uint8Array {
  return heatOf(relevanceChannels(relevance));
}

/** Sum of |R| over the channels. */
function grayPlane(kernels: Kernels, { count, height, width, data }: Channels): Planes {
  const plane = allocatePlanes(kernels, 1, height, width);
  const sum = valuesOf(kernels, plane).fill(0);
  for (let c = 0; c < count; c++) {
    for (let i = 0; i < sum.length; i++) sum[i]! += Math.abs(data[c * sum.length + i]!);
  }
  return plane;
}

/**
 * Weakens pixels far from the foci (those above the threshold), in place: S (1 - D / max D), D the distance to the nearest
 * focus of the same map.
 */
function attendToFoci(kernels: Kernels, maps: Planes, threshold: number): void {
  const { arena, split } = kernels;
  const mark = arena.mark();
  const distances = distanceTransform(kernels, maps, threshold);
  const { address, count, height, width } = maps;
  // A map stays as it is where every pixel is a focus, or none is.
  split("weakenRows", count * height, address, distances.address, rangesOf(kernels, distances), height, width);
  arena.release(mark);
}

/** Multiplies by a Gaussian around the centre with standard deviations height*sigma and width*sigma, in place. */
function applyCentrePrior(kernels: Kernels, map: Planes, sigma: number): void {
  const { exp } = kernels.call;
  const profile = (n: number): Float64Array =>
    new Float64Array(n).map((_, i) => exp(-0.5 * ((i - (n - 1) / 2) / (n * sigma)) ** 2));
  const rows = profile(map.height);
  const columns = profile(map.width);
  const data = valuesOf(kernels, map);
  rows.forEach((down, y) => {
    for (let x = 0; x < map.width; x++) data[y * map.width + x] = data[y * map.width + x]! * down * columns[x]!;
  });
}

/** Multiplies a map [H,W] by |R|, summed over the channels, blurred and divided by its largest value, in place. */
function weightByRelevance(kernels: Kernels, map: Float32Array, { count, width, data }: Channels, sigma: number): void {
  const area = map.length;
  const sums = new Float64Array(area);
  for (let channel = 0; channel < count; channel++) {
    for (let i = 0; i < area; i++) sums[i]! += Math.abs(data[channel * area + i]!);
  }
  const weights = gaussianBlur(sums, width, sigma, kernels.call.exp);
  const largest = weights.reduce((most, value) => Math.max(most, value), 0);
  if (largest === 0) return; // no relevance: the map is 0 everywhere, too
  for (let i = 0; i < area; i++) map[i] = (map[i]! * weights[i]!) / largest;
}

/** The settings for a map, none left open. */
function settingsFor(
  channels: Channels,
  options: SalientRelevanceOptions,
  heat: Uint8Array | undefined,
): ResolvedSalientRelevanceOptions {
  const resolved = resolveSalientRelevanceOptions(options);
  if (resolved.feature !== "auto") return resolved;
  return { ...resolved, feature: heat !== undefined || hasHeat(channels) ? "lab" : "gray" };
}

/**
 * The Salient Relevance map: context-aware saliency of the relevance map, which turns its speckle into areas.
 * Li, Tian, Mueller, Chen, "Beyond saliency: Understanding convolutional neural networks from saliency prediction on
 * layer-wise relevance propagation", Image and Vision Computing 2019, on top of Goferman et al. 2010.
 * Only |R| matters. A constant map gives zeros.
 * @param relevance [C,H,W], [H,W] or [1,C,H,W]. Feature "lab", the default for 1 or 3 channels (one is taken three times), sees 8-bit levels;
 *   "gray", the default for others, is not quantised.
 * @param heat for feature "lab": an 8-bit RGB picture, height*width*3, used in place of the heat image of the relevance
 *   map (the authors stored theirs as JPEG, which changes it)
 * @throws ShapeError for another shape, RangeError for NaN, infinity or a wrong setting, TypeError for an unknown setting
 */
export function salientRelevance(
  kernels: Kernels,
  relevance: Tensor,
  options: SalientRelevanceOptions = {},
  heat?: Uint8Array,
): SalientRelevance {
  const channels = relevanceChannels(relevance);
  const resolved = settingsFor(channels, options, heat);
  const { height, width } = channels;
  if (hasSalientVariants && heat !== undefined && resolved.feature === "gray") {
    throw new TypeError('salient relevance: a heat image must come with feature "lab", got feature "gray".');
  }
  if (heat !== undefined && heat.length !== height * width * 3) {
    throw new ShapeError(
      `salient relevance: heat image of a ${height}x${width} map must have ${height * width * 3} levels (RGB), got ${heat.length}.`,
    );
  }
  const mark = kernels.arena.mark();
  try {
    const feature =
      hasSalientVariants && resolved.feature === "gray"
        ? grayPlane(kernels, channels)
        : labPlanes(kernels, heat ?? heatOf(channels), height, width);
    normaliseRange(kernels, feature);
    const [workHeight, workWidth] = workShape(height, width, resolved.workSize);
    const work = resampleTriangle(kernels, feature, workHeight, workWidth);
    const maps = allocatePlanes(kernels, resolved.scales.length, workHeight, workWidth);
    const salient = allocatePlanes(kernels, 1, workHeight, workWidth);
    const grids = resolved.scales.map((scale, k) => scaleSaliency(kernels, work, scale, resolved, planeAt(maps, k)));
    normaliseRange(kernels, maps);
    meanOf(kernels, maps, salient);
    const meanMap = toTensor(kernels, salient);

    if (!hasSalientVariants || resolved.foci === "scale") {
      attendToFoci(kernels, maps, resolved.fociThreshold);
      meanOf(kernels, maps, salient);
    } else if (resolved.foci === "mean") {
      attendToFoci(kernels, salient, resolved.fociThreshold);
    }
    if (hasSalientVariants && resolved.centrePrior > 0) applyCentrePrior(kernels, salient, resolved.centrePrior);
    const workMap = toTensor(kernels, salient);
    const map = toTensor(kernels, resampleTriangle(kernels, salient, height, width));
    if (hasSalientVariants && resolved.relevanceBlur > 0)
      weightByRelevance(kernels, map.data, channels, resolved.relevanceBlur);
    return { map, workMap, meanMap, grids, options: resolved };
  } finally {
    kernels.arena.release(mark);
  }
}
