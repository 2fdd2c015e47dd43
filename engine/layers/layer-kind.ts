import type { Shape } from "../basics/tensor.ts";
import type { Bounds, KnownBounds, Layer, ProbabilityFunction } from "../graph/compiled-graph.ts";
import type { NodeDefinition, Op, Pads } from "../graph/definition.ts";
import type { ParameterSpec, RowSource } from "../graph/parameters.ts";
import type { WeightsOf } from "../graph/weighted-ops.ts";
import { type FeatureMap, noBorder } from "../memory/feature-map.ts";
import type { Kernels } from "../memory/kernels.ts";
import type { Region } from "../memory/shared-region.ts";
import type { Staging } from "../memory/staging.ts";
import type { Workspace } from "../memory/thread-scratch.ts";
import type { LayerRules } from "../rules/layer-rules.ts";
import type { Clamp } from "./clamp.ts";
import type { bookTheRest, LedgerTerms } from "./ledger.ts";
import type { Algorithm } from "./linear/winograd.ts";
import type { OutputSign } from "./output-sign.ts";

/** Nothing at inference: its output is its input, and no layer runs. */
export type Alias = "alias";
export const alias: Alias = "alias";

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

/** Memory for what the convolution at work makes of its weights and its input for one use. */
export interface SharedWeights {
  /** Modified or transposed weights. */
  readonly packs: Region;
  /** Weights transformed for Winograd's algorithm. */
  readonly transformed: Region;
  /** Marks of the pixels that equal their neighbours. */
  readonly marks: Region;
  /** Bytes of transformed weights that may still be kept, over all layers. */
  readonly keptBytes: { left: number };
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
  readonly inputs: readonly FeatureMap[];
  /** The layers that write the inputs; undefined: the network's input. */
  readonly sources: readonly (LayerRuntime | undefined)[];
  readonly output: FeatureMap;
  /** Shapes of the inputs and of the output, [C,H,W] or [F]. */
  readonly inputShapes: readonly Shape[];
  readonly outputShape: Shape;
}

/** What a layer needs to know to prepare its relevance pass. */
export interface RelevanceContext {
  readonly kernels: Kernels;
  /** The layer's name, for messages. */
  readonly layer: string;
  readonly rules: LayerRules;
  /** Relevance of the output, without border. */
  readonly relevance: FeatureMap;
  /** Where the relevance of each input goes, without border; overwritten. */
  readonly inputRelevance: readonly FeatureMap[];
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

/** What an image of outputs is computed from: the patch of output (y,x) begins at `address` + 4 (y rowStride + x pixelStride). */
export interface Patches {
  readonly address: number;
  /** Elements from one output's patch to that of the output below it, and to its right. */
  readonly rowStride: number;
  readonly pixelStride: number;
  /** Rows of a patch, elements from one to the next, and contiguous elements of each. */
  readonly rows: number;
  readonly stride: number;
  readonly length: number;
}

/** Outputs of a layer once more, surer than float32 has them, for the photo of the last forward pass. */
export interface ExactOutputs {
  /** What outputs are clamped to. */
  readonly low: number;
  readonly high: number;
  /** Outputs that read equal patches are equal. */
  readonly patches: Patches;
  /**
   * Makes the weights ready for `value`, until another layer runs.
   * @returns address of one number per channel, at most how far rounding has moved its outputs, as a rule
   */
  ready(): number;
  /** One output before it is clamped, summed in double from the layer's float32 input. */
  value(y: number, x: number, channel: number): number;
}

/** A layer ready to run. */
export interface LayerRuntime {
  /** For layers that can tell apart what rounding makes equal. */
  readonly exact?: ExactOutputs;
  forward(): void;
  prepareRelevance(context: RelevanceContext): RelevancePass;
  /** Name of the rule that `rules` mean for this kind of layer, for the ledger. */
  ruleName(rules: LayerRules): string;
  /** Takes whole rows (axis 0) of a parameter, in order, first to last. */
  setRows?(name: string, firstRow: number, rows: Float32Array): void;
  /** Bounds of its output's channels by those of its inputs and its weights, which are bound; of kinds whose bounds are "byWeights". */
  bounds?(inputs: readonly Bounds[]): Bounds;
}

/**
 * Where relevance of an input is 0 for an input value of 0: whatever the relevance of the output; if that is 0 wherever the output is 0;
 * or not even then.
 */
export type InputVanishing = "always" | "withOutput" | "never";

/** What a layer may take over from the only layer that reads it. */
export type Absorbed =
  | { readonly what: "batchNorm"; readonly node: NodeOf<"batchNorm"> }
  | ({ readonly what: "clamp" } & Clamp);

/** Number of inputs that a layer reads. */
export type Arity = "one" | "two" | "oneOrMore" | "twoOrMore";

/** Everything the engine knows of one kind of layer. A new kind answers every question here, and is asked nowhere else. */
export interface LayerKind<O extends Op> {
  readonly arity: Arity;
  /**
   * @throws ShapeError when inputs or attributes do not fit; the number of inputs has been checked
   */
  outputShape(node: NodeOf<O>, inputs: readonly Shape[]): Shape;
  /** Zero border that it wants around its input. */
  inputBorder(node: NodeOf<O>, input: Shape, algorithm: Algorithm): Pads;
  /** Tensors that it needs, in an order in which each comes after those that change how it is stored. */
  parameters(node: NodeOf<O>, layer: Layer, input: Shape): readonly Parameter[];
  /** Parameters that it can read from outside for every use, where memory is to stay small. */
  streamed(node: NodeOf<O>): readonly string[];
  /** Whether it multiplies its input by weights, so that a composite must have a rule for it, and which of a composite's rules that is. */
  readonly weights: WeightsOf<O>;
  /** What it computes too when the only layer that reads it allows that. */
  readonly absorbs: readonly Absorbed["what"][];
  /** As what the layer before it may take it over. */
  absorbedAs(node: NodeOf<O>): Absorbed | undefined;
  /** How it turns scores into probabilities, if that is all it does: at the end of a network relevance starts from its input. */
  endsInProbabilities(node: NodeOf<O>): ProbabilityFunction | undefined;
  /** Of its own output; an activation that it takes over comes on top. */
  sign(node: NodeOf<O>): OutputSign;
  inputVanishing(node: NodeOf<O>, rules: LayerRules): InputVanishing;
  /** Bounds of its output's channels by those of its inputs; without it they are not known; "byWeights": the built layer tells. */
  bounds?(node: NodeOf<O>, inputs: readonly Bounds[]): KnownBounds;
  /** True when it has done with its output's relevance before it writes that of its input, so that both may lie in one place. */
  readsRelevanceFirst(rules: LayerRules): boolean;
  build(construction: Construction, node: NodeOf<O>): LayerRuntime;
}

/** The answers of a layer without parameters to all that concerns parameters. */
export interface NoParameters {
  inputBorder(): Pads;
  parameters(): readonly Parameter[];
  streamed(): readonly string[];
  readonly weights: "none";
  readonly absorbs: readonly [];
  readsRelevanceFirst(): boolean;
}

/** What a layer without parameters answers to all that concerns parameters. */
export const noParameters: NoParameters = {
  inputBorder: () => noBorder,
  parameters: () => [],
  streamed: () => [],
  weights: "none",
  absorbs: [],
  readsRelevanceFirst: () => false,
};
