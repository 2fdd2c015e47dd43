import * as kernel from "../../../kernels-as/kernel-calls.js";
import type { Window } from "../../graph/window.ts";
import { type FeatureMap, pixelsAt } from "../../memory/feature-map.ts";
import type { Kernels } from "../../memory/kernels.ts";
import type { Place } from "../../memory/shared-region.ts";
import type { Workspace } from "../../memory/thread-scratch.ts";
import type { Modification } from "../../rules/rules.ts";
import { modificationKey } from "./modified-weights.ts";

/** How convolutions are computed. auto: by a fixed table of sizes; direct: the definition, the reference for accuracy. */
export type Algorithm = "auto" | "direct";

/** Outputs of a Winograd tile along one axis; 0: the direct convolution. */
export type Tile = 0 | 2 | 4;

/** What decides the algorithm of one pass over a convolution. */
export interface ConvolutionSize {
  readonly window: Window;
  readonly inPerGroup: number;
  readonly outPerGroup: number;
  /** Height and width of what the pass writes. */
  readonly height: number;
  readonly width: number;
}

/**
 * The algorithm of a pass, forward or transposed. It decides the last bits of the output, so it depends on sizes alone, never on a
 * measurement. F(4x4,3x3) where what is written is larger than 12 pixels; F(2x2,3x3), more accurate and with less waste, for smaller
 * images; F(2x2,5x5); direct for every other kernel, stride or channel count.
 */
export function winogradTile(size: ConvolutionSize): Tile {
  const { window, inPerGroup, outPerGroup, height, width } = size;
  const [taps] = window.kernelShape;
  const isPlain =
    window.kernelShape.every((k) => k === taps) &&
    window.strides.every((s) => s === 1) &&
    window.dilations.every((d) => d === 1);
  const fillsLanes = inPerGroup % 8 === 0 && outPerGroup % 8 === 0 && inPerGroup >= 16 && outPerGroup >= 16;
  if (!isPlain || !(taps === 3 || taps === 5) || !fillsLanes || Math.min(height, width) < 4) return 0;
  return taps === 3 && Math.min(height, width) > 12 ? 4 : 2;
}

/** Rows or columns that whole tiles write beyond an axis of this length. */
export function tileOverhang(length: number, tile: Tile): number {
  return tile === 0 ? 0 : Math.ceil(length / tile) * tile - length;
}

// The points of a block's inputs stay in the second-level cache; where channels are many, the weights are what must not be
// read twice, so the block is a thread's share of the image.
const blockBytes = 512 * 1024;

// To fill fresh memory costs almost three times what it costs to transform once more in memory that is there (VGG-16 forward and
// li2019: 578 and 208 ms of CPU), so to keep the weights pays from the third use on.
const keptFromUse = 3;

/** One direction of a convolution. */
export interface WinogradSize {
  readonly tile: 2 | 4;
  /** Of the filter along one axis, 3 or 5. */
  readonly taps: number;
  readonly group: number;
  /** Channels of a group that this direction reads, and those that it writes. */
  readonly inC: number;
  readonly outC: number;
  /** Of what it writes. */
  readonly height: number;
  readonly width: number;
}

/** What a convolution by Winograd's algorithm shares with others. */
export interface WinogradSurroundings {
  readonly kernels: Kernels;
  readonly workspace: Workspace;
  /** How many bytes of transformed weights the network may still keep. */
  readonly keptBytes: { left: number };
  /** Memory is small: they are made for every use. */
  readonly keepsNone: boolean;
}

/** One direction of a 3x3 or 5x5 convolution by Winograd's algorithm: its transformed weights and its scratch memory. */
export class WinogradConvolution {
  readonly tile: 2 | 4;
  /** Of the filter along one axis. */
  readonly taps: number;
  readonly #kernels: Kernels;
  readonly #workspace: Workspace;
  readonly #group: number;
  readonly #inC: number;
  readonly #outC: number;
  readonly #tiles: number;
  readonly #blockTiles: number;

