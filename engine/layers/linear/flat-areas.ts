import * as kernel from "../../../kernels-as/kernel-calls.js";
import { type FeatureMap, pixelsAt } from "../../memory/feature-map.ts";
import type { Kernels } from "../../memory/kernels.ts";
import type { Place, Region } from "../../memory/shared-region.ts";
import type { Workspace } from "../../memory/thread-scratch.ts";

/** A convolution of one stride. */
export interface FlatConvolution {
  readonly y: FeatureMap;
  readonly x: FeatureMap;
  /** Address of what the first tap of output (0,0) reads. */
  readonly firstTap: number;
  readonly taps: number;
  /** Outputs of a Winograd tile along one axis. */
  readonly tile: number;
  readonly group: number;
  /** Channels of a group. */
  readonly inPerGroup: number;
  readonly outPerGroup: number;
  /** Bytes of a group's pack for conv2dForward. */
  readonly packBytes: number;
}

/** Columns that marks have beyond the outputs of a row: the kernels read 16 at once. */
const overread = 15;

/**
 * Makes outputs of a convolution equal where they read equal patches: where a neighbour's patch is equal, an output is what the direct
 * convolution gives. Winograd's algorithm rounds equal outputs differently, and max pooling then finds its winners elsewhere.
 */
export class FlatAreas {
  readonly #kernels: Kernels;
  readonly #workspace: Workspace;
  readonly #marks: Place;
  readonly #convolution: FlatConvolution;
  readonly #rowBytes: number;
  /** Where the marks of the tiles lie behind those of the pixels. */
  readonly #skipAt: number;

  constructor(kernels: Kernels, workspace: Workspace, marks: Region, convolution: FlatConvolution) {
    const { y, taps, tile } = convolution;
    this.#kernels = kernels;
    this.#workspace = workspace;
    this.#convolution = convolution;
    this.#rowBytes = Math.ceil((y.width + taps + overread) / 16) * 16;
    // One row more: reading ahead from the last.
    this.#skipAt = this.#rowBytes * (y.height + taps);
    this.#marks = marks.reserve(this.#skipAt + Math.ceil(y.height / tile) * Math.ceil(y.width / tile));
    workspace.reserve(2 * this.#rowBytes + 1152);
  }

  /**
   * Looks for flat areas; comes before `run`.
   * @returns address of a byte for each tile, not 0 where `run` writes all of it
   */
  mark(): number {
    const { y, x, firstTap, taps, tile } = this.#convolution;
    const marks = this.#marks.address;
    const [rows, columns] = [y.height + taps - 1, y.width + taps - 1];
    const rowBytes = this.#rowBytes;
    const read = {
      marks,
      rowBytes,
      x: pixelsAt(x, firstTap),
      height: rows,
      width: columns,
      channels: x.channels,
      taps,
    };
    kernel.markSamples(this.#kernels, Math.ceil(rows / taps), read);
    kernel.markAroundSamples(this.#kernels, rows, read);
    const skip = marks + this.#skipAt;
    const scratch = this.#workspace.memory;
    const tiles = { skip, marks, rowBytes, scratch, outH: y.height, outW: y.width, taps, size: tile };
    kernel.markFlatTiles(this.#kernels, Math.ceil(y.height / tile), tiles);
    return skip;
  }

  /**
   * @param pack of the unmodified weights, group after group
   * @param bias as conv2dForward reads it, 0 for none
   */
  run(pack: number, bias: number, low: number, high: number): void {
    const { y, x, firstTap, taps, group, inPerGroup, outPerGroup, packBytes } = this.#convolution;
    const marks = this.#marks.address;
    const rowBytes = this.#rowBytes;
    for (let g = 0; g < group; g++) {
      kernel.flatConv2d(this.#kernels, y.height, {
        y: pixelsAt(y, y.address + 4 * g * outPerGroup),
        x: pixelsAt(x, firstTap + 4 * g * inPerGroup),
        w: pack + g * packBytes,
        bias: bias === 0 ? 0 : bias + 4 * g * outPerGroup,
        scratch: this.#workspace.memory,
        marks,
        rowBytes,
        outW: y.width,
        outC: outPerGroup,
        inC: inPerGroup,
        taps,
        low,
        high,
      });
    }
  }
}
