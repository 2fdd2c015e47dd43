import { didYouMean } from "../basics/errors.ts";
import type { Shape } from "../basics/tensor.ts";
import type { BatchNormNode, NetworkDefinition, NodeDefinition } from "./definition.ts";
import type { WeightKind } from "./weighted-ops.ts";

/** A value that flows along an edge of the graph. */
export interface Value {
  readonly id: number;
  /** The node that computes it, or `input`. */
  readonly name: string;
  /** [C,H,W] or [F]. */
  readonly shape: Shape;
  /** Layers that read it, by index. */
  readonly consumers: number[];
}

/** ReLU or clip that the layer before it applies as it writes its output. */
export interface FusedActivation {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

/** The least and the largest value that each channel can have. */
export interface Bounds {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** What is known of bounds: themselves, that weights will tell them once they are bound, or nothing. */
export type KnownBounds = Bounds | "byWeights" | undefined;

/** One step of the compiled network. */
export interface Layer {
  readonly index: number;
  readonly name: string;
  readonly node: NodeDefinition;
  readonly weights: WeightKind;
  /** Ids of the values it reads and of the one it writes. */
  readonly inputs: readonly number[];
  readonly output: number;
  activation: FusedActivation | undefined;
  /** Batch normalisation folded into a convolution or dense layer. */
  batchNorm: ({ readonly name: string } & BatchNormNode) | undefined;
}

/** What makes probabilities of scores: softmax over all classes, or a sigmoid of each, where classes do not exclude each other. */
export type ProbabilityFunction = "softmax" | "sigmoid";

/** What became of a node of the definition. */
export interface NodeFate {
  /** Value that holds the node's output, if it still exists. */
  readonly value: number | undefined;
  /** `own`: a layer of its own; `fused`: its layer also applies the activation `by`; `folded`: into layer `by`; `alias`: nothing to do. */
  readonly kind: "own" | "fused" | "folded" | "alias";
  readonly by: string;
}

/** A checked graph in execution order, with shapes and with dropout, identity and batch norm resolved. */
export interface CompiledGraph {
  readonly definition: NetworkDefinition;
  readonly values: readonly Value[];
  readonly layers: readonly Layer[];
  /** Bounds of values by id, without weights: of the pixels, once prepared, and of what each channel by itself becomes. */
  readonly bounds: readonly KnownBounds[];
  /** Value that holds the logits: the output, before a trailing softmax or sigmoid. */
  readonly logits: number;
  /** What makes probabilities of the logits; softmax where the network does not say. */
  readonly probabilities: ProbabilityFunction;
  readonly fates: ReadonlyMap<string, NodeFate>;
}

/** `conv2d "conv1"`: how messages name a node. */
export function describe(node: NodeDefinition): string {
  return `${node.op} "${node.name}"`;
}

/**
 * Id of the value that a node's output is.
 * @throws RangeError for an unknown name (with the nearest one) or a node whose output is not kept because the layer that
 *   computes it applies a folded batch norm or an activation at once
 */
export function valueNamed({ definition, fates }: CompiledGraph, name: string): number {
  const fate = fates.get(name);
  if (fate === undefined) {
    throw new RangeError(
      `network "${definition.name}": has no layer "${name}" on the way to its output.${didYouMean(name, fates.keys())}`,
    );
  }
  if (fate.value === undefined) {
    throw new RangeError(
      `layer "${name}": its output is not kept, since "${fate.by}" is ${fate.kind === "folded" ? "folded into it" : "applied as it is written"}. Ask for "${fate.by}".`,
    );
  }
  return fate.value;
}
