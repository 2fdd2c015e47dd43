import { basename, extname } from "node:path";
import { didYouMean } from "../../engine/basics/errors.ts";
import type { Composite } from "../../engine/rules/composite.ts";
import { compositeFromSpec } from "../../engine/rules/composite-spec.ts";
import { compositeByName, defaultComposite } from "../../engine/rules/composites.ts";
import { lrnRules, maxPoolRules } from "../../engine/rules/rules.ts";
import { readTextFile } from "../../host/files/text-file.ts";
import type { Arguments, OptionTable } from "../terminal/arguments.ts";
import { asUsage, describeError, UsageError } from "../terminal/errors.ts";

/** The options that choose relevance rules. */
export const compositeOptions: OptionTable = {
  composite: {
    value: "NAME",
    short: "c",
    help: `The relevance rules: a composite by name ("srmap rules" lists them) or your own, as FILE.json or JSON. Default ${defaultComposite}; li2019 are the rules that Li et al. 2019 describe, what their own code computes for AlexNet is li2019Overwrite.`,
  },
  "max-pool": { value: "RULE", help: `Another rule for max pooling: ${maxPoolRules.join(", ")}.` },
  lrn: { value: "RULE", help: `Another rule for local response normalisation: ${lrnRules.join(", ")}.` },
};

/** A composite and how pictures and reports call it. */
export interface CompositeChoice {
  readonly composite: Composite;
  /** Its name and what was changed in it: `li2019, max pool shared`. */
  readonly label: string;
}

function parseSpec(text: string, where: string, name: string | undefined): Composite {
  let spec: unknown;
  try {
    spec = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${where} is not valid JSON: ${describeError(error)}.`);
  }
  // A file without a name inside is called by its own.
  const named = typeof spec === "object" && spec !== null && !Array.isArray(spec) ? { name, ...spec } : spec;
  return asUsage(() => compositeFromSpec(name === undefined ? spec : named));
}

/** A composite by name, from a file, or as JSON. @throws UsageError */
export async function readComposite(typed: string): Promise<Composite> {
  if (typed.trimStart().startsWith("{")) return parseSpec(typed, "--composite", undefined);
  const isFile = extname(typed).toLowerCase() === ".json" || /[/\\]/.test(typed);
  if (!isFile) return asUsage(() => compositeByName(typed));
  let text: string;
  try {
    text = await readTextFile(typed);
  } catch (error) {
    throw new UsageError(`composite ${typed}: ${describeError(error)}`);
  }
  return parseSpec(text, `composite ${typed}`, basename(typed, extname(typed)));
}

function readChoice<Choice extends string>(
  given: Arguments,
  option: string,
  choices: readonly Choice[],
): Choice | undefined {
  const typed = given.value(option);
  if (typed === undefined) return undefined;
  const choice = choices.find((entry) => entry === typed);
  if (choice === undefined) {
    throw new UsageError(
      `--${option} must be one of ${choices.join(", ")}, got "${typed}".${didYouMean(typed, choices)}`,
    );
  }
  return choice;
}

/**
 * The composite from `--composite`, `--max-pool` and `--lrn`.
 * @throws UsageError for an unknown name, a file that cannot be read, broken JSON, and whatever is wrong with its content
 */
export async function chooseComposite(given: Arguments): Promise<CompositeChoice> {
  const maxPool = readChoice(given, "max-pool", maxPoolRules);
  const lrn = readChoice(given, "lrn", lrnRules);
  const base = await readComposite(given.value("composite") ?? defaultComposite);
  const changes = [
    ...(maxPool === undefined ? [] : [`max pool ${maxPool}`]),
    ...(lrn === undefined ? [] : [`LRN ${lrn}`]),
  ];
  return {
    composite: { ...base, maxPool: maxPool ?? base.maxPool, lrn: lrn ?? base.lrn },
    label: [base.name, ...changes].join(", "),
  };
}
