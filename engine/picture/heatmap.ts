import { refuseUnknownOptions, ShapeError } from "../basics/errors.ts";
import { formatShape, type Tensor } from "../basics/tensor.ts";
import { type ColormapName, colormap } from "./colormap.ts";
import { checkImage, formatSize, type Image, type Pixels } from "./image.ts";

/** How a map becomes colours. */
export interface HeatmapOptions {
  /** A built-in colour map: "bwr" for signed maps is the default. */
  readonly colormap?: ColormapName;
  /**
   * True: 0 is the middle colour and both ends lie equally far from it. False: smallest and largest value are the ends.
   * Default: true for diverging colour maps, false for sequential ones.
   */
  readonly symmetric?: boolean;
  /** Distances from the middle (symmetric) or from the low end, 0 to 1, are raised to this power. Under 1 shows faint parts. Default 1. */
  readonly gamma?: number;
  /** Share of pixels, over 0 to 1, that the colours must tell apart; stronger ones get the end colours. Default 1: all. */
  readonly clipQuantile?: number;
}

/** A rendered map and the values its end colours stand for. */
export interface Heatmap {
  readonly image: Image;
  readonly low: number;
  readonly high: number;
}

/** A map summed over its channels, one number per pixel. */
interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float64Array;
}

function planeOf(map: Tensor, what: string): Plane {
  const { shape, data } = map;
  const [channels, height, width] = shape.length === 2 ? [1, ...shape] : shape;
  if (shape.length < 2 || shape.length > 3 || !channels || !height || !width) {
    throw new ShapeError(`${what}: map must be [C,H,W] or [H,W] with no side 0, got ${formatShape(shape)}.`);
  }
  const pixels = height * width;
  const values = new Float64Array(pixels);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < pixels; i++) values[i] = values[i]! + data[c * pixels + i]!;
  }
  for (const value of values) {
    if (!Number.isFinite(value)) throw new RangeError(`${what}: map must be finite, got ${value}.`);
  }
  return { width, height, values };
}

/**
 * x^exponent for 0 <= x <= 1, from square roots and products alone, which every machine rounds alike (Math.pow may differ).
 * The exponent is taken to 24 binary places after the point.
 */
function power(x: number, exponent: number): number {
  if (exponent === 1) return x;
  const whole = Math.floor(exponent);
  let result = 1;
  for (let i = 0; i < whole; i++) result *= x;
  let fraction = exponent - whole;
  let root = x;
  for (let place = 0; place < 24 && fraction > 0; place++) {
    root = Math.sqrt(root);
    fraction *= 2;
    if (fraction >= 1) {
      result *= root;
      fraction -= 1;
    }
  }
  return result;
}

function extremes(values: Float64Array): readonly [low: number, high: number] {
  let [low, high] = [values[0]!, values[0]!];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** The smallest value that at least `share` of all values do not exceed. */
function quantile(values: Float64Array, share: number): number {
  const sorted = values.slice().sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!;
}

function limits(
  values: Float64Array,
  isSymmetric: boolean,
  clipQuantile: number,
): readonly [low: number, high: number] {
  if (isSymmetric) {
    const end = quantile(values.map(Math.abs), clipQuantile);
    return [-end, end];
  }
  if (clipQuantile === 1) return extremes(values);
  // The quantile from below, mirrored.
  return [
    -quantile(
      values.map((v) => -v),
      clipQuantile,
    ),
    quantile(values, clipQuantile),
  ];
}

/**
 * Renders a relevance map [C,H,W] (summed over the channels) or [H,W] in colours. A constant map gets the middle or low colour.
 * Same map and options, same bytes on every machine.
 * @throws ShapeError when the map is no picture; RangeError for values that are not finite and options out of range
 */
export function heatmap(map: Tensor, options: HeatmapOptions = {}): Heatmap {
  refuseUnknownOptions("heatmap", options, ["colormap", "symmetric", "gamma", "clipQuantile"]);
  const { gamma = 1, clipQuantile = 1 } = options;
  if (!(gamma > 0 && gamma <= 16)) throw new RangeError(`heatmap: gamma must be over 0 and at most 16, got ${gamma}.`);
  if (!(clipQuantile > 0 && clipQuantile <= 1)) {
    throw new RangeError(`heatmap: clipQuantile must be over 0 and at most 1, got ${clipQuantile}.`);
  }
  const { kind, colors } = colormap(options.colormap ?? "bwr");
  const isSymmetric = options.symmetric ?? kind === "diverging";
  const { width, height, values } = planeOf(map, "heatmap");
  const [low, high] = limits(values, isSymmetric, clipQuantile);
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < values.length; i++) {
    const index = Math.floor(255 * position(values[i]!, low, high, isSymmetric, gamma) + 0.5);
    data[i * 4] = colors[index * 3]!;
    data[i * 4 + 1] = colors[index * 3 + 1]!;
    data[i * 4 + 2] = colors[index * 3 + 2]!;
    data[i * 4 + 3] = 255;
  }
  return { image: { width, height, data }, low, high };
}