  readonly #keptBytes: { left: number };
  readonly #keepsNone: boolean;
  readonly #kept = new Map<string, number>();
  readonly #uses = new Map<string, number>();

  constructor(
    { kernels, workspace, keptBytes, keepsNone }: WinogradSurroundings,
    { tile, taps, group, inC, outC, height, width }: WinogradSize,
  ) {
    this.tile = tile;
    this.taps = taps;
    this.#kernels = kernels;
    this.#workspace = workspace;
    this.#group = group;
    this.#inC = inC;
    this.#outC = outC;
    this.#tiles = Math.ceil(height / tile) * Math.ceil(width / tile);
    const perTile = 4 * (tile + taps - 1) ** 2 * Math.max(inC, outC);
    const fitting = Math.max(16, Math.floor(blockBytes / perTile / 4) * 4);
    const share = Math.ceil(this.#tiles / kernels.threads / 4) * 4;
    this.#blockTiles = Math.min(share, inC >= 256 || outC >= 256 ? share : fitting);
    workspace.reserve(kernels.call.winogradScratchBytes(this.#blockTiles, inC, outC, tile, taps));
    this.#keptBytes = keptBytes;
    this.#keepsNone = keepsNone;
  }

  /** Bytes of one group's transformed weights. */
  get #groupBytes(): number {
    return 4 * (this.tile + this.taps - 1) ** 2 * this.#inC * this.#outC;
  }

  /** Bytes of transformed weights. */
  get weightBytes(): number {
    return this.#group * this.#groupBytes;
  }

  /**
   * Address of transformed weights, valid until the next call for any layer. They are up to four times as large as the weights: for the
   * first uses they lie in memory that all layers share, so that an explanation needs little of it; from the third use on they are
   * kept, up to the network's limit.
   * @param place in the memory that all layers share
   * @param pack gives the direct packs, group after group; they are needed for the moment only
   */
  weights(modification: Modification, place: Place, pack: () => number): number {
    const key = modificationKey(modification);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const bytes = this.weightBytes;
    const uses = 1 + (this.#uses.get(key) ?? 0);
    this.#uses.set(key, uses);
    const isKept = uses >= keptFromUse && !this.#keepsNone && bytes <= this.#keptBytes.left;
    if (isKept) this.#keptBytes.left -= bytes;
    const weights = isKept ? this.#kernels.arena.allocate(bytes) : place.address;
    if (isKept) this.#kept.set(key, weights);
    this.#transformWeights(weights, pack());
    return weights;
  }

  #transformWeights(weights: number, packed: number): void {
    const scratch = this.#workspace.memory;
    const packBytes = 4 * this.taps ** 2 * this.#inC * this.#outC;
    for (let g = 0; g < this.#group; g++) {
      // biome-ignore format: one group of arguments a line
      this.#kernels.split("winogradPack", this.#outC / 8,weights + g * this.#groupBytes, packed + g * packBytes, scratch,
        this.#outC, this.#inC, this.tile, this.taps);
    }
  }

  /**
   * @param firstTap address of what the first tap of output (0,0) of the first group reads
   * @param bias address of the bias, 0 for none
   * @param skip address of a byte for each tile, not 0 where it need not be computed; 0: all are
   */
  run(
    y: FeatureMap,
    x: FeatureMap,
    firstTap: number,
    weights: number,
    bias: number,
    low: number,
    high: number,
    skip: number,
  ): void {
    const scratch = this.#workspace.memory;
    for (let g = 0; g < this.#group; g++) {
      kernel.winogradConv2d(this.#kernels, this.#tiles, {
        y: pixelsAt(y, y.address + 4 * g * this.#outC),
        x: pixelsAt(x, firstTap + 4 * g * this.#inC),
        u: weights + g * this.#groupBytes,
        bias: bias === 0 ? 0 : bias + 4 * g * this.#outC,
        scratch,
        skip,
        outH: y.height,
        outW: y.width,
        outC: this.#outC,
        inC: this.#inC,
        size: this.tile,
        taps: this.taps,
        low,
        high,
        blockTiles: this.#blockTiles,
      });
    }
  }
}
