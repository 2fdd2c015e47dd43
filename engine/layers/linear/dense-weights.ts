import type { RowSource } from "../../graph/parameters.ts";
import { allocatePerThread, type Kernels, type PerThread } from "../../memory/kernels.ts";
import { named } from "../../memory/named.ts";
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

/** How the kernels are told of a modification: [kind, positive factor, negative factor]. */
function kernelModification(modification: Modification): [kind: number, p: number, n: number] {
  switch (modification.kind) {
    case "signed": {
      const { positive, negative } = modification;
      return positive === 1 && negative === 1 ? [0, 1, 1] : [1, positive, negative];
    }
    case "squared":
      return [2, 1, 1];
    case "ones":
      return [3, 1, 1];
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
    const { split, arena } = this.#kernels;
    for (let done = 0; done < count; done += factorRows) {
      const rows = Math.min(factorRows, count - done);
      if (factors) arena.f32(this.#factors, rows).set(factors.subarray(done, done + rows));
      const scale = factors ? this.#factors : 0;
      const from = address + 4 * done * inputs;
      split(
        "densePack",
        inputs,
        ...named("densePack", {
          packed,
          scratch: this.#scratch,
          w: from,
          scale,
          first: first + done,
          rows,
          inF: inputs,
          outStride: stride,
        }),
      );
    }
  }
}

/** Weights in kernel memory. */
export function residentDense(kernels: Kernels, staging: Staging, inputs: number, outputs: number): DenseWeights {
  const { split, arena } = kernels;
  const stride = outputStride(outputs);
  const weights = arena.allocate(4 * inputs * stride);
  const packer = new Packer(kernels);
  return {
    setRows(firstRow, rows, factors) {
      staging.pass(rows, inputs, firstRow, (address, first, count) => {
        const own = factors?.subarray(first, first + count);
        packer.pack(weights, address, first, count, inputs, stride, own);
      });
    },
    forward({ y, positive, x, indices, count, bias, low, high }, modification) {
      const [kind, p, n] = kernelModification(modification);
      split(
        "denseForward",
        stride / lanes,
        ...named("denseForward", {
          y,
          positive,
          indices,
          count,
          x,
          w: weights,
          bias,
          outStride: stride,
          kind,
          p,
          n,
          low,
          high,
        }),
      );
    },
    inputGrad(dx, s, mask, modification) {
      const [kind, p, n] = kernelModification(modification);
      split(
        "denseInputGrad",
        inputs,
        ...named("denseInputGrad", { dx, s, w: weights, mask, outStride: stride, kind, p, n }),
      );
    },
  };
}

// Outputs of a block: a multiple of the 16 partial sums of denseInputGrad.
const blockOutputs = 16;

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
  const packer = new Packer(kernels);
  /** Reads, packs and hands on one block after the other. */
  const forEachBlock = (use: (block: number, first: number, stride: number) => void): void => {
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
    forward({ y, positive, x, indices, count, bias, low, high }, modification) {
      const [kind, p, n] = kernelModification(modification);
      const run = (block: number, first: number, stride: number): void => {
        const shifted = (address: number): number => (address === 0 ? 0 : address + 4 * first);
        const [to, beside, ownBias] = [y + 4 * first, shifted(positive), shifted(bias)];
        split(
          "denseForward",
          stride / lanes,
          ...named("denseForward", {
            y: to,
            positive: beside,
            indices,
            count,
            x,
            w: block,
            bias: ownBias,
            outStride: stride,
            kind,
            p,
            n,
            low,
            high,
          }),
        );
      };
      during(() => forEachBlock(run));
    },
    inputGrad(dx, s, mask, modification) {
      const [kind, p, n] = kernelModification(modification);
      const run = (partials: number, block: number, first: number, stride: number): void => {
        split(
          "denseInputGradBlock",
          inputs,
          ...named("denseInputGradBlock", {
            partials,
            s: s + 4 * first,
            w: block,
            mask,
            blockStride: stride,
            kind,
            p,
            n,
          }),
        );
      };
      during(() => {
        const partials = arena.allocate(64 * inputs);
        forEachBlock((block, first, stride) => run(partials, block, first, stride));
        split("denseInputGradTotal", inputs, dx, partials);
      });
    },
  };
}
