import type { Shape } from "../../engine/basics/tensor.ts";
import type { Pads } from "../../engine/graph/definition.ts";
import type { NetworkBuilder } from "../graphs/network-builder.ts";
import type { StoredTensor } from "../tensors/weight-file.ts";

/** What is known of a value of the graph while it is converted; shapes of data are without the batch. */
export type OnnxValueState =
  /** Computed from the photo by `node`. `pads`: zeros around it (counted in `shape`) that its reader has to add. */
  | {
      readonly kind: "data";
      readonly node: string;
      readonly shape: Shape;
      readonly pads?: Pads;
      readonly isNonNegative?: boolean;
    }
  | { readonly kind: "constant"; readonly tensor: StoredTensor }
  | OnnxInts;

/** Integers of a shape calculation, C order. */
export interface OnnxInts {
  readonly kind: "ints";
  readonly shape: Shape;
  readonly values: readonly number[];
}

/** What converting nodes adds to. */
export interface OnnxImport extends NetworkBuilder {
  readonly opset: number;
  /** Messages call the file so. */
  readonly what: string;
  readonly values: Map<string, OnnxValueState>;
  /** The node that carries a value, with zero padding written out if some is pending. */
  dataNode(value: OnnxValueState & { kind: "data" }): string;
  /** How many nodes read a value. */
  uses(value: string): number;
}
