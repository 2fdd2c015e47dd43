import { didYouMean, UnsupportedError } from "./errors.ts";
import type { Op } from "./graph.ts";
import type { LayerRules } from "./ops/op.ts";
import {
  defaultStabilizer,
  epsilon,
  type LinearRule,
  type LrnRule,
  li2019Dense,
  type MaxPoolRule,
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
export interface Composite {
  readonly name: string;
  readonly assignments: readonly Assignment[];
  readonly maxPool: MaxPoolRule;
  readonly lrn: LrnRule;
  /** Stabiliser of the norm rule, for average pooling and add. */
  readonly normStabilizer: number;
}

const convolutions: readonly Op[] = ["conv2d", "batchNorm"];

/**
 * The composite of Li, Tian, Mueller and Chen 2019, as their published code has it: dense layers z+ without bias, convolutions
 * LRP-0, winner-takes-all pooling. Relevance adds up where pooling windows overlap.
 */
function li2019(): Composite {
  return {
    name: "li2019",
    assignments: [
      { match: { op: "dense" }, rule: li2019Dense() },
      { match: { op: convolutions }, rule: epsilon(0) },
    ],
    maxPool: "winner",
    lrn: "identity",
    normStabilizer: 0,
  };
}

/** As li2019, but a pooling window overwrites what an earlier one left, as torch's max_unpool2d does in the authors' code. */
function li2019Overwrite(): Composite {
  return { ...li2019(), name: "li2019Overwrite", maxPool: "overwrite" };
}

/** zennit's EpsilonPlus: dense layers epsilon 1e-6, convolutions z+. */
function epsilonPlus(): Composite {
  return {
    name: "epsilonPlus",
    assignments: [
      { match: { op: "dense" }, rule: epsilon(defaultStabilizer) },
      { match: { op: convolutions }, rule: zPlus(defaultStabilizer) },
    ],
    maxPool: "winner",
    lrn: "identity",
    normStabilizer: defaultStabilizer,
  };
}

const composites: ReadonlyMap<string, () => Composite> = new Map([
  ["li2019", li2019],
  ["li2019Overwrite", li2019Overwrite],
  ["epsilonPlus", epsilonPlus],
]);

/** Names of the composites that come with the engine. */
export function compositeNames(): readonly string[] {
  return [...composites.keys()];
}

/**
 * A composite by name.
 * @throws RangeError for an unknown name, with the nearest one
 */
export function compositeByName(name: string): Composite {
  const make = composites.get(name);
  if (make === undefined) {
    throw new RangeError(
      `composite "${name}": unknown.${didYouMean(name, composites.keys())} Known are ${[...composites.keys()].join(", ")}.`,
    );
  }
  return make();
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
  const { maxPool, lrn, normStabilizer } = composite;
  const hasWeights = layer.op === "dense" || convolutions.includes(layer.op);
  const assignment = composite.assignments.find(({ match }) => matches(match, layer));
  if (hasWeights && assignment === undefined) {
    throw new UnsupportedError(
      `composite "${composite.name}": leaves ${layer.op} "${layer.name}" without a rule. Add an assignment that matches it.`,
    );
  }
  // Layers without weights never read `linear`.
  return { linear: assignment?.rule ?? epsilon(0), maxPool, lrn, normStabilizer };
}
