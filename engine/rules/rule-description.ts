import { mustHave } from "../basics/must-have.ts";
import type { Composite, LayerMatch } from "./composite.ts";
import type { LinearRule } from "./rules.ts";

/** `1e-6`, `0.25`, `2`. */
function formatNumber(value: number): string {
  // Parameters are found again by subtraction: 1.1 - 1 is not quite 0.1.
  const rounded = Number(value.toPrecision(12));
  return rounded !== 0 && Math.abs(rounded) < 1e-3 ? rounded.toExponential() : String(rounded);
}

/** A rule with its parameters as people write it: `gamma(gamma 0.25, stabilizer 1e-6)`, `lrp0`. */
export function describeRule({ name, branches, stabilizer, low, high }: LinearRule): string {
  const [first, second] = branches;
  const parts: string[] = [];
  if (/alphaBeta/i.test(name)) {
    const beta = second === undefined ? 0 : -second.coefficient; // a rule of one branch has none
    parts.push(`alpha ${formatNumber(mustHave(first, "branch").coefficient)}`, `beta ${formatNumber(beta)}`);
  }
  const weight = first?.terms[0]?.weight;
  if (/gamma/i.test(name) && weight?.kind === "signed") parts.push(`gamma ${formatNumber(weight.positive - 1)}`);
  if (low && high) parts.push(`low ${low.map(formatNumber).join(" ")}`, `high ${high.map(formatNumber).join(" ")}`);
  if (stabilizer > 0) parts.push(`stabilizer ${formatNumber(stabilizer)}`);
  return parts.length === 0 ? name : `${name}(${parts.join(", ")})`;
}

function describeMatch({ op, name, position }: LayerMatch): string {
  const ops = op === undefined ? "every layer with weights" : [op].flat().join(" and ");
  const place = position === undefined ? "" : `${position} `;
  return name === undefined ? `${place}${ops}` : `${place}${op === undefined ? "layer" : ops} "${name}"`;
}

/** A composite's assignments as people read them, in order; the first that matches a layer wins. */
export function describeAssignments(composite: Composite): { readonly layers: string; readonly rule: string }[] {
  return composite.assignments.map(({ match, rule }) => ({ layers: describeMatch(match), rule: describeRule(rule) }));
}
