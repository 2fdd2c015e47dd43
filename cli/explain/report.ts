import type { Tensor } from "../../engine/basics/tensor.ts";
import type { Explanation, Prediction, RelevanceExplanation } from "../../engine/explain.ts";
import type { Preprocessing } from "../../engine/graph/definition.ts";
import type { LedgerRow } from "../../engine/layers/ledger.ts";
import type { Image } from "../../engine/picture/image.ts";
import type { TargetKind } from "../../engine/request/target.ts";
import { describeAssignments } from "../../engine/rules/rule-description.ts";
import { version } from "../../host/version.ts";
import type { InputFile, SourceFile } from "../inputs/photo.ts";
import { sha256 } from "../outputs/hash.ts";
import { jsonText } from "../outputs/json-text.ts";
import { saliencyColors } from "../outputs/outputs.ts";
import { type Balance, balanceOf } from "./balance.ts";
import type { ExplanationContext } from "./context.ts";

/** What explanation.json says of a target. */
export interface ReportedTarget extends Prediction {
  /** As it was typed. */
  readonly requested: string;
  readonly kind: TargetKind;
  readonly description: string;
}

/**
 * Content of explanation.json: where an explanation came from, what it is, and everything that is needed to make it again. Nothing
 * in it changes from run to run or from machine to machine.
 */
export interface ExplanationReport {
  readonly srmap: string;
  /** SHA-256 of all that decides the result but the photo: settings, weights, version. */
  readonly request: string;
  readonly model: string;
  readonly weights: SourceFile;
  readonly input: InputFile;
  readonly preprocessing: Preprocessing | undefined;
  readonly notes: readonly string[];
  readonly target: ReportedTarget;
  readonly top: readonly Prediction[];
  readonly relevance: Balance;
  readonly composite: { readonly name: string; readonly label: string; readonly [key: string]: unknown };
  readonly salientRelevance?: unknown;
  readonly computation: unknown;
  readonly rendering: unknown;
  readonly at?: {
    readonly layer: string;
    readonly shape: readonly number[];
    readonly isSummed: boolean;
    readonly channels: readonly { readonly channel: number; readonly relevance: number }[];
  };
  readonly ledger: readonly LedgerRow[];
  /** Of the numbers as they lie behind the header of each .npy file. */
  readonly arrays: Readonly<Record<string, { readonly shape: readonly number[]; readonly sha256: string }>>;
  /** Of the pixels, red, green, blue and opacity from the top left: how a PNG packs them differs between zlibs. */
  readonly pictures: Readonly<
    Record<string, { readonly width: number; readonly height: number; readonly sha256: string }>
  >;
  /** Everything that lies beside the report. */
  readonly files: readonly string[];
}

/** The report of an explanation. */
export function explanationReport(
  explanation: RelevanceExplanation | Explanation,
  context: ExplanationContext,
  arrays: ReadonlyMap<string, Tensor>,
  pictures: ReadonlyMap<string, Image>,
  files: readonly string[],
): ExplanationReport {
  const { model, target, targetKind, targetDescription, top, composite, layer, ledger } = explanation;
  const { name, assignments, ...rest } = composite;
  const settings = "salientRelevanceOptions" in explanation ? explanation.salientRelevanceOptions : undefined;
  return {
    srmap: version,
    request: context.request,
    model,
    weights: context.weights,
    input: context.input,
    preprocessing: context.preprocessing,
    notes: context.notes.map(({ text }) => text),
    target: { requested: context.requestedTarget, kind: targetKind, description: targetDescription, ...target },
    top,
    relevance: balanceOf(explanation.relevance),
    // First for people, then, under assignments, all data of the rules.
    composite: { name, label: context.compositeLabel, rules: describeAssignments(composite), ...rest, assignments },
    ...(settings === undefined
      ? {}
      : { salientRelevance: { ...settings, sign: context.salientSign, heatJpegQuality: context.heatQuality } }),
    computation: context.computation,
    rendering: { relevance: context.colors, salientRelevance: saliencyColors },
    // Channels ranked by the sum of their relevance.
    ...(layer === undefined
      ? {}
      : {
          at: {
            layer: layer.layer,
            shape: layer.relevance.shape,
            isSummed: context.isAtSummed,
            channels: layer.channels,
          },
        }),
    ledger,
    arrays: Object.fromEntries(
      [...arrays].map(([file, { shape, data }]) => [file, { shape, type: "float32", sha256: sha256(data) }]),
    ),
    pictures: Object.fromEntries(
      [...pictures].map(([file, { width, height, data }]) => [file, { width, height, sha256: sha256(data) }]),
    ),
    files,
  };
}

/** The text of explanation.json. */
export function reportText(report: ExplanationReport): string {
  return `${jsonText(report)}\n`;
}
