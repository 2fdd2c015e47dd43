import * as kernel from "../../../kernels-as/kernel-calls.js";
import { type FeatureMap, pixelsAt } from "../../memory/feature-map.ts";
import type { Kernels } from "../../memory/kernels.ts";
import type { Place, Region } from "../../memory/shared-region.ts";
import type { Workspace } from "../../memory/thread-scratch.ts";

/** What a convolution of one stride is given beside its images. */
export interface FlatConvolution {
  readonly taps: number;
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

  constructor(kernels: Kernels, workspace: Workspace, marks: Region, output: FeatureMap, convolution: FlatConvolution) {
    this.#kernels = kernels;
    this.#workspace = workspace;
    this.#convolution = convolution;
    this.#rowBytes = Math.ceil((output.width + convolution.taps + overread) / 16) * 16;
    // One row more: reading ahead from the last.
    this.#marks = marks.reserve(this.#rowBytes * (output.height + convolution.taps));
    workspace.reserve(2 * this.#rowBytes + 1152);
  }

  /**
   * @param firstTap address of what the first tap of output (0,0) reads
   * @param pack of the unmodified weights, group after group
   * @param bias as conv2dForward reads it, 0 for none
   */
  run(y: FeatureMap, x: FeatureMap, firstTap: number, pack: number, bias: number, low: number, high: number): void {
    const { taps, group, inPerGroup, outPerGroup, packBytes } = this.#convolution;
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
