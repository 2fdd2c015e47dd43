import { didYouMean } from "./errors.ts";
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

/** Parameters that each rule takes besides `rule`. */
const ruleParameters: Readonly<Record<RuleSpec["rule"], readonly string[]>> = {
  epsilon: ["stabilizer"],
  lrp0: [],
  gamma: ["gamma", "stabilizer"],
  zPlus: ["stabilizer"],
  zPlusNoBias: [],
  alphaBeta: ["alpha", "beta", "stabilizer"],
  zBox: ["low", "high", "stabilizer"],
  wSquare: ["stabilizer"],
  flat: ["stabilizer"],
  gradient: [],
  pass: [],
};

/** Names of the rules of linear layers. */
export function ruleNames(): readonly string[] {
  return Object.keys(ruleParameters);
}

const isSpec = (value: object): value is RuleSpec =>
  "rule" in value && typeof value.rule === "string" && Object.hasOwn(ruleParameters, value.rule);

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
    if (!ruleParameters[value.rule].includes(key)) {
      throw new TypeError(
        `rule "${value.rule}": takes ${ruleParameters[value.rule].join(", ") || "no parameters"}, got "${key}".${didYouMean(key, ruleParameters[value.rule])}`,
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
