import { didYouMean, notInThisBuild, refuseUnknownOptions } from "../basics/errors.ts";
import { hasSalientVariants } from "../basics/features.ts";

/** Settings of the Salient Relevance step; every one may be left out. */
export interface SalientRelevanceOptions {
  /**
   * What patches are made of. "lab": CIELAB of the 8-bit heat image of |R|, for 1 or 3 channels. "gray": the sum over the channels of |R|,
   * for any number. "auto", the default: lab, as published, where the map has 1 or 3 channels, else gray.
   */
  readonly feature?: "auto" | "lab" | "gray";
  /** "exact": the K most similar patches; "fast": by an estimate from eight coefficients a patch. Default "exact". */
  readonly mode?: "exact" | "fast";
  /** The larger side of the maps that saliency works on, pixels. Default 250 (Goferman et al. 2010, section 3). */
  readonly workSize?: number;
  /** Side of the square patches, odd. Default 7 (Goferman et al. 2010). */
  readonly patchSize?: number;
  /** Distance between neighbouring patch centres, pixels. Default 3 (an overlap of 50 %). */
  readonly stride?: number;
  /** K: how many most similar patches a patch is compared with. Default 64 (Goferman et al. 2010). */
  readonly neighbours?: number;
  /** c: how much a patch's distance counts less when it lies far away. Default 3 (Goferman et al. 2010). */
  readonly positionWeight?: number;
  /** Sizes of the maps, relative to workSize, that are searched for salient patches. Default 1, .8, .5, .3. */
  readonly scales?: readonly number[];
  /** Sizes of the maps, relative to each scale, that patches are compared with; must contain 1. Default 1, 1/2, 1/4. */
  readonly subScales?: readonly number[];
  /** A scale times a sub-scale below this is left out. Default .2. */
  readonly minimumScale?: number;
  /** Pixels above this, in [0,1], are foci of attention. Default .8 (Goferman et al. 2010, section 3.3). */
  readonly fociThreshold?: number;
  /** Where pixels far from foci are weakened: in the map of each scale, in the mean map, or not at all. Default "scale". */
  readonly foci?: "scale" | "mean" | "none";
  /** Standard deviation, in image sides, of a Gaussian centred on the map that multiplies it; 0 for none. Default 0. */
  readonly centrePrior?: number;
  /**
   * Standard deviation, in pixels of the relevance map, of a Gaussian that blurs |R| before it multiplies the map; 0 for neither.
   * Default 0, as published; see `salientVariants`.
   */
  readonly relevanceBlur?: number;
}

/** The settings, none left out. Of a finished map `feature` is the one that was used. */
export type ResolvedSalientRelevanceOptions = Required<SalientRelevanceOptions>;

/** The defaults of `SalientRelevanceOptions`. */
export const salientRelevanceDefaults: ResolvedSalientRelevanceOptions = {
  feature: "auto",
  mode: "exact",
  workSize: 250,
  patchSize: 7,
  stride: 3,
  neighbours: 64,
  positionWeight: 3,
  scales: [1, 0.8, 0.5, 0.3],
  subScales: [1, 0.5, 0.25],
  minimumScale: 0.2,
  fociThreshold: 0.8,
  foci: "scale",
  centrePrior: 0,
  relevanceBlur: 0,
};

/** What a variant of the Salient Relevance step is called. */
export type SalientVariant = "published" | "weighted";

/**
 * Settings with names. "published": the defaults. "weighted": times the relevance blurred by 5 pixels, which keeps the areas and takes
 * the map from what surrounds them: docs/evidence.md says what it gains and what not.
 */
export const salientVariants: Readonly<Record<SalientVariant, SalientRelevanceOptions>> = {
  published: {},
  weighted: { relevanceBlur: 5 },
};

const choices = { feature: ["auto", "lab", "gray"], mode: ["exact", "fast"], foci: ["scale", "mean", "none"] } as const;

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(",")}]`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/**
 * Fills in defaults and checks every setting.
 * @throws TypeError for an unknown option or a value of the wrong kind, RangeError for a wrong value
 */
export function resolveSalientRelevanceOptions(options: SalientRelevanceOptions): ResolvedSalientRelevanceOptions {
  refuseUnknownOptions("salient relevance", options, Object.keys(salientRelevanceDefaults));
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const resolved: ResolvedSalientRelevanceOptions = { ...salientRelevanceDefaults, ...given };
  const check = (name: keyof SalientRelevanceOptions, isValid: boolean, expected: string): void => {
    if (!isValid) throw new RangeError(`salient relevance: ${name} must be ${expected}, got ${show(resolved[name])}.`);
  };
  for (const [name, allowed] of Object.entries(hasSalientVariants ? choices : {})) {
    const value: unknown = resolved[name as keyof typeof choices];
    if (!allowed.some((choice) => choice === value)) {
      throw new RangeError(
        `salient relevance: ${name} must be one of ${allowed.join(", ")}, got ${show(value)}.${didYouMean(String(value), allowed)}`,
      );
    }
  }
  const isWhole = (value: number, low: number, high: number): boolean =>
    Number.isInteger(value) && value >= low && value <= high;
  const isWithin = (value: number, low: number, high: number): boolean =>
    typeof value === "number" && value >= low && value <= high;
  if (!hasSalientVariants) {
    for (const name of ["feature", "mode", "foci", "centrePrior", "relevanceBlur"] as const) {
      if (resolved[name] !== salientRelevanceDefaults[name]) throw notInThisBuild(`salient relevance: another ${name}`);
    }
  }
  const { scales, subScales, minimumScale } = resolved;
  check("workSize", isWhole(resolved.workSize, 1, 4096), "a whole number from 1 to 4096");
  check("patchSize", isWhole(resolved.patchSize, 1, 63) && resolved.patchSize % 2 === 1, "an odd number from 1 to 63");
  check("stride", isWhole(resolved.stride, 1, 4096), "a whole number from 1 to 4096");
  check("neighbours", isWhole(resolved.neighbours, 1, 65536), "a whole number from 1 to 65536");
  check("positionWeight", isWithin(resolved.positionWeight, 0, 1000), "a number from 0 to 1000");
  check("minimumScale", isWithin(minimumScale, 0, 1), "a number from 0 to 1");
  check("fociThreshold", isWithin(resolved.fociThreshold, 0, 1), "a number from 0 to 1");
  if (hasSalientVariants) {
    check("centrePrior", isWithin(resolved.centrePrior, 0, 1000), "a number from 0 to 1000");
    check("relevanceBlur", isWithin(resolved.relevanceBlur, 0, 100), "a number from 0 to 100");
  }
  check(
    "scales",
    Array.isArray(scales) && scales.length > 0 && scales.every((r) => isWithin(r, Math.max(minimumScale, 0.01), 4)),
    `a list of numbers from ${Math.max(minimumScale, 0.01)} (not below minimumScale) to 4`,
  );
  check(
    "subScales",
    Array.isArray(subScales) &&
      subScales.includes(1) &&
      subScales.every((s, i) => isWithin(s, 0.01, 1) && subScales.indexOf(s) === i),
    "a list of different numbers from 0.01 to 1 that contains 1",
  );
  return resolved;
}
