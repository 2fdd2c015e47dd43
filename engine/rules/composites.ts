import { didYouMean, UnsupportedError } from "../basics/errors.ts";
import type { Op } from "../graph/definition.ts";
import { convolutionOps, opsWithWeights } from "../graph/weighted-ops.ts";
import { captumAlpha1Beta0, captumGamma, captumStabilizer, innvestigateAlphaBeta } from "./compatibility-rules.ts";
import type { LayerRules } from "./layer-rules.ts";
import {
  alphaBeta,
  defaultStabilizer,
  epsilon,
  flat,
  gamma,
  gradient,
  type LinearRule,
  li2019Dense,
  pass,
  zBox,
  zPlus,
} from "./rules.ts";

/** Which layers an assignment concerns; every given condition must hold. */
export interface LayerMatch {
  readonly op?: Op | readonly Op[];
  /** The layer's name in the network definition. */
  readonly name?: string;
  /** first: no layer with weights lies between it and the input. last: none between it and the output. */
  readonly position?: "first" | "last";
}

/** A rule for the layers that match. */
export interface Assignment {
  readonly match: LayerMatch;
  readonly rule: LinearRule;
}

/** Which rule serves which layer, as data: for every layer with weights the first assignment that matches wins. */
export interface Composite extends Omit<LayerRules, "linear"> {
  readonly name: string;
  readonly assignments: readonly Assignment[];
  /** Multiplies the finished map by the input. */
  readonly timesInput: boolean;
  /** What relevance starts from: the target's score, or 1, as gradients do. */
  readonly start: "score" | "one";
}

/** What the LRP composites share. */
const lrp: Omit<Composite, "name" | "assignments"> = {
  maxPool: "winner",
  lrn: "identity",
  activation: "pass",
  sum: "norm",
  product: "gate",
  normStabilizer: defaultStabilizer,
  timesInput: false,
  start: "score",
};

/** What the gradient methods share. */
const gradients: Omit<Composite, "name"> = {
  assignments: [{ match: {}, rule: gradient() }],
  maxPool: "winner",
  lrn: "gradient",
  activation: "gradient",
  sum: "gradient",
  product: "gradient",
  normStabilizer: 0,
  timesInput: false,
  start: "one",
};

/** A rule for dense layers, one for convolutions and one for the convolution that reads the pixels. */
function ranges(dense: LinearRule, convolution: LinearRule, pixels: LinearRule = convolution): readonly Assignment[] {
  return [
    { match: { op: convolutionOps, position: "first" }, rule: pixels },
    { match: { op: convolutionOps }, rule: convolution },
    { match: { op: "dense" }, rule: dense },
  ];
}

/**
 * A rule for dense layers, one for convolutions and one for the convolution that reads the pixels, as zennit has them: a batch norm that
 * belongs to no convolution only scales, and passes relevance on.
 */
function zennitRanges(dense: LinearRule, convolution: LinearRule, pixels?: LinearRule): readonly Assignment[] {
  return [{ match: { op: "batchNorm" }, rule: pass() }, ...ranges(dense, convolution, pixels)];
}

/** As `zennitRanges` with the rule flat for whatever layer reads the pixels, also a dense one: zennit's composites with "Flat". */
function flatPixels(convolution: LinearRule): readonly Assignment[] {
  return [{ match: { position: "first" }, rule: flat() }, ...zennitRanges(epsilon(), convolution)];
}

type Recipe = Partial<Composite> & { readonly summary: string; readonly assignments?: readonly Assignment[] };

