import { didYouMean } from "../../engine/basics/errors.ts";
import { type ColormapName, colormap, colormapNames } from "../../engine/picture/colormap.ts";
import type { HeatmapOptions } from "../../engine/picture/heatmap.ts";
import type { ThemeName } from "../drawing/theme.ts";
import { themes } from "../drawing/theme.ts";
import { relevanceColors } from "../outputs/outputs.ts";
import type { Arguments, OptionTable } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/errors.ts";

/** How relevance maps are coloured, nothing left out. */
export type RelevanceColors = Required<HeatmapOptions>;

/** The options for the colours of relevance.png. */
export const relevanceColorOptions: OptionTable = {
  colormap: {
    value: "NAME",
    help: `Colours of the relevance map: ${colormapNames.join(", ")}. Default ${relevanceColors.colormap}.`,
  },
  symmetric: { help: "0 gets the middle colour. Default for colour maps with two sides (bwr and the ones after it)." },
  asymmetric: { help: "The colours run from the smallest to the largest value. Default for the other colour maps." },
  gamma: { value: "N", help: "Raise the distance from the middle, 0 to 1, to this power; under 1 shows faint parts." },
  "clip-quantile": {
    value: "Q",
    help: `Share of the pixels whose strength is told apart; the others get the end colours. Default ${relevanceColors.clipQuantile}.`,
  },
};

function readNumber(given: Arguments, option: string, fallback: number, largest: number): number {
  const typed = given.value(option);
  if (typed === undefined) return fallback;
  const value = typed.trim() === "" ? Number.NaN : Number(typed);
  if (!(value > 0 && value <= largest)) {
    throw new UsageError(`--${option} must be a number over 0 and at most ${largest}, got "${typed}".`);
  }
  return value;
}

/**
 * The colours from the command line.
 * @throws UsageError
 */
export function readRelevanceColors(given: Arguments, theme: ThemeName): RelevanceColors {
  const typed = given.value("colormap") ?? themes[theme].relevanceColormap;
  const name = colormapNames.find((known): known is ColormapName => known === typed);
  if (name === undefined) {
    throw new UsageError(
      `--colormap must be one of ${colormapNames.join(", ")}, got "${typed}".${didYouMean(typed, colormapNames)}`,
    );
  }
  if (given.has("symmetric") && given.has("asymmetric")) {
    throw new UsageError("--symmetric and --asymmetric exclude each other.");
  }
  const isDiverging = colormap(name).kind === "diverging";
  return {
    colormap: name,
    symmetric: given.has("symmetric") || (isDiverging && !given.has("asymmetric")),
    gamma: readNumber(given, "gamma", 1, 16),
    clipQuantile: readNumber(given, "clip-quantile", relevanceColors.clipQuantile ?? 1, 1),
  };
}
