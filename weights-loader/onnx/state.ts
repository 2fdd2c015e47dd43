import type { Shape } from "../../engine/basics/tensor.ts";
import type { Pads, Stage } from "../../engine/graph/definition.ts";
import type { NetworkBuilder } from "../graphs/network-builder.ts";
import type { StoredTensor } from "../tensors/weight-file.ts";

/** A value that depends on the photo, computed by `node`. Shapes are without the batch, in C order. */
export interface OnnxData {
  readonly kind: "data";
  readonly node: string;
  /** What the graph takes it for; any number of axes. */
  readonly shape: Shape;
  /** What the node puts out: [F] or [C,H,W] with the same elements as `base`. */
  readonly at: Shape;
  /** The axes of `shape` as the node has them, where that is another order: axis k is axis order[k] of `base`. */
  readonly order?: readonly number[];
  /** The node's output as `order` sees it; absent with it. */
  readonly base?: Shape;
  /** Padding around rows and columns (counted in `shape` and `at`) that its reader has to add: zeros, or what no maximum can be. */
  readonly pads?: Pads;
  readonly padsWith?: "lowest";
  /** The node of the graph that reshaped or reordered it last: what the layer will be called if one is needed. */
  readonly via?: string;
  readonly isNonNegative?: boolean;
  /** True for what only scales others: a sigmoid, a divisor. */
  readonly isGate?: boolean;
  /** True where a reshape took the batch away: `shape` then has all axes of the graph. */
  readonly isBare?: boolean;
}

/** Numbers that do not depend on the photo, worked out when they are needed. */
export interface OnnxNumbers {
  readonly kind: "numbers";
  readonly shape: Shape;
  readonly isInteger: boolean;
  load(): Promise<Float64Array>;
}

/** What is known of a value of the graph while it is converted. */
export type OnnxValueState = OnnxData | { readonly kind: "constant"; readonly tensor: StoredTensor } | OnnxNumbers;

/** scale * x + bias per channel, and where x comes from. */
export interface Affine {
  readonly from: OnnxData;
  readonly scale: Float64Array;
  readonly bias: Float64Array;
}

/** True where x is above the limit, or where it is not; `isStrict` says that the limit itself is not above. */
export interface Comparison {
  readonly x: OnnxData;
  readonly limit: number;
  readonly isAbove: boolean;
  readonly isStrict: boolean;
}

/** What converting nodes adds to. */
export interface OnnxImport extends NetworkBuilder {
  readonly opset: number;
  /** Messages call the file so. */
  readonly what: string;
  readonly values: Map<string, OnnxValueState>;
  /** Affine maps by the node that computes them. */
  readonly affines: Map<string, Affine>;
  /** What every node added so far does, by its name. */
  readonly stages: Map<string, { readonly inputs: readonly string[]; readonly stage: Stage }>;
  /** What compares data with a number, by the node that is 1 where it is true and 0 elsewhere. */
  readonly masks: Map<string, Comparison>;
  /** Values that are the network's output but for their shape. */
  readonly ending: ReadonlySet<string>;
  /** Sentences for whoever reads the maps, each once. */
  readonly notes: Set<string>;
  /** How many nodes read a value. */
  uses(value: string): number;
}