// Every composite by name: what it differs in from the shared settings, and one line for people.
const composites: Readonly<Record<string, () => Recipe>> = {
  li2019: () => ({
    summary: "Li et al. 2019, their code: dense z+ without bias, convolutions LRP-0; overlapping pools add up",
    assignments: ranges(li2019Dense(), epsilon(0)),
    normStabilizer: 0,
  }),
  li2019Overwrite: () => ({
    summary: "li2019 with overlapping pooling windows overwriting each other, as in the authors' code",
    assignments: ranges(li2019Dense(), epsilon(0)),
    normStabilizer: 0,
    maxPool: "overwrite",
  }),
  epsilonPlus: () => ({
    summary: "dense epsilon 1e-6, convolutions z+ (zennit EpsilonPlus)",
    assignments: zennitRanges(epsilon(), zPlus()),
  }),
  epsilonPlusFlat: () => ({
    summary: "epsilonPlus with flat at the pixels (zennit EpsilonPlusFlat)",
    assignments: flatPixels(zPlus()),
  }),
  epsilonGammaBox: () => ({
    summary: "dense epsilon 1e-6, convolutions gamma 0.25, zBox at the pixels (zennit EpsilonGammaBox)",
    assignments: zennitRanges(epsilon(), gamma(0.25), zBox()),
  }),
  epsilonAlpha2Beta1: () => ({
    summary: "dense epsilon 1e-6, convolutions alphaBeta(2, 1) (zennit EpsilonAlpha2Beta1)",
    assignments: zennitRanges(epsilon(), alphaBeta(2, 1)),
  }),
  epsilonAlpha2Beta1Flat: () => ({
    summary: "epsilonAlpha2Beta1 with flat at the pixels (zennit EpsilonAlpha2Beta1Flat)",
    assignments: flatPixels(alphaBeta(2, 1)),
  }),
  presetA: () => ({
    summary: "dense epsilon 0.1, convolutions alphaBeta(1, 0) (iNNvestigate's preset A, its bias error mended)",
    assignments: ranges(epsilon(0.1), alphaBeta(1, 0)),
  }),
  presetB: () => ({
    summary: "dense epsilon 0.1, convolutions alphaBeta(2, 1) (iNNvestigate's preset B, its bias error mended)",
    assignments: ranges(epsilon(0.1), alphaBeta(2, 1)),
  }),
  innvestigatePresetA: () => ({
    summary:
      "iNNvestigate's preset A with its conventions: the whole bias in every divisor, no stabiliser in convolutions",
    assignments: ranges(epsilon(0.1), innvestigateAlphaBeta(1, 0)),
  }),
  innvestigatePresetB: () => ({
    summary:
      "iNNvestigate's preset B with its conventions: the whole bias in both divisors, no stabiliser in convolutions",
    assignments: ranges(epsilon(0.1), innvestigateAlphaBeta(2, 1)),
  }),
  captumEpsilon: () => ({
    summary: "captum's EpsilonRule on every layer: epsilon 1e-9",
    assignments: [{ match: {}, rule: epsilon(captumStabilizer) }],
    normStabilizer: captumStabilizer,
  }),
  captumGamma: () => ({
    summary: "captum's GammaRule on every layer: gamma 0.25 by the weights' sign alone, whatever the input's",
    assignments: [{ match: {}, rule: captumGamma(0.25) }],
    normStabilizer: captumStabilizer,
  }),
  captumAlpha1Beta0: () => ({
    summary: "captum's Alpha1_Beta0_Rule on every layer: w+ and the whole bias, whatever the input's sign",
    assignments: [{ match: {}, rule: captumAlpha1Beta0() }],
    normStabilizer: captumStabilizer,
  }),
  lrp0: () => ({
    summary: "LRP-0 on every layer: gradient times input for networks of ReLUs and max pools",
    assignments: [{ match: {}, rule: epsilon(0) }],
    normStabilizer: 0,
  }),
  gradient: () => ({ ...gradients, summary: "the gradient of the logit (Simonyan et al. 2014)" }),
  gradientTimesInput: () => ({ ...gradients, timesInput: true, summary: "gradient times input" }),
  deconvnet: () => ({
    ...gradients,
    activation: "deconvnet",
    summary: "gradient with only positive values passing backwards through ReLUs (Zeiler and Fergus 2014)",
  }),
  guidedBackprop: () => ({
    ...gradients,
    activation: "guided",
    summary: "gradient with only positive values passing backwards through active ReLUs (Springenberg et al. 2015)",
  }),
  excitationBackprop: () => ({
    ...gradients,
    assignments: [{ match: {}, rule: zPlus() }],
    sum: "norm",
    normStabilizer: defaultStabilizer,
    summary: "z+ on every layer with weights, gradients elsewhere, from a start of 1 (Zhang et al. 2016, as in zennit)",
  }),
};

/**
 * The composite when none is named: of those here its maps lie best on the objects that people marked (models/squeezenet1_1-caffe.md has
 * the measurement). `li2019` is the paper's.
 */
export const defaultComposite = "epsilonPlus";

/** Names of the composites that come with the engine. */
export function compositeNames(): readonly string[] {
  return Object.keys(composites);
}

function recipeOf(name: string): Recipe {
  const make = Object.hasOwn(composites, name) ? composites[name] : undefined;
  if (make === undefined) {
    throw new RangeError(
      `composite "${name}": unknown.${didYouMean(name, compositeNames())} Known are ${compositeNames().join(", ")}.`,
    );
  }
  return make();
}

/**
 * A composite by name.
 * @throws RangeError for an unknown name, with the nearest one
 */
export function compositeByName(name: string): Composite {
  const { summary: _, assignments = [], ...settings } = recipeOf(name);
  return { ...lrp, ...settings, name, assignments };
}

/**
 * One line that says what a composite does.
 * @throws RangeError for an unknown name
 */
export function compositeSummary(name: string): string {
  return recipeOf(name).summary;
}

/** What a match is tested against. */
export interface MatchedLayer {
  readonly op: Op;
  readonly name: string;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

function matches(match: LayerMatch, layer: MatchedLayer): boolean {
  if (match.op !== undefined && ![match.op].flat().includes(layer.op)) return false;
  if (match.name !== undefined && match.name !== layer.name) return false;
  if (match.position === "first" && !layer.isFirst) return false;
  return match.position !== "last" || layer.isLast;
}

/**
 * The rules of one layer.
 * @throws UnsupportedError when a layer with weights is left without a rule
 */
export function rulesFor(composite: Composite, layer: MatchedLayer): LayerRules {
  const { maxPool, lrn, activation, sum, product, normStabilizer } = composite;
  const assignment = composite.assignments.find(({ match }) => matches(match, layer));
  if (opsWithWeights.includes(layer.op) && assignment === undefined) {
    throw new UnsupportedError(
      `composite "${composite.name}": leaves ${layer.op} "${layer.name}" without a rule. Add an assignment that matches it.`,
    );
  }
  // Layers without weights never read `linear`.
  return { linear: assignment?.rule ?? epsilon(0), maxPool, lrn, activation, sum, product, normStabilizer };
}
