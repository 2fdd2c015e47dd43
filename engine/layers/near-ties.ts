import * as kernel from "../../kernels-as/kernel-calls.js";
import type { Window } from "../graph/window.ts";
import type { FeatureMap } from "../memory/feature-map.ts";
import type { Kernels } from "../memory/kernels.ts";
import type { ExactOutputs } from "./layer-kind.ts";

/** Windows of more positions stay as float32 has them. */
const mostPositions = 16;

/** A window and channel whose winner is not the first position with the largest float32 value. */
export interface Winner {
  /** Pixel of the pooled image. */
  readonly outY: number;
  readonly outX: number;
  readonly channel: number;
  /** Pixel of the input. */
  readonly y: number;
  readonly x: number;
}

/** The winners of max pooling that float32 gets wrong, for the outputs of a layer that can say them surer. */
export class NearTies {
  readonly #kernels: Kernels;
  readonly #window: Window;
  readonly #x: FeatureMap;
  readonly #y: FeatureMap;
  readonly #exact: ExactOutputs;
  readonly #marks: number;
  #known: readonly Winner[] | undefined;

  constructor(kernels: Kernels, window: Window, x: FeatureMap, y: FeatureMap, exact: ExactOutputs) {
    this.#kernels = kernels;
    this.#window = window;
    this.#x = x;
    this.#y = y;
    this.#exact = exact;
    this.#marks = kernels.arena.allocate(y.height * y.width);
  }

  /** Another photo's values are there. */
  forget(): void {
    this.#known = undefined;
  }

  /** The winners that float32 gets wrong, window by window; found at the first request after a forward pass. */
  get winners(): readonly Winner[] {
    this.#known ??= this.#find();
    return this.#known;
  }

  #find(): Winner[] {
    const [x, y, window] = [this.#x, this.#y, this.#window];
    const [kh, kw] = window.kernelShape;
    if (kh * kw > mostPositions) return [];
    const { low, high, patches } = this.#exact;
    const tolerances = this.#exact.ready();
    kernel.maxPool2dNearTies(this.#kernels, y.height, {
      marks: this.#marks,
      x,
      y,
      window,
      patches: patches.address,
      patchRow: patches.rowStride,
      patchPixel: patches.pixelStride,
      patchStride: patches.stride,
      patchRows: patches.rows,
      patchLength: patches.length,
      inH: x.height,
      inW: x.width,
      outW: y.width,
      channels: y.channels,
      tolerances,
      low,
      high,
    });
    const marks = this.#kernels.arena.u8(this.#marks, y.height * y.width).slice();
    const winners: Winner[] = [];
    const close = this.#kernels.arena.f32(tolerances, y.channels);
    for (let at = marks.indexOf(1); at >= 0; at = marks.indexOf(1, at + 1)) {
      this.#settle(Math.floor(at / y.width), at % y.width, close, winners);
    }
    return winners;
  }

  /** The pixels of a window inside the image, row by row. */
  #positionsOf(outY: number, outX: number): [y: number, x: number][] {
    const { kernelShape, strides, pads, dilations } = this.#window;
    const positions: [number, number][] = [];
    for (let i = 0; i < kernelShape[0]; i++) {
      for (let j = 0; j < kernelShape[1]; j++) {
        const y = outY * strides[0] - pads[0] + i * dilations[0];
        const x = outX * strides[1] - pads[1] + j * dilations[1];
        if (y >= 0 && x >= 0 && y < this.#x.height && x < this.#x.width) positions.push([y, x]);
      }
    }
    return positions;
  }

  /** For each position the first one that reads an equal patch. */
  #likenesses(positions: readonly (readonly [y: number, x: number])[]): number[] {
    const { call } = this.#kernels;
    const { address, rowStride, pixelStride, rows, stride, length } = this.#exact.patches;
    const addresses = positions.map(([y, x]) => address + 4 * (y * rowStride + x * pixelStride));
    return addresses.map((own, index) =>
      addresses.findIndex(
        (other, before) => before === index || call.equalPatches(other, own, stride, rows, length) === 1,
      ),
    );
  }

  /** Adds the winners of one window that float32 gets wrong. */
  #settle(outY: number, outX: number, tolerances: Float32Array, winners: Winner[]): void {
    const positions = this.#positionsOf(outY, outX);
    const image = this.#x;
    const values = this.#kernels.arena.f32(
      image.address,
      (image.height - 1) * image.rowStride + image.width * image.pixelStride,
    );
    const places = positions.map(([y, x]) => y * image.rowStride + x * image.pixelStride);
    const { low, high } = this.#exact;
    let likenesses: number[] | undefined;
    for (let channel = 0; channel < image.channels; channel++) {
      let best = Number.NEGATIVE_INFINITY;
      let next = best;
      for (const place of places) {
        const value = values[place + channel]!;
        next = Math.max(next, Math.min(best, value));
        best = Math.max(best, value);
      }
      const least = Math.fround(best - tolerances[channel]!);
      if (!(best > low && best < high && next >= least)) continue;
      likenesses ??= this.#likenesses(positions);
      const winner = this.#winnerOf(
        positions,
        likenesses,
        (index) => values[places[index]! + channel]! >= least,
        channel,
      );
      const first = places.findIndex((place) => values[place + channel] === best);
      const [y, x] = positions[winner] ?? [0, 0];
      if (winner >= 0 && winner !== first) winners.push({ outY, outX, channel, y, x });
    }
  }

  /** The first position of the largest output in double among those that are close to the largest; -1 where all of them are equal. */
  #winnerOf(
    positions: readonly (readonly [y: number, x: number])[],
    likenesses: readonly number[],
    isClose: (index: number) => boolean,
    channel: number,
  ): number {
    const apart = new Set(likenesses.filter((_, index) => isClose(index)));
    if (apart.size < 2) return -1;
    let [winner, largest] = [-1, Number.NEGATIVE_INFINITY];
    // Equal patches have equal outputs, so that the first of them is as close as they are.
    for (const index of apart) {
      const [y, x] = positions[index] ?? [0, 0];
      const value = this.#exact.value(y, x, channel);
      if (value > largest) [winner, largest] = [index, value];
    }
    return winner;
  }
}

/**
 * Hands relevance down through a pooling, that of windows with another winner than float32's to this one.
 * @param relevance of the pooling's output; overwritten
 * @param route hands all of it to float32's winners
 */
export function routeToWinners(
  { arena }: Kernels,
  winners: readonly Winner[],
  relevance: FeatureMap,
  inputRelevance: FeatureMap,
  route: () => void,
): void {
  const at = (image: FeatureMap, y: number, x: number, channel: number): Float32Array =>
    arena.f32(image.address + 4 * (y * image.rowStride + x * image.pixelStride + channel), 1);
  const moved = winners.map(({ outY, outX, channel }) => {
    const own = at(relevance, outY, outX, channel);
    const [value = 0] = own;
    own[0] = 0;
    return value;
  });
  route();
  winners.forEach(({ y, x, channel }, index) => {
    at(inputRelevance, y, x, channel)[0]! += moved[index]!;
  });
}
