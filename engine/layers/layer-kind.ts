import type { Shape } from "../basics/tensor.ts";
import type { Layer } from "../graph/compiled-graph.ts";
import type { NodeDefinition, Op, Pads } from "../graph/definition.ts";
import type { ParameterSpec, RowSource } from "../graph/parameters.ts";
import type { Activation } from "../memory/feature-map.ts";
import type { Kernels } from "../memory/kernels.ts";
import type { Region } from "../memory/shared-region.ts";
import type { Staging } from "../memory/staging.ts";
import type { Workspace } from "../memory/thread-scratch.ts";
import type { ActivationRule, LinearRule, LrnRule, MaxPoolRule, SumRule } from "../rules/rules.ts";
import type { bookTheRest, LedgerTerms } from "./ledger.ts";
import type { Algorithm } from "./linear/winograd.ts";

/** The node definition of one op. */
export type NodeOf<O extends Op> = Extract<NodeDefinition, { readonly op: O }>;

/** A parameter that a layer needs, before its node's name is attached. */
export type Parameter = Omit<ParameterSpec, "node">;

/** Weights stay outside and are read for every use. */
export interface LowMemory {
  readonly rows: RowSource;
  /** Packed weights of the convolution at work. */
  readonly plain: Region;
}

/** Memory for what the convolution at work makes of its weights for one use. */
export interface SharedWeights {
  /** Modified or transposed weights. */
  readonly packs: Region;
  /** Weights transformed for Winograd's algorithm. */
  readonly transformed: Region;
}

/** What a layer is built from. */
export interface Construction {
  readonly kernels: Kernels;
  readonly staging: Staging;
  /** Present when memory is to stay small. */
  readonly lowMemory: LowMemory | undefined;
  readonly shared: SharedWeights;
  readonly workspace: Workspace;
  readonly algorithm: Algorithm;
  readonly layer: Layer;
  readonly inputs: readonly Activation[];
  readonly output: Activation;
  /** Shapes of the inputs and of the output, [C,H,W] or [F]. */
  readonly inputShapes: readonly Shape[];
  readonly outputShape: Shape;
}

/** The rules a composite chose for one layer; a layer reads the one that concerns it. */
export interface LayerRules {
  readonly linear: LinearRule;
  readonly maxPool: MaxPoolRule;
  readonly lrn: LrnRule;
  readonly activation: ActivationRule;
  /** Average pooling and add. */
  readonly sum: SumRule;
  /** Stabiliser of layers without weights that divide: average pooling, add, LRN's epsilon. */
  readonly normStabilizer: number;
}

/** What a layer needs to know to prepare its relevance pass. */
export interface RelevanceContext {
  readonly kernels: Kernels;
  /** The layer's name, for messages. */
  readonly layer: string;
  readonly rules: LayerRules;
  /** Relevance of the output, without border. */
  readonly relevance: Activation;
  /** Where the relevance of each input goes, without border; overwritten. */
  readonly inputRelevance: readonly Activation[];
  /** True when no input value can be negative. */
  readonly isNonNegative: boolean;
  /** True when relevance is 0 wherever the (rectified) output is 0, so that the stored output can stand for Z. */
  readonly vanishesWithOutput: boolean;
}

/** A prepared relevance pass. */
export interface RelevancePass {
  /** Sizes of the scratch memory it needs while it runs. */
  readonly scratchBytes: readonly number[];
  /** Runs it; returns what became of the relevance that did not reach an input, and the sum of what did where it is known. */
  run(scratch: readonly number[]): (LedgerTerms & { readonly relevanceIn?: number }) | typeof bookTheRest;
}

/** A layer ready to run. */
export interface LayerRuntime {
  forward(): void;
  prepareRelevance(context: RelevanceContext): RelevancePass;
  /** Name of the rule that `rules` mean for this kind of layer, for the ledger. */
  ruleName(rules: LayerRules): string;
  /** Takes whole rows (axis 0) of a parameter, in order, first to last. */
  setRows?(name: string, firstRow: number, rows: Float32Array): void;
}

/** Everything the engine knows of one kind of layer. */
export interface OpKind<O extends Op> {
  /**
   * @throws ShapeError when inputs or attributes do not fit
   */
  outputShape(node: NodeOf<O>, inputs: readonly Shape[]): Shape;
  /** Zero border that it wants around its input. */
  inputBorder?(node: NodeOf<O>, input: Shape, algorithm: Algorithm): Pads;
  parameters?(node: NodeOf<O>, layer: Layer, input: Shape): readonly Parameter[];
  build(construction: Construction, node: NodeOf<O>): LayerRuntime;
  /** True when non-negative inputs give non-negative outputs, or always. */
  readonly sign: "nonNegative" | "keeps" | "any";
}
