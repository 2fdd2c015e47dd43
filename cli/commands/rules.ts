import { compositeByName, compositeNames, compositeSummary } from "../../engine/rules/composites.ts";
import { describeAssignments } from "../../engine/rules/rule-description.ts";
import { ruleNames, ruleSummary } from "../../engine/rules/rule-spec.ts";
import { choicesWithoutWeights } from "../../engine/rules/rules.ts";
import { UsageError } from "../terminal/errors.ts";
import type { Command } from "./command.ts";

/** Names in one column, what they mean in the next. */
function table(rows: readonly (readonly [name: string, meaning: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}\n`).join("");
}

function asText(): string {
  const linear = ruleNames().map((name) => {
    const { parameters, summary } = ruleSummary(name);
    return [name, parameters.length === 0 ? summary : `${summary}; takes ${parameters.join(", ")}`] as const;
  });
  return `Composites (--composite NAME):
${table(compositeNames().map((name) => [name, compositeSummary(name)]))}
Rules of layers with weights, for composites of your own:
${table(linear)}
Rules of other layers:
${table(Object.entries(choicesWithoutWeights).map(([kind, names]) => [kind, names.join(", ")]))}
Formulas and when to use which: docs/rules.md
`;
}

function asJson(): string {
  const composites = compositeNames().map((name) => ({
    name,
    summary: compositeSummary(name),
    assignments: describeAssignments(compositeByName(name)),
  }));
  const rules = ruleNames().map((name) => ({ name, ...ruleSummary(name) }));
  return `${JSON.stringify({ composites, rules, ...choicesWithoutWeights }, null, 2)}\n`;
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
