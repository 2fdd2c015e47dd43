import { refuseUnknownOptions, UnsupportedError } from "../basics/errors.ts";
import type { Op } from "../graph/definition.ts";
import { opsWithWeights } from "../graph/weighted-ops.ts";
import type { LayerRules } from "./layer-rules.ts";
import { epsilon, type LinearRule } from "./rules.ts";

/** Which layers an assignment concerns; every given condition must hold. */
export interface LayerMatch {
  readonly op?: Op | readonly Op[];
  /** The layer's name in the network definition. */
  readonly name?: string;
  /**
   * first: no convolution or dense layer lies between it and the input. last: none between it and the output. A batch norm, which only
   * scales, is meant only where `op` names it.
   */
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

/** What a match is tested against. */
export interface MatchedLayer {
  readonly op: Op;
  readonly name: string;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** True for batch norms: they have no place among the layers that mix values. */
  readonly onlyScales: boolean;
}

function matches(match: LayerMatch, layer: MatchedLayer): boolean {
  if (match.op !== undefined && ![match.op].flat().includes(layer.op)) return false;
  if (match.name !== undefined && match.name !== layer.name) return false;
  if (match.position !== undefined && match.op === undefined && layer.onlyScales) return false;
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

const compositeNames = Object.keys({
  name: true,
  assignments: true,
  maxPool: true,
  lrn: true,
  activation: true,
  sum: true,
  product: true,
  normStabilizer: true,
  timesInput: true,
  start: true,
} satisfies Record<keyof Composite, true>);
const matchNames = Object.keys({ op: true, name: true, position: true } satisfies Record<keyof LayerMatch, true>);
const ruleNames = Object.keys({
  name: true,
  propagation: true,
  branches: true,
  stabilizer: true,
  stabilizerSign: true,
  needsBox: true,
  low: true,
  high: true,
} satisfies Record<keyof LinearRule, true>);

/** @throws TypeError for something that composites, their assignments or rules do not have: it would be left out in silence */
export function checkCompositeNames(composite: Composite): void {
  const what = `composite "${composite.name}"`;
  refuseUnknownOptions(what, composite, compositeNames);
  for (const [index, assignment] of composite.assignments.entries()) {
    const which = `${what}: assignment ${index + 1}`;
    refuseUnknownOptions(which, assignment, ["match", "rule"]);
    refuseUnknownOptions(`${which}: match`, assignment.match, matchNames);
    refuseUnknownOptions(`${which}: rule`, assignment.rule, ruleNames);
  }
}
