import type { PhaseAxis } from "./stride-phases.ts";

/** Channels that lie side by side in a depthwise pack [ceil(channels/4)][kh][kw][4]. */
export const depthwiseLanes = 4;

/** Floats of a pack: channels are rounded up to whole vectors. */
export function depthwiseLength(channels: number, taps: number): number {
  return Math.ceil(channels / depthwiseLanes) * depthwiseLanes * taps;
}

/** Where a pack has a channel's first weight; its next ones are `depthwiseLanes` apart. */
export function depthwiseFirst(channel: number, taps: number): number {
  const lane = channel % depthwiseLanes;
  return (channel - lane) * taps + lane;
}

/** Puts the weights of one channel, times a factor, into a pack. */
export function packDepthwise(pack: Float32Array, channel: number, weights: Float32Array, factor: number): void {
  const first = depthwiseFirst(channel, weights.length);
  for (let t = 0; t < weights.length; t++) pack[first + t * depthwiseLanes] = weights[t]! * factor;
}

/** The pack of a stride phase of the transposed pass: its taps, turned. */
export function turnDepthwise(
  out: Float32Array,
  pack: Float32Array,
  [kh, kw]: readonly [number, number],
  py: PhaseAxis,
  px: PhaseAxis,
): void {
  let at = 0;
  for (let first = 0; first < pack.length; first += depthwiseLanes * kh * kw) {
    for (let a = 0; a < py.taps; a++) {
      for (let b = 0; b < px.taps; b++, at += depthwiseLanes) {
        const place = first + depthwiseLanes * ((py.lastTap - a * py.tapStep) * kw + px.lastTap - b * px.tapStep);
        out.set(pack.subarray(place, place + depthwiseLanes), at);
      }
    }
  }
}
