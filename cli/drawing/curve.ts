import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { sumOverChannels } from "../../engine/network/channel-sums.ts";
import { type Heatmap, type HeatmapOptions, heatmap } from "../../engine/picture/heatmap.ts";
import { createImage, type Image } from "../../engine/picture/image.ts";
import { resizeAndCrop } from "../../engine/picture/resize.ts";
import { type Color, pixelAsWord } from "./canvas.ts";
import type { Theme } from "./theme.ts";

/** Pictures of signals [C,1,L] or [C,L,1] (ECG, audio): curves over time, a band for each channel, in place of strips one pixel high. */
export interface Curves {
  /** The signal alone. */
  readonly signal: Image;
  /** Relevance above and below each band's middle, over it the signal. Ends of the colours are those of single values, not of sums. */
  readonly relevance: Heatmap;
  /** Which channels are drawn and how long they are. */
  readonly size: string;
}

/** More bands than these cannot be read. */
const mostBands = 6;
const width = 640;
const bandHeight = 112;
/** Drawn larger by this and made smaller, so that curves are smooth. */
const fine = 2;

/** True for shapes of signals: one side of the image is 1, the other is not. */
export function isSignal([, height = 0, across = 0]: readonly number[]): boolean {
  return (height === 1) !== (across === 1);
}

/** The channels that are drawn, in their order: all, or those of most relevance. */
function shownChannels({ shape: [channels = 0], data }: Tensor): readonly number[] {
  const length = data.length / channels;
  const sizes = Array.from({ length: channels }, (_, c) =>
    data.subarray(c * length, (c + 1) * length).reduce((sum, value) => sum + Math.abs(value), 0),
  );
  const bySize = sizes.map((_, c) => c).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  return bySize.slice(0, mostBands).sort((a, b) => a - b);
}

/** A picture of empty bands, and what draws in one of them: heights go from 0, its lower end, to 1. */
function bands(count: number, { background, faint }: Theme, high = bandHeight) {
  const large = createImage(width * fine, count * high * fine, background);
  const words = new Uint32Array(large.data.buffer);
  const inside = (high - 12) * fine;
  const row = (band: number, height: number): number =>
    (band * high + 6) * fine + Math.round((inside - 1) * (1 - height));
  /** A column from one height to another; `thick` is added at both ends. */
  const column = (band: number, x: number, from: number, to: number, color: Color, thick = 0): void => {
    const [top, bottom] = [row(band, Math.max(from, to)) - thick, row(band, Math.min(from, to)) + thick];
    const word = pixelAsWord(color);
    for (let y = top; y <= bottom; y++) words[y * width * fine + x] = word;
  };
  for (let band = 1; band < count; band++) {
    for (let x = 0; x < width * fine; x++) column(band, x, 1.05, 1.05, faint);
  }
  return {
    column,
    finished: (): Image => {
      const size = { width, height: count * high };
      return resizeAndCrop(large, size.width, size.height, { left: 0, top: 0, ...size });
    },
  };
}

type Bands = ReturnType<typeof bands>;

/** First and last place of a signal that a column of the picture stands for. */
function places(x: number, length: number): readonly [first: number, last: number] {
  const first = Math.floor((x * length) / (width * fine));
  return [first, Math.max(first, Math.ceil(((x + 1) * length) / (width * fine)) - 1)];
}

/** Heights of a channel, 0 to 1 over its own range, between which a column of its line runs. A constant channel lies in the middle. */
function lineHeights(channel: Float32Array): (x: number) => readonly [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of channel) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const height = (value: number): number => (high > low ? (value - low) / (high - low) : 0.5);
  // A place's value lies in the middle of its columns; between the middles the line is straight.
  const at = (x: number): number => {
    const place = Math.min(channel.length - 1, Math.max(0, (x * channel.length) / (width * fine) - 0.5));
    const before = Math.floor(place);
    const next = channel[Math.min(channel.length - 1, before + 1)]!;
    return height(channel[before]! + (next - channel[before]!) * (place - before));
  };
  return (x) => {
    const ends = [at(x), at(x + 1)];
    const [first, last] = places(x, channel.length);
    if (channel.length > width * fine) for (let i = first; i <= last; i++) ends.push(height(channel[i]!));
    return [Math.min(...ends), Math.max(...ends)];
  };
}

function drawLine({ column }: Bands, band: number, channel: Float32Array, color: Color): void {
  const heights = lineHeights(channel);
  for (let x = 0; x < width * fine; x++) column(band, x, ...heights(x), color, 1);
}

/** For every column the place among its own whose value is farthest from 0: peaks of long signals stay. */
function strongestPlaces(values: Float32Array): Int32Array {
  return Int32Array.from({ length: width * fine }, (_, x) => {
    const [first, last] = places(x, values.length);
    let best = first;
    for (let i = first + 1; i <= last; i++) if (Math.abs(values[i]!) > Math.abs(values[best]!)) best = i;
    return best;
  });
}

