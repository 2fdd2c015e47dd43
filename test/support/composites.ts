import type { Composite } from "../../engine/rules/composite.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { type LinearRule, zBox } from "../../engine/rules/rules.ts";

/** One rule for every layer with weights, LRP's usual choices for the others. */
export function everywhere(rule: LinearRule): Composite {
  return { ...compositeByName("epsilonPlus"), name: rule.name, assignments: [{ match: {}, rule }] };
}

/** A composite with these bounds for its zBox, if it has one. */
export function withBox(composite: Composite, low: readonly number[], high: readonly number[]): Composite {
  return {
    ...composite,
    assignments: composite.assignments.map(({ match, rule }) => ({
      match,
      rule: rule.needsBox ? zBox(low, high, rule.stabilizer) : rule,
    })),
  };
}
