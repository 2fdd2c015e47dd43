import { didYouMean } from "../../engine/basics/errors.ts";
import { type ThemeName, themes } from "../drawing/theme.ts";
import type { Arguments, OptionTable } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/errors.ts";

const names: readonly string[] = Object.keys(themes);

/** The option for the colours of panels and sheets. */
export const themeOption: OptionTable = {
  theme: {
    value: "NAME",
    help: `Colours of panels and sheets: ${names.join(", ")}. Default light; dark colours relevance by ${themes.dark.relevanceColormap} unless --colormap says otherwise.`,
  },
};

function isThemeName(name: string): name is ThemeName {
  return Object.hasOwn(themes, name);
}

/**
 * The theme from `--theme`.
 * @throws UsageError
 */
export function readTheme(given: Arguments): ThemeName {
  const typed = given.value("theme") ?? "light";
  if (isThemeName(typed)) return typed;
  throw new UsageError(`--theme must be one of ${names.join(", ")}, got "${typed}".${didYouMean(typed, names)}`);
}
