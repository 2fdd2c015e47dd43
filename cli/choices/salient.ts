import { didYouMean } from "../../engine/basics/errors.ts";
import {
  type ResolvedSalientRelevanceOptions,
  resolveSalientRelevanceOptions,
  salientRelevanceDefaults,
  salientVariants,
} from "../../engine/salient/options.ts";
import type { Arguments, OptionTable } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/errors.ts";

const names = Object.keys(salientRelevanceDefaults);

/** The options that all commands share which make Salient Relevance maps. */
export const salientSettingOptions: OptionTable = {
  salient: {
    value: "VARIANT",
    help: `The kind of Salient Relevance map: ${Object.keys(salientVariants).join(" or ")} (times the relevance, blurred: less of what surrounds the areas). Default published.`,
  },
  feature: {
    value: "NAME",
    help: "What the map's patches are compared by: lab (colours of the heat image, as published), gray (the summed |R|) or auto (default: lab for maps of 1 or 3 channels, gray for others).",
  },
  sr: {
    value: "NAME=VALUE",
    isRepeatable: true,
    help: `Another setting of the Salient Relevance step: ${names.filter((name) => name !== "feature").join(", ")}. Lists as 1,0.8,0.5.`,
  },
};

function parseValue(name: string, text: string): unknown {
  const fallback: unknown = Object.entries(salientRelevanceDefaults).find(([key]) => key === name)?.[1];
  if (typeof fallback === "string") return text;
  const parts = Array.isArray(fallback) ? text.split(",") : [text];
  const numbers = parts.map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (numbers.some(Number.isNaN)) throw new UsageError(`--sr ${name} must be a number, got "${text}".`);
  return Array.isArray(fallback) ? numbers : numbers[0];
}

/**
 * The settings of the Salient Relevance step from `--salient`, `--feature` and `--sr`.
 * @throws UsageError
 */
export function salientSettings(given: Arguments): ResolvedSalientRelevanceOptions {
  const variant = given.value("salient") ?? "published";
  const known = Object.entries(salientVariants).find(([name]) => name === variant);
  if (known === undefined) {
    const all = Object.keys(salientVariants);
    throw new UsageError(`--salient must be one of ${all.join(", ")}, got "${variant}".${didYouMean(variant, all)}`);
  }
  const settings: Record<string, unknown> = { ...known[1] };
  const feature = given.value("feature");
  if (feature !== undefined) settings["feature"] = feature;
  for (const text of given.values("sr")) {
    const [, name, value] = /^([^=]*)=(.*)$/.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw new UsageError(`--sr needs NAME=VALUE, for example --sr neighbours=32, got "${text}".`);
    }
    if (!names.includes(name)) {
      throw new UsageError(
        `--sr: there is no setting "${name}".${didYouMean(name, names) || ` Known are ${names.join(", ")}.`}`,
      );
    }
    settings[name] = parseValue(name, value);
  }
  try {
    return resolveSalientRelevanceOptions(settings);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
