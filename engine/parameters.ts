import type { Shape } from "./tensor.ts";

/** A tensor that a network needs from a weight file. */
export interface ParameterSpec {
  /** Name in the weight file. */
  readonly name: string;
  readonly shape: Shape;
  /** Node that uses it, for messages. */
  readonly node: string;
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
