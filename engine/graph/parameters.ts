import type { Shape } from "../basics/tensor.ts";

/** A tensor that a network needs from a weight file. */
export interface ParameterSpec {
  /** Name in the weight file. */
  readonly name: string;
  readonly shape: Shape;
  /** Node that uses it, for messages. */
  readonly node: string;
  /** True when the network reads it from a RowSource each time: it is checked, but not bound. */
  readonly isStreamed?: boolean;
}

/** Weights that stay outside and are read, at once and without waiting, whenever a layer runs. */
export interface RowSource {
  /**
   * Rows `firstRow` to `firstRow + rowCount` along axis 0, C order. The result is valid until the next call.
   */
  readRows(name: string, firstRow: number, rowCount: number): Float32Array;
}

/**
 * Where a loader puts a network's parameters: in the order of `parameters`, each as one or several blocks of whole rows
 * (axis 0), first to last, so that no tensor need be in memory twice.
 */
export interface ParameterSink {
  readonly parameters: readonly ParameterSpec[];
  /**
   * @param name one of `parameters`
   * @param firstRow index of the first row in `rows` along axis 0
   * @param rows whole rows, C order, float32; may be reused by the caller afterwards
   */
  setRows(name: string, firstRow: number, rows: Float32Array): void;
}
