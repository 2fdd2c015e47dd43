import { didYouMean } from "../basics/errors.ts";
import {
  alphaBeta,
  epsilon,
  flat,
  gamma,
  gradient,
  type LinearRule,
  li2019Dense,
  pass,
  wSquare,
  zBox,
  zPlus,
} from "./rules.ts";

/** A rule of a linear layer by name with its parameters: how rules are written in JSON. */
export type RuleSpec =
  | { readonly rule: "epsilon"; readonly stabilizer?: number }
  | { readonly rule: "lrp0" }
  | { readonly rule: "gamma"; readonly gamma?: number; readonly stabilizer?: number }
  | { readonly rule: "zPlus"; readonly stabilizer?: number }
  | { readonly rule: "zPlusNoBias" }
  | { readonly rule: "alphaBeta"; readonly alpha: number; readonly beta: number; readonly stabilizer?: number }
  | {
      readonly rule: "zBox";
      readonly low?: readonly number[];
      readonly high?: readonly number[];
      readonly stabilizer?: number;
    }
  | { readonly rule: "wSquare"; readonly stabilizer?: number }
  | { readonly rule: "flat"; readonly stabilizer?: number }
  | { readonly rule: "gradient" }
  | { readonly rule: "pass" };

/** The parameters that each rule takes besides `rule`, and one line for people. */
const rules: Readonly<Record<RuleSpec["rule"], { readonly parameters: readonly string[]; readonly summary: string }>> =
  {
    epsilon: {
      parameters: ["stabilizer"],
      summary: "in proportion to x w, the bias in the divisor (Bach et al. 2015)",
    },
    lrp0: { parameters: [], summary: "epsilon without a stabiliser" },
    gamma: {
      parameters: ["gamma", "stabilizer"],
      summary: "what speaks for the output counts 1 + gamma times; gamma 0.25 unless given (Montavon et al. 2019)",
    },
    zPlus: {
      parameters: ["stabilizer"],
      summary: "only what speaks for the output: alphaBeta(1, 0) (Montavon et al. 2017)",
    },
    zPlusNoBias: {
      parameters: [],
      summary: "zPlus without bias, for inputs of at least 0: dense layers of Li et al. 2019",
    },
    alphaBeta: {
      parameters: ["alpha", "beta", "stabilizer"],
      summary:
        "alpha times what speaks for the output less beta times what speaks against it, alpha - beta = 1 (Bach et al. 2015)",
    },
    zBox: {
      parameters: ["low", "high", "stabilizer"],
      summary: "for pixels: x w less what the darkest and brightest pixel would give (Montavon et al. 2017)",
    },
    wSquare: { parameters: ["stabilizer"], summary: "in proportion to w^2, whatever the input (Montavon et al. 2017)" },
    flat: { parameters: ["stabilizer"], summary: "the same share to every input (Lapuschkin et al. 2019)" },
    gradient: { parameters: [], summary: "the gradient: nothing divided, nothing multiplied" },
    pass: { parameters: [], summary: "unchanged, where input and output have one shape" },
  };

/** Names of the rules of linear layers. */
export function ruleNames(): readonly string[] {
  return Object.keys(rules);
}

/**
 * One line that says what a rule does, and the parameters it takes.
 * @throws RangeError for an unknown name
 */
export function ruleSummary(name: string): { readonly parameters: readonly string[]; readonly summary: string } {
  const spec = { rule: name };
  if (!isSpec(spec)) throw new RangeError(`rule "${name}": unknown.${didYouMean(name, ruleNames())}`);
  return rules[spec.rule];
}

const isSpec = (value: object): value is RuleSpec =>
  "rule" in value && typeof value.rule === "string" && Object.hasOwn(rules, value.rule);

const isNumbers = (value: unknown): boolean => Array.isArray(value) && value.every((v) => typeof v === "number");

/**
 * Makes a rule from its description, checking names and types: the door for JSON.
 * @throws TypeError for an unknown rule or parameter or a value of the wrong kind, RangeError for a wrong value
 */
export function ruleFromSpec(value: unknown): LinearRule {
  if (typeof value !== "object" || value === null || !isSpec(value)) {
    const name = typeof value === "object" && value !== null && "rule" in value ? String(value.rule) : "";
    throw new TypeError(
      `rule ${JSON.stringify(value)}: must be an object with "rule" one of ${ruleNames().join(", ")}.${didYouMean(name, ruleNames())}`,
    );
  }
  for (const [key, entry] of Object.entries(value)) {
    if (key === "rule") continue;
    if (!rules[value.rule].parameters.includes(key)) {
      throw new TypeError(
        `rule "${value.rule}": takes ${rules[value.rule].parameters.join(", ") || "no parameters"}, got "${key}".${didYouMean(key, rules[value.rule].parameters)}`,
      );
    }
    const isList = key === "low" || key === "high";
    if (isList ? !isNumbers(entry) : typeof entry !== "number") {
      throw new TypeError(
        `rule "${value.rule}": ${key} must be ${isList ? "a list of numbers" : "a number"}, got ${JSON.stringify(entry)}.`,
      );
    }
  }
  switch (value.rule) {
    case "epsilon":
      return epsilon(value.stabilizer);
    case "lrp0":
      return epsilon(0);
    case "gamma":
      return gamma(value.gamma, value.stabilizer);
    case "zPlus":
      return zPlus(value.stabilizer);
    case "zPlusNoBias":
      return li2019Dense();
    case "alphaBeta":
      return alphaBeta(value.alpha, value.beta, value.stabilizer);
    case "zBox":
      return zBox(value.low, value.high, value.stabilizer);
    case "wSquare":
      return wSquare(value.stabilizer);
    case "flat":
      return flat(value.stabilizer);
    case "gradient":
      return gradient();
    case "pass":
      return pass();
    default:
      return value satisfies never;
  }
}
