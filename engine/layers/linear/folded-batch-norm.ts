import type { BatchNormNode } from "../../graph/definition.ts";
import type { Parameter } from "../layer-kind.ts";

/** The vectors of a folded batch norm, collected until all are there. */
export class FoldedBatchNorm {
  readonly #node: BatchNormNode;
  readonly #channels: number;
  readonly #vectors = new Map<string, Float32Array>();

  constructor(node: BatchNormNode, channels: number) {
    this.#node = node;
    this.#channels = channels;
  }

  /** Parameters of the batch norm, each [channels]. */
  get parameters(): readonly Parameter[] {
    const { scale, bias, mean, variance } = this.#node;
    const names = [scale, bias, mean, variance].filter((name) => name !== undefined);
    return [...new Set(names)].map((name) => ({ name, shape: [this.#channels] }));
  }

  /** Takes rows of one of its vectors; false when the name is not one of them. */
  setRows(name: string, firstRow: number, rows: Float32Array): boolean {
    const { scale, bias, mean, variance } = this.#node;
    if (![scale, bias, mean, variance].includes(name)) return false;
    const vector = this.#vectors.get(name) ?? new Float32Array(this.#channels);
    vector.set(rows, firstRow);
    this.#vectors.set(name, vector);
    return true;
  }

  /** scale / sqrt(variance + epsilon) per channel, in double, rounded once. */
  factors(): Float32Array {
    const { scale, variance, epsilon } = this.#node;
    const gamma = scale === undefined ? undefined : this.#vectors.get(scale);
    const sigma2 = this.#vectors.get(variance);
    return Float32Array.from(
      { length: this.#channels },
      (_, c) => (gamma?.[c] ?? 1) / Math.sqrt((sigma2?.[c] ?? 1) + epsilon),
    );
  }

  /** (bias of the layer - mean) * factor + bias of the batch norm. */
  foldedBias(layerBias: Float32Array | undefined): Float32Array {
    const { bias, mean, scale, variance, epsilon } = this.#node;
    const beta = bias === undefined ? undefined : this.#vectors.get(bias);
    const mu = this.#vectors.get(mean);
    const gamma = scale === undefined ? undefined : this.#vectors.get(scale);
    const sigma2 = this.#vectors.get(variance);
    return Float32Array.from({ length: this.#channels }, (_, c) => {
      const factor = (gamma?.[c] ?? 1) / Math.sqrt((sigma2?.[c] ?? 1) + epsilon);
      return ((layerBias?.[c] ?? 0) - (mu?.[c] ?? 0)) * factor + (beta?.[c] ?? 0);
    });
  }
}
