import type { Composite } from "../../engine/composites.ts";
import type { Op } from "../../engine/graph.ts";
import {
  alphaBeta,
  type Branch,
  epsilon,
  type LinearRule,
  type Modification,
  unmodified,
  zPlus,
} from "../../engine/rules.ts";

type Signed = Extract<Modification, { kind: "signed" }>;
const signed = (positive: number, negative: number): Signed => ({ kind: "signed", positive, negative });
const stabilized = { stabilizer: 1e-6, stabilizerSign: "signed" } as const;

// Rules that the engine does not yet have by name, in its own words: the recipe must already do them right.

/** Generalised gamma. */
export function gammaRule(factor: number): LinearRule {
  const favoured = 1 + factor;
  return {
    name: "gamma",
    branches: [
      {
        coefficient: 1,
        gate: 1,
        bias: signed(favoured, 1),
        terms: [
          { input: "positive", weight: signed(favoured, 1), sign: 1 },
          { input: "negative", weight: signed(1, favoured), sign: 1 },
        ],
      },
      {
        coefficient: 1,
        gate: -1,
        bias: signed(1, favoured),
        terms: [
          { input: "positive", weight: signed(1, favoured), sign: 1 },
          { input: "negative", weight: signed(favoured, 1), sign: 1 },
        ],
      },
    ],
    ...stabilized,
  };
}

/** zBox with bounds per channel. */
export function zBoxRule(low: readonly number[], high: readonly number[]): LinearRule {
  return {
    name: "zBox",
    branches: [
      {
        coefficient: 1,
        gate: 0,
        bias: undefined,
        terms: [
          { input: "input", weight: unmodified, sign: 1 },
          { input: "low", weight: signed(1, 0), sign: -1 },
          { input: "high", weight: signed(0, 1), sign: -1 },
        ],
      },
    ],
    ...stabilized,
    low,
    high,
  };
}

function onesRule(name: string, weight: Modification, bias: Modification | undefined): LinearRule {
  const branch: Branch = { coefficient: 1, gate: 0, bias, terms: [{ input: "ones", weight, sign: 1 }] };
  return { name, branches: [branch], ...stabilized };
}

/** w^2 over its sum, the bias squared in the divisor. */
export function wSquareRule(): LinearRule {
  return onesRule("wSquare", { kind: "squared" }, { kind: "squared" });
}

/** 1 over the number of inputs. */
export function flatRule(): LinearRule {
  return onesRule("flat", { kind: "ones" }, undefined);
}

const others = { maxPool: "winner", lrn: "identity", normStabilizer: 1e-6 } as const;
const convolutions: readonly Op[] = ["conv2d", "batchNorm"];

/** One rule for every layer with weights. */
export function everywhere(rule: LinearRule): Composite {
  return { name: rule.name, assignments: [{ match: {}, rule }], ...others };
}

/** A rule for dense layers, one for convolutions, and perhaps one for the first layer (of kind `firstOp`). */
function ranges(dense: LinearRule, conv: LinearRule, first?: LinearRule, firstOp?: Op): Composite {
  const match = firstOp === undefined ? { position: "first" as const } : { position: "first" as const, op: firstOp };
  return {
    name: "ranges",
    assignments: [
      ...(first === undefined ? [] : [{ match, rule: first }]),
      { match: { op: "dense" }, rule: dense },
      { match: { op: convolutions }, rule: conv },
    ],
    ...others,
  };
}

/** zennit's and iNNvestigate's composites in the engine's own data, by the names of the references. */
export function compositesAsData(low: readonly number[], high: readonly number[]): Record<string, Composite> {
  return {
    epsilonPlus: ranges(epsilon(), zPlus()),
    epsilonGammaBox: ranges(epsilon(), gammaRule(0.25), zBoxRule(low, high), "conv2d"),
    epsilonPlusFlat: ranges(epsilon(), zPlus(), flatRule()),
    epsilonAlpha2Beta1: ranges(epsilon(), alphaBeta(2, 1)),
    epsilonAlpha2Beta1Flat: ranges(epsilon(), alphaBeta(2, 1), flatRule()),
    presetA: ranges(epsilon(0.1), alphaBeta(1, 0)),
    presetB: ranges(epsilon(0.1), alphaBeta(2, 1)),
    excitationBackprop: everywhere(zPlus()),
    "epsilon, 1e-9": everywhere(epsilon(1e-9)),
    "gamma, 1": everywhere(gammaRule(1)),
    wSquare: everywhere(wSquareRule()),
  };
}
