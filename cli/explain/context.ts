import type { SalientSign } from "../../engine/explain.ts";
import type { Preprocessing } from "../../engine/graph/definition.ts";
import type { Image } from "../../engine/picture/image.ts";
import type { RelevanceColors } from "../choices/colors.ts";
import type { Part } from "../choices/parts.ts";
import type { ThemeName } from "../drawing/theme.ts";
import type { InputFile, SourceFile } from "../inputs/photo.ts";
import type { Note } from "./doubt.ts";

/** Where an explanation came from, for its report. */
export interface ExplanationContext {
  /** See ExplanationReport. */
  readonly request: string;
  readonly weights: SourceFile;
  readonly input: InputFile;
  readonly notes: readonly Note[];
  /** The target as it was typed. */
  readonly requestedTarget: string;
  /** What the network saw, as a picture. */
  readonly picture: Image;
  /** The photo itself; undefined where there was none. */
  readonly photo: Image | undefined;
  /** Undefined where nobody says it: then the input was a tensor. */
  readonly preprocessing: Preprocessing | undefined;
  /** The composite and what was changed in it. */
  readonly compositeLabel: string;
  readonly salientSign: SalientSign;
  readonly colors: RelevanceColors;
  /** Colours of the panel. */
  readonly theme: ThemeName;
  /** Quality of the JPEG that the heat image went through, if it did. */
  readonly heatQuality: number | undefined;
  /** Relevance at a layer is written as [H,W] instead of [C,H,W]. */
  readonly isAtSummed: boolean;
  /** How the kernels ran, as far as the last digits depend on it; they do not depend on threads. */
  readonly computation: { readonly algorithm: "auto" | "direct"; readonly lowMemory: boolean };
  /** What is written. */
  readonly parts: ReadonlySet<Part>;
}
