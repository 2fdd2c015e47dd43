import { mustHave } from "../../basics/must-have.ts";
import type { BatchNormNode } from "../../graph/definition.ts";
import type { Parameter } from "../layer-kind.ts";

/** The vectors of a folded batch norm, collected until all are there. */
export class FoldedBatchNorm {
  readonly #node: BatchNormNode;
  /** The layer or batch norm, for messages. */
  readonly #where: string;
  readonly #channels: number;
  readonly #vectors: ReadonlyMap<string, Float32Array>;
  readonly #missing: Map<string, number>;

  constructor(node: BatchNormNode, where: string, channels: number) {
    const { scale, bias, mean, variance } = node;
    const names = [scale, bias, mean, variance].filter((name) => name !== undefined);
    this.#node = node;
    this.#where = where;
    this.#channels = channels;
    this.#vectors = new Map(names.map((name) => [name, new Float32Array(channels)]));
    this.#missing = new Map(names.map((name) => [name, channels]));
  }

  /** Parameters of the batch norm, each [channels]. */
  get parameters(): readonly Parameter[] {
    return [...this.#vectors.keys()].map((name) => ({ name, shape: [this.#channels] }));
  }

  /** True once all rows of all vectors are there. */
  get isComplete(): boolean {
    return [...this.#missing.values()].every((rows) => rows === 0);
  }

  /** Takes rows of one of its vectors, in order; false when the name is not one of them. */
  setRows(name: string, firstRow: number, rows: Float32Array): boolean {
    const vector = this.#vectors.get(name);
    if (vector === undefined) return false;
    vector.set(rows, firstRow);
    this.#missing.set(name, this.#channels - firstRow - rows.length);
    return true;
  }

  #requireComplete(): void {
    const missing = [...this.#missing].find(([, rows]) => rows > 0);
    if (missing === undefined) return;
    throw new RangeError(
      `${this.#where}: batch norm multiplies the weights as they come in, but ${missing[1]} of ${this.#channels} values of "${missing[0]}" are not bound yet. Bind parameters in the order of network.parameters.`,
    );
  }

  #vector(name: string | undefined): Float32Array | undefined {
    return name === undefined ? undefined : mustHave(this.#vectors.get(name), `vector "${name}"`);
  }

  /** scale / sqrt(variance + epsilon) of a channel, in double. */
  #factorOf(): (channel: number) => number {
    this.#requireComplete();
    const gamma = this.#vector(this.#node.scale);
    const sigma2 = mustHave(this.#vector(this.#node.variance), "variance");
    // A vector that the node does not name: scale 1.
    return (c) => (gamma === undefined ? 1 : gamma[c]!) / Math.sqrt(sigma2[c]! + this.#node.epsilon);
  }

  /**
   * scale / sqrt(variance + epsilon) per channel, in double, rounded once.
   * @throws RangeError before all vectors are there
   */
  factors(): Float32Array {
    const factorOf = this.#factorOf();
    return Float32Array.from({ length: this.#channels }, (_, c) => factorOf(c));
  }

  /**
   * (bias of the layer - mean) * factor + bias of the batch norm.
   * @throws RangeError before all vectors are there
   */
  foldedBias(layerBias: Float32Array): Float32Array {
    const factorOf = this.#factorOf();
    const beta = this.#vector(this.#node.bias);
    const mu = mustHave(this.#vector(this.#node.mean), "mean");
    return layerBias.map((own, c) => (own - mu[c]!) * factorOf(c) + (beta === undefined ? 0 : beta[c]!));
  }
}
