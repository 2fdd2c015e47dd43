import * as kernel from "../../../kernels-as/kernel-calls.js";
import type { RowSource } from "../../graph/parameters.ts";
import { allocatePerThread, type Kernels, type PerThread } from "../../memory/kernels.ts";
import type { Staging } from "../../memory/staging.ts";
import type { Modification } from "../../rules/rules.ts";

const lanes = 4;

/** Number of floats that a dense layer's outputs take up. */
export function outputStride(outputs: number): number {
  return Math.ceil(outputs / lanes) * lanes;
}

/** Addresses of one pass forward. */
export interface DenseForward {
  readonly y: number;
  /** Where W+ x goes, which is computed beside W x + b; 0: nowhere. */
  readonly positive: number;
  readonly x: number;
  /** Indices of the non-zero inputs and their number. */
  readonly indices: number;
  readonly count: number;
  readonly bias: number;
  readonly low: number;
  readonly high: number;
}

/** The weights of a dense layer, wherever they are. */
export interface DenseWeights {
  /** Takes whole rows, each multiplied by its factor. */
  setRows(firstRow: number, rows: Float32Array, factors: Float32Array | undefined): void;
  forward(pass: DenseForward, modification: Modification): void;
  /** dx = W^T s, 0 where mask is 0. */
  inputGrad(dx: number, s: number, mask: number, modification: Modification): void;
}

/** How the kernels are told of a modification: its kind, and the factors of positive and negative weights. */
function kernelModification(modification: Modification): { kind: number; p: number; n: number } {
  switch (modification.kind) {
    case "signed": {
      const { positive, negative } = modification;
      return { kind: positive === 1 && negative === 1 ? 0 : 1, p: positive, n: negative };
    }
    case "squared":
      return { kind: 2, p: 1, n: 1 };
    case "ones":
      return { kind: 3, p: 1, n: 1 };
    default:
      return modification satisfies never;
  }
}

/** Rows that get their factors at once. */
const factorRows = 256;

/** Packs rows of weights input-major. */
class Packer {
  readonly #kernels: Kernels;
  readonly #factors: number;
  readonly #scratch: PerThread;

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
    this.#factors = kernels.arena.allocate(4 * factorRows);
    this.#scratch = allocatePerThread(kernels, kernels.call.densePackScratch());
  }

  /** Packs `count` rows at `address` as the outputs from `first` on. @param factors of these rows */
  pack(
    packed: number,
    address: number,
    first: number,
    count: number,
    inputs: number,
    stride: number,
    factors: Float32Array | undefined,
  ): void {
    const { arena } = this.#kernels;
    for (let done = 0; done < count; done += factorRows) {
      const rows = Math.min(factorRows, count - done);
      if (factors) arena.f32(this.#factors, rows).set(factors.subarray(done, done + rows));
      kernel.densePack(this.#kernels, inputs, {
        packed,
        scratch: this.#scratch,
        w: address + 4 * done * inputs,
        scale: factors ? this.#factors : 0,
        first: first + done,
        rows,
        inF: inputs,
        outStride: stride,
      });
    }
  }
}

/** Weights in kernel memory. */
export function residentDense(kernels: Kernels, staging: Staging, inputs: number, outputs: number): DenseWeights {
  const stride = outputStride(outputs);
  const weights = kernels.arena.allocate(4 * inputs * stride);
  const packer = new Packer(kernels);
  return {
    setRows(firstRow, rows, factors) {
      staging.pass(rows, inputs, firstRow, (address, first, count) => {
        const own = factors?.subarray(first, first + count);
        packer.pack(weights, address, first, count, inputs, stride, own);
      });
    },
    forward(pass, modification) {
      const own = { ...kernelModification(modification), w: weights, outStride: stride };
      kernel.denseForward(kernels, stride / lanes, { ...pass, ...own });
    },
    inputGrad(dx, s, mask, modification) {
      const own = { ...kernelModification(modification), w: weights, outStride: stride };
      kernel.denseInputGrad(kernels, inputs, { dx, s, mask, ...own });
    },
  };
}

// Outputs of a block: a multiple of the 16 partial sums of denseInputGrad.
const blockOutputs = 16;

/** Works with a block at an address: its first output, and the number of floats of its outputs. */
type UseOfBlock = (block: number, first: number, stride: number) => void;

/** Reads, packs and hands on one block after the other. */
function blockReader(
  kernels: Kernels,
  source: RowSource,
  name: string,
  inputs: number,
  outputs: number,
  factors: () => Float32Array | undefined,
): (use: UseOfBlock) => void {
  const { arena } = kernels;
  const packer = new Packer(kernels);
  return (use) => {
    const scale = factors();
    const rows = arena.allocate(4 * blockOutputs * inputs);
    const block = arena.allocate(4 * blockOutputs * inputs);
    for (let first = 0; first < outputs; first += blockOutputs) {
      const count = Math.min(blockOutputs, outputs - first);
      arena.f32(rows, count * inputs).set(source.readRows(name, first, count));
      const stride = outputStride(count);
      packer.pack(block, rows, 0, count, inputs, stride, scale?.subarray(first, first + count));
      use(block, first, stride);
    }
  };
}

/**
 * Weights that are read from outside in blocks of outputs whenever the layer runs: the same bytes as resident weights, in the
 * memory of one block.
 */
export function streamedDense(
  kernels: Kernels,
  source: RowSource,
  name: string,
  inputs: number,
  outputs: number,
  factors: () => Float32Array | undefined,
): DenseWeights {
  const { split, arena } = kernels;
  const forEachBlock = blockReader(kernels, source, name, inputs, outputs, factors);
  /** What `work` allocates ends with it. */
  const during = (work: () => void): void => {
    const mark = arena.mark();
    try {
      work();
    } finally {
      arena.release(mark);
    }
  };
  return {
    setRows() {}, // they stay where they are
    forward(pass, modification) {
      const modified = kernelModification(modification);
      const run: UseOfBlock = (w, first, outStride) => {
        const shifted = (address: number): number => (address === 0 ? 0 : address + 4 * first);
        const places = { y: pass.y + 4 * first, positive: shifted(pass.positive), bias: shifted(pass.bias) };
        kernel.denseForward(kernels, outStride / lanes, { ...pass, ...places, ...modified, w, outStride });
      };
      during(() => forEachBlock(run));
    },
    inputGrad(dx, s, mask, modification) {
      const modified = kernelModification(modification);
      during(() => {
        const partials = arena.allocate(64 * inputs);
        forEachBlock((w, first, blockStride) => {
          const from = s + 4 * first;
          kernel.denseInputGradBlock(kernels, inputs, { partials, s: from, w, mask, blockStride, ...modified });
        });
        split("denseInputGradTotal", inputs, dx, partials);
      });
    },
  };
}
