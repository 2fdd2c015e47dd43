import type { ColormapName } from "../../engine/picture/colormap.ts";
import type { HeatmapOptions } from "../../engine/picture/heatmap.ts";
import type { OptionTable } from "../terminal/arguments.ts";
import { CommandError, describeError } from "../terminal/errors.ts";
import { checkWritable } from "./atomic-write.ts";

/** Where results go when `--out` is not given. */
export const defaultFolder = "srmap-out";

/** The option for that. */
export const outputOption: OptionTable = {
  out: { value: "DIR", short: "o", help: `Folder for the results; made if need be. Default ${defaultFolder}.` },
};

/**
 * Refuses a folder that results could not be written into.
 * @throws CommandError
 */
export function requireWritable(folder: string): void {
  try {
    checkWritable(folder);
  } catch (error) {
    throw new CommandError(`output folder ${folder} cannot be written: ${describeError(error)}`);
  }
}

/**
 * Colours of relevance.png: blue, white, red, 0 exactly white. The strongest 0.5 % of pixels share the end colours: relevance is
 * so peaked that without this most maps look empty.
 */
export const relevanceColors: HeatmapOptions & { readonly colormap: ColormapName } = {
  colormap: "bwr",
  symmetric: true,
  clipQuantile: 0.995,
};

/** Colours of salient-relevance.png and overlay.png. */
export const saliencyColors: HeatmapOptions & { readonly colormap: ColormapName } = { colormap: "inferno" };
