// Rules with the conventions of other systems, for people who must reproduce numbers made elsewhere. Where they differ from the
// rules of rules.ts, those are right and these are not: see docs/rules.md.

import { type LinearRule, type Modification, unmodified } from "./rules.ts";

const positivePart: Modification = { kind: "signed", positive: 1, negative: 0 };
const negativePart: Modification = { kind: "signed", positive: 0, negative: 1 };

/** captum's STABILITY_FACTOR, added with the sign of z, sign(0) = +1. */
export const captumStabilizer = 1e-9;

/** One branch x (modified W) over its sum, with the whole bias in the sum and captum's stabiliser. */
function modifiedWeights(name: string, weight: Modification): LinearRule {
  return {
    name,
    propagation: "recipe",
    branches: [{ coefficient: 1, gate: 0, bias: unmodified, terms: [{ input: "input", weight, sign: 1 }] }],
    stabilizer: captumStabilizer,
    stabilizerSign: "signed",
  };
}

/**
 * captum's Alpha1_Beta0_Rule: weights clamped to w+, inputs and bias left as they are. Equal to zPlus for non-negative inputs
 * without bias; for signed inputs it hands on negative products as if they were positive (captum's issue 1234).
 */
export function captumAlpha1Beta0(): LinearRule {
  return modifiedWeights("captumAlpha1Beta0", positivePart);
}

/** captum's GammaRule: w + gamma w+ whatever the sign of input and output, the bias left as it is. */
export function captumGamma(factor = 0.25): LinearRule {
  return modifiedWeights("captumGamma", { kind: "signed", positive: 1 + factor, negative: 1 });
}

/**
 * iNNvestigate's AlphaBetaRule: as alphaBeta, but the whole bias stands in both divisors (its issue 273), so that the two sides
 * account for z + b instead of z. Divisors of 0 hand on nothing.
 */
export function innvestigateAlphaBeta(alpha: number, beta: number): LinearRule {
  const side = (coefficient: number, first: Modification, second: Modification): LinearRule["branches"][number] => ({
    coefficient,
    gate: 0,
    bias: unmodified,
    terms: [
      { input: "positive", weight: first, sign: 1 },
      { input: "negative", weight: second, sign: 1 },
    ],
  });
  const positive = side(alpha, positivePart, negativePart);
  return {
    name: "innvestigateAlphaBeta",
    propagation: "recipe",
    branches: beta === 0 ? [positive] : [positive, side(-beta, negativePart, positivePart)],
    stabilizer: 0,
    stabilizerSign: "signed",
  };
}
