import { didYouMean } from "../basics/errors.ts";
import type { Op } from "../graph/definition.ts";
import { opsWithWeights } from "../graph/weighted-ops.ts";
import type { Assignment, Composite, LayerMatch } from "./composite.ts";
import { compositeByName } from "./composites.ts";
import { ruleFromSpec } from "./rule-spec.ts";
import { choicesWithoutWeights, type LinearRule } from "./rules.ts";

const choices = { ...choicesWithoutWeights, start: ["score", "one"] };
const keys = ["name", "base", "assignments", "normStabilizer", "timesInput", ...Object.keys(choices)];
const matchKeys = ["op", "name", "position"];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function refuseUnknownKeys(where: string, value: object, known: readonly string[]): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw new TypeError(`${where}: does not take "${key}".${didYouMean(key, known)} It takes ${known.join(", ")}.`);
    }
  }
}

function parseMatch(where: string, value: unknown): LayerMatch {
  if (value === undefined) return {};
  if (!isObject(value)) throw new TypeError(`${where}: match must be an object, got ${JSON.stringify(value)}.`);
  refuseUnknownKeys(`${where}: match`, value, matchKeys);
  const { op, name, position } = value;
  const ops = op === undefined ? undefined : [op].flat();
  const wrong = ops?.find((entry) => !opsWithWeights.includes(entry as Op));
  if (wrong !== undefined) {
    throw new RangeError(
      `${where}: op must be one of ${opsWithWeights.join(", ")}, got ${JSON.stringify(wrong)}.${didYouMean(String(wrong), opsWithWeights)}`,
    );
  }
  if (name !== undefined && typeof name !== "string") {
    throw new TypeError(`${where}: name must be a string, got ${JSON.stringify(name)}.`);
  }
  if (position !== undefined && position !== "first" && position !== "last") {
    throw new RangeError(`${where}: position must be "first" or "last", got ${JSON.stringify(position)}.`);
  }
  return {
    ...(ops ? { op: ops as Op[] } : {}), // every entry was found among opsWithWeights
    ...(name === undefined ? {} : { name }),
    ...(position === undefined ? {} : { position }),
  };
}

/** A rule by name or with parameters; complaints say which assignment has it. */
function parseRule(where: string, value: unknown): LinearRule {
  try {
    return ruleFromSpec(typeof value === "string" ? { rule: value } : value);
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`${where}: ${error.message}`);
    if (error instanceof TypeError) throw new TypeError(`${where}: ${error.message}`);
    throw error;
  }
}

/**
 * A user's own composite from JSON:
 *   { "name": "mine", "base": "epsilonPlus", "maxPool": "shared", "lrn": "taylor",
 *     "assignments": [ { "match": { "op": "conv2d", "position": "first" }, "rule": { "rule": "flat" } } ] }
 * Assignments go before those of `base`; without a base every layer with weights must be matched.
 * @throws TypeError for a wrong kind or unknown key, RangeError for a wrong value, each with the nearest name
 */
export function compositeFromSpec(value: unknown): Composite {
  if (!isObject(value)) throw new TypeError(`composite: must be a JSON object, got ${JSON.stringify(value)}.`);
  const where = `composite "${typeof value["name"] === "string" ? value["name"] : "custom"}"`;
  refuseUnknownKeys(where, value, keys);
  const { name = "custom", base, assignments = [], normStabilizer, timesInput } = value;
  if (typeof name !== "string") throw new TypeError(`${where}: name must be a string, got ${JSON.stringify(name)}.`);
  if (base !== undefined && typeof base !== "string") {
    throw new TypeError(`${where}: base must be the name of a composite, got ${JSON.stringify(base)}.`);
  }
  if (!Array.isArray(assignments)) throw new TypeError(`${where}: assignments must be a list.`);
  const own = assignments.map((entry: unknown, index): Assignment => {
    const which = `${where}: assignment ${index + 1}`;
    if (!isObject(entry)) throw new TypeError(`${which}: must be an object with match and rule.`);
    refuseUnknownKeys(which, entry, ["match", "rule"]);
    const { rule } = entry;
    return { match: parseMatch(which, entry["match"]), rule: parseRule(which, rule) };
  });
  const settings: Record<string, unknown> = {};
  for (const [key, allowed] of Object.entries(choices)) {
    const choice = value[key];
    if (choice === undefined) continue;
    if (!(allowed as readonly unknown[]).includes(choice)) {
      throw new RangeError(
        `${where}: ${key} must be one of ${allowed.join(", ")}, got ${JSON.stringify(choice)}.${didYouMean(String(choice), allowed)}`,
      );
    }
    settings[key] = choice;
  }
  if (
    normStabilizer !== undefined &&
    !(typeof normStabilizer === "number" && normStabilizer >= 0 && normStabilizer < Infinity)
  ) {
    throw new RangeError(
      `${where}: normStabilizer must be a finite number of at least 0, got ${JSON.stringify(normStabilizer)}.`,
    );
  }
  if (timesInput !== undefined && typeof timesInput !== "boolean") {
    throw new TypeError(`${where}: timesInput must be true or false, got ${JSON.stringify(timesInput)}.`);
  }
  const inherited = compositeByName(base ?? "epsilonPlus");
  return {
    ...inherited,
    ...settings,
    ...(normStabilizer === undefined ? {} : { normStabilizer }),
    ...(timesInput === undefined ? {} : { timesInput }),
    name,
    assignments: [...own, ...(base === undefined ? [] : inherited.assignments)],
  };
}
