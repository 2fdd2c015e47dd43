import { captumAlpha1Beta0, captumGamma, captumStabilizer, innvestigateAlphaBeta } from "./compatibility-rules.ts";
import type { Assignment, Composite } from "./composite.ts";
import { defaultRecipe, type Recipe, ranges, zennitRanges } from "./composite-recipe.ts";
import {
  alphaBeta,
  defaultStabilizer,
  epsilon,
  flat,
  gamma,
  gradient,
  type LinearRule,
  li2019Dense,
  zBox,
  zPlus,
} from "./rules.ts";

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

/** As `zennitRanges` with the rule flat for whatever layer reads the pixels, also a dense one: zennit's composites with "Flat". */
function flatPixels(convolution: LinearRule): readonly Assignment[] {
  return [{ match: { position: "first" }, rule: flat() }, ...zennitRanges(epsilon(), convolution)];
}

/** Every composite by name. */
export const composites: Readonly<Record<string, () => Recipe>> = {
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
  epsilonPlus: defaultRecipe,
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
