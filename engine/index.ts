export type { BytesLike } from "./basics/bytes.ts";
export { FormatError, ShapeError, UnsupportedError } from "./basics/errors.ts";
export { elementCount, formatShape, type Shape, sameShape, type Tensor, tensor } from "./basics/tensor.ts";
export {
  chosenComposite,
  type ExplainOptions,
  type Explanation,
  type ExplanationStage,
  explain,
  explainTargets,
  explanationStages,
  type Prediction,
  type RelevanceExplanation,
  relevanceOfTargets,
  type SalientSign,
  salientSigns,
} from "./explain.ts";
export { type ActivationFunction, activationFunctions } from "./graph/activation-functions.ts";
export type {
  ActivationNode,
  AveragePool2dNode,
  AxisTaps,
  BatchNormNode,
  Conv2dNode,
  DenseNode,
  ExtremumNode,
  FunctionNode,
  GlobalPool2dNode,
  LrnNode,
  MaxPool2dNode,
  MultiplyNode,
  NetworkDefinition,
  NodeDefinition,
  NormaliseNode,
  Op,
  Pads,
  Pair,
  PermuteNode,
  PreluNode,
  Preprocessing,
  ResampleNode,
  Stage,
  StructureNode,
  TakeNode,
} from "./graph/definition.ts";
export type { ParameterSink, ParameterSpec, RowSource } from "./graph/parameters.ts";
export type { LedgerRow, LedgerTerms } from "./layers/ledger.ts";
export type { Algorithm } from "./layers/linear/winograd.ts";
export {
  instantiateKernels,
  type KernelArgument,
  type Kernels,
  type PerThread,
  type Threads,
} from "./memory/kernels.ts";
export { checkRuntime } from "./memory/runtime.ts";
export { preprocessingByName, preprocessingNames } from "./models/preprocessing.ts";
export { type LayerRelevance, sumOverChannels } from "./network/channel-sums.ts";
export { Network, type NetworkOptions } from "./network/network.ts";
export { networkParameters } from "./network/parameter-specs.ts";
export type { RelevancePlan, RelevanceResult } from "./network/relevance-plan.ts";
export { type Colormap, type ColormapName, colormap, colormapNames } from "./picture/colormap.ts";
export { type Heatmap, type HeatmapOptions, heatmap, type OverlayOptions, overlay } from "./picture/heatmap.ts";
export { checkImage, createImage, formatSize, type Image, onWhite, type Pixels } from "./picture/image.ts";
export { fitPhoto, type NetworkInput, type PhotoFit, photoFit, pictureOf, preprocess } from "./picture/preprocess.ts";
export { type Crop, resizeAndCrop } from "./picture/resize.ts";
export { checkRequestFor, type ExplanationRequest } from "./request/check.ts";
export {
  argmax,
  type ClassReference,
  checkTarget,
  labelOf,
  parseTarget,
  type ResolvedTarget,
  resolveClass,
  resolveTarget,
  type Scores,
  type Target,
  type TargetKind,
} from "./request/target.ts";
export {
  captumAlpha1Beta0,
  captumGamma,
  captumStabilizer,
  innvestigateAlphaBeta,
} from "./rules/compatibility-rules.ts";
export { type Assignment, type Composite, type LayerMatch, type MatchedLayer, rulesFor } from "./rules/composite.ts";
export { compositeFromSpec } from "./rules/composite-spec.ts";
export { compositeByName, compositeNames, compositeSummary, defaultComposite } from "./rules/composites.ts";
export type { LayerRules } from "./rules/layer-rules.ts";
export { describeAssignments, describeRule } from "./rules/rule-description.ts";
export { type RuleSpec, ruleFromSpec, ruleNames, ruleSummary } from "./rules/rule-spec.ts";
export {
  type ActivationRule,
  activationRules,
  alphaBeta,
  type Branch,
  defaultStabilizer,
  epsilon,
  flat,
  gamma,
  gradient,
  type InputPart,
  type LinearRule,
  type LrnRule,
  li2019Dense,
  lrnRules,
  type MaxPoolRule,
  type Modification,
  maxPoolRules,
  type ProductRule,
  pass,
  productRules,
  type SumRule,
  sumRules,
  type Term,
  unmodified,
  wSquare,
  zBox,
  zPlus,
} from "./rules/rules.ts";
export {
  type ResolvedSalientRelevanceOptions,
  resolveSalientRelevanceOptions,
  type SalientRelevanceOptions,
  type SalientVariant,
  salientRelevanceDefaults,
  salientVariants,
} from "./salient/options.ts";
export { heatImage, type SalientRelevance, salientRelevance } from "./salient/salient-relevance.ts";
