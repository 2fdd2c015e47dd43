import type { Tensor } from "../../engine/basics/tensor.ts";
import type { Explanation } from "../../engine/explain.ts";
import { describeAssignments } from "../../engine/rules/rule-description.ts";
import { version } from "../../host/version.ts";
import { sha256 } from "../outputs/hash.ts";
import { jsonText } from "../outputs/json-text.ts";
import { saliencyColors } from "../outputs/outputs.ts";
import type { ExplanationContext } from "./files.ts";

/** The text of explanation.json: where the explanation came from, what it is, and everything that is needed to make it again. */
export function explanationReport(
  explanation: Explanation,
  context: ExplanationContext,
  arrays: ReadonlyMap<string, Tensor>,
): string {
  const { model, target, targetKind, targetDescription, top, composite, layer, ledger, timingsMs } = explanation;
  const {
    weights,
    input,
    note,
    requestedTarget,
    preprocessing,
    heatQuality,
    colors,
    isAtSummed,
    computation,
    decodeMs,
  } = context;
  const { name, assignments, ...rest } = composite;
  const checksums = [...arrays].map(([file, { shape, data }]) => [
    file,
    { shape, type: "float32", sha256: sha256(data) },
  ]);
  const report = {
    srmap: version,
    model,
    weights,
    input,
    preprocessing,
    note,
    target: { requested: requestedTarget, kind: targetKind, description: targetDescription, ...target },
    top,
    // First for people, then, under assignments, all data of the rules.
    composite: { name, label: context.compositeLabel, rules: describeAssignments(composite), ...rest, assignments },
    salientRelevance: { ...explanation.salientRelevanceOptions, heatJpegQuality: heatQuality },
    computation,
    rendering: { relevance: colors, salientRelevance: saliencyColors },
    // Channels ranked by the sum of their relevance.
    at: layer && { layer: layer.layer, shape: layer.relevance.shape, isSummed: isAtSummed, channels: layer.channels },
    ledger,
    timingsMs: { decode: decodeMs, ...timingsMs },
    // Of the numbers as they lie behind the header of each .npy file.
    arrays: Object.fromEntries(checksums),
  };
  return `${jsonText(report)}\n`;
}