/** Where a value lies between the ends, 0 to 1. */
function position(value: number, low: number, high: number, isSymmetric: boolean, gamma: number): number {
  const clipped = Math.min(high, Math.max(low, value));
  if (isSymmetric) {
    if (high === 0) return 0.5;
    const distance = power(Math.abs(clipped) / high, gamma) / 2;
    return clipped < 0 ? 0.5 - distance : 0.5 + distance;
  }
  return high === low ? 0 : power((clipped - low) / (high - low), gamma);
}

/** How a saliency map is laid over a photo. */
export interface OverlayOptions {
  /** A sequential colour map; default "inferno". */
  readonly colormap?: ColormapName;
  /** Opacity of the colours where the map is largest, 0 to 1. Default 0.75. */
  readonly opacity?: number;
}

/**
 * Lays a map [H,W] (or [C,H,W], summed), taken from its smallest to its largest value, over a photo of the same size: where
 * the map is low the photo keeps half of its colours, a little dimmed, and where it is high it glows in the colours of the map.
 * @throws ShapeError when the sizes differ; RangeError for values that are not finite and options out of range
 */
export function overlay(photo: Pixels, map: Tensor, options: OverlayOptions = {}): Image {
  checkImage(photo);
  refuseUnknownOptions("overlay", options, ["colormap", "opacity"]);
  const { opacity = 0.75 } = options;
  if (!(opacity >= 0 && opacity <= 1)) throw new RangeError(`overlay: opacity must be 0 to 1, got ${opacity}.`);
  const { colors } = colormap(options.colormap ?? "inferno");
  const { width, height, values } = planeOf(map, "overlay");
  if (photo.width !== width || photo.height !== height) {
    throw new ShapeError(
      `overlay: photo and map must have one size, got ${formatSize(photo)} and ${width}x${height}. Use the picture that preprocess returned.`,
    );
  }
  const [low, high] = limits(values, false, 1);
  const data = new Uint8Array(photo.data.length);
  for (let i = 0; i < values.length; i++) {
    const value = position(values[i]!, low, high, false, 1);
    const index = Math.floor(255 * value + 0.5);
    const p = i * 4;
    // Rec. 601 luma, as Pillow's and OpenCV's grey.
    const gray = 0.299 * photo.data[p]! + 0.587 * photo.data[p + 1]! + 0.114 * photo.data[p + 2]!;
    // In proportion to the map: the dark low end of a colour map must not cover what is hardly above it.
    const alpha = opacity * value;
    for (let c = 0; c < 3; c++) {
      const below = 0.9 * (0.5 * gray + 0.5 * photo.data[p + c]!);
      data[p + c] = Math.floor(below * (1 - alpha) + colors[index * 3 + c]! * alpha + 0.5);
    }
    data[p + 3] = 255;
  }
  return { width, height, data };
}
