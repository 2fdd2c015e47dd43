import { compositeByName, compositeNames, compositeSummary } from "../../engine/composites.ts";
import { describeAssignments } from "../../engine/rule-description.ts";
import { ruleNames } from "../../engine/rule-spec.ts";
import { activationRules, lrnRules, maxPoolRules, sumRules } from "../../engine/rules.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../errors.ts";

/** Rules by the kind of layer that they serve. */
const rules = {
  "layers with weights": ruleNames(),
  "max pooling": maxPoolRules,
  "average pooling, add": sumRules,
  "local response normalisation": lrnRules,
  activations: activationRules,
};

function asText(): string {
  const width = Math.max(...compositeNames().map((name) => name.length));
  const composites = compositeNames().map((name) => `  ${name.padEnd(width)}  ${compositeSummary(name)}\n`);
  const kinds = Object.entries(rules).map(([kind, names]) => `  ${kind}: ${names.join(", ")}\n`);
  return `Composites (--composite NAME):\n${composites.join("")}\nRules, for composites of your own:\n${kinds.join("")}\nFormulas and when to use which: docs/rules.md\n`;
}

function asJson(): string {
  const composites = compositeNames().map((name) => ({
    name,
    summary: compositeSummary(name),
    assignments: describeAssignments(compositeByName(name)),
  }));
  return `${JSON.stringify({ composites, rules }, null, 2)}\n`;
}

/** `srmap rules`: composites and rules by name. */
export const rulesCommand: Command = {
  summary: "Lists the relevance rules and the composites made of them",
  usage: "[--json]",
  options: { json: { help: "Print one JSON document instead of text." } },
  notes: `A composite says which rule serves which layer. Your own is a JSON file:
  { "base": "epsilonPlus",
    "assignments": [ { "match": { "position": "first" }, "rule": "flat" } ] }

Examples:
  srmap rules
  srmap explain photo.jpg --composite mine.json`,

  async run(given, terminal) {
    if (given.positionals.length > 0) {
      throw new UsageError(`rules takes no arguments, got "${given.positionals[0]}". See "srmap help rules".`);
    }
    terminal.out(given.has("json") ? asJson() : asText());
    return 0;
  },
};