const colorAt = ({ data }: Image, i: number): Color => [data[4 * i]!, data[4 * i + 1]!, data[4 * i + 2]!];

const channelOf = ({ shape: [channels = 1], data }: Tensor, c: number): Float32Array =>
  Float32Array.from(data.subarray((c * data.length) / channels, ((c + 1) * data.length) / channels));

/** One row of a picture. */
const rowOf = ({ width: across, data }: Image, row: number): Image => ({
  width: across,
  height: 1,
  data: data.subarray(4 * row * across, 4 * (row + 1) * across),
});

/** The value that fills half a band: the larger end of the colours. */
const largestOf = (low: number, high: number): number => Math.max(Math.abs(low), Math.abs(high)) || 1;

/** Relevance as bars from a band's middle, up for the class and down against it. */
function drawBars(
  { column }: Bands,
  band: number,
  values: Float32Array,
  end: number,
  colors: Image,
  theme: Theme,
): void {
  for (const [x, i] of strongestPlaces(values).entries()) {
    const height = 0.5 + Math.max(-1, Math.min(1, values[i]! / end)) / 2;
    column(band, x, 0.5, 0.5, theme.faint);
    column(band, x, 0.5, height, colorAt(colors, i));
  }
}

/**
 * The signal and its relevance as curves.
 * @param signal what the network saw, [C,1,L] or [C,L,1]
 * @param relevance of the same shape
 * @throws RangeError for relevance that is not finite and options out of range
 */
export function relevanceCurves(signal: Tensor, relevance: Tensor, colors: HeatmapOptions, theme: Theme): Curves {
  const [channels = 1] = relevance.shape;
  const length = relevance.data.length / channels;
  const { image, low, high } = heatmap(tensor([channels, length], Float32Array.from(relevance.data)), colors);
  const end = largestOf(low, high);
  const shown = shownChannels(relevance);
  const [plain, colored] = [bands(shown.length, theme), bands(shown.length, theme)];
  for (const [band, c] of shown.entries()) {
    drawBars(colored, band, channelOf(relevance, c), end, rowOf(image, c), theme);
    drawLine(plain, band, channelOf(signal, c), theme.ink);
    drawLine(colored, band, channelOf(signal, c), theme.quiet);
  }
  const all = `${channels} ${channels === 1 ? "channel" : "channels"} of ${length} values`;
  const some = `channels ${shown.map((c) => c + 1).join(", ")} of ${channels} (most relevance), ${length} values`;
  const size = shown.length === channels ? all : some;
  return { signal: plain.finished(), relevance: { image: colored.finished(), low, high }, size };
}

/**
 * Relevance at a layer of one row or column, [C,1,L] or [C,L,1], summed over its channels, as a curve as wide as the signal's.
 * @throws RangeError for relevance that is not finite and options out of range
 */
export function layerCurve(relevance: Tensor, colors: HeatmapOptions, theme: Theme): Image {
  const { data: sums } = sumOverChannels(relevance);
  const values = Float32Array.from(sums);
  const { image, low, high } = heatmap(tensor([1, values.length], values), colors);
  const drawn = bands(1, theme);
  drawBars(drawn, 0, values, largestOf(low, high), image, theme);
  return drawn.finished();
}

/**
 * A Salient Relevance map [H,W] of a signal as a curve: its height and its colour both tell the value.
 * @param height of the picture: that of the signal's
 */
export function salientCurve(map: Tensor, height: number, colors: HeatmapOptions, theme: Theme): Heatmap {
  const values = Float32Array.from(map.data);
  const { image, low, high } = heatmap(tensor([1, values.length], values), colors);
  const drawn = bands(1, theme, height);
  for (const [x, i] of strongestPlaces(values).entries()) {
    const share = high > low ? (values[i]! - low) / (high - low) : 0;
    drawn.column(0, x, 0, share, colorAt(image, i));
    drawn.column(0, x, share, share, theme.quiet, 1);
  }
  return { image: drawn.finished(), low, high };
}

/** The signal, the area under it in the colours of its Salient Relevance map. The same channels as in `relevanceCurves`. */
export function salientOverlay(
  signal: Tensor,
  relevance: Tensor,
  map: Tensor,
  colors: HeatmapOptions,
  theme: Theme,
): Image {
  const values = Float32Array.from(map.data);
  const { image } = heatmap(tensor([1, values.length], values), colors);
  const strongest = strongestPlaces(values);
  const shown = shownChannels(relevance);
  const drawn = bands(shown.length, theme);
  for (const [band, c] of shown.entries()) {
    const channel = channelOf(signal, c);
    const heights = lineHeights(channel);
    for (const [x, i] of strongest.entries()) drawn.column(band, x, 0, heights(x)[0], colorAt(image, i));
    drawLine(drawn, band, channel, theme.ink);
  }
  return drawn.finished();
}
