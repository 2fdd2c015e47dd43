import { join } from "node:path";
import { version } from "../../host/version.ts";
import { formatConfidence } from "../drawing/panel.ts";
import type { Outcome } from "../inputs/batch.ts";
import type { SourceFile } from "../inputs/photo.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import { ledgerTable } from "./ledger-table.ts";
import type { ExplainedPhoto, ExplainedTarget } from "./photo.ts";
import type { ExplainRequest } from "./request.ts";

// As many channels as fit on a line.
const shownChannels = 5;

function describeLayer({ explanation: { layer } }: ExplainedTarget): string {
  if (layer === undefined) return "";
  const { channels } = layer;
  const listed = channels
    .slice(0, shownChannels)
    .map((entry) => `${entry.channel} (${entry.relevance.toPrecision(3)})`);
  const rest = channels.length > shownChannels ? ` of ${channels.length}` : "";
  return `  relevance at ${shown(layer.layer)}: channels ${listed.join(", ")}${rest}\n`;
}

function describeTarget(target: ExplainedTarget, hasLedger: boolean): string {
  const { folder, files, explanation } = target;
  const { targetKind, targetDescription, ledger } = explanation;
  const number = `class ${explanation.target.index}`;
  // Without class names the description is the number already.
  const about = targetKind === "class" && targetDescription !== number ? ` (${number})` : "";
  const table = hasLedger ? ledgerTable(ledger).replace(/^/gm, "  ").trimEnd() : "";
  return `  explained: ${shown(targetDescription, 200)}${about}
${describeLayer(target)}  wrote ${join(folder, "/")}: ${files.join(", ")}
${table === "" ? "" : `${table}\n`}`;
}

/** What people are told of a photo: the likeliest classes and, for each target, what was explained and where it lies. */
export function describePhoto(
  path: string,
  { targets, note, colorProfile }: ExplainedPhoto,
  hasLedger: boolean,
): string {
  const top = targets[0]?.explanation.top ?? [];
  const rows = top.map((entry) => `  ${formatConfidence(entry).padStart(7)}  ${shown(entry.label)}\n`);
  const colors =
    colorProfile === undefined
      ? ""
      : `  note: the photo has the colour profile "${shown(colorProfile)}"; its values are used as they are stored.\n`;
  const blocks = targets.map((target) => describeTarget(target, hasLedger));
  return `${shown(path, mostOfPath)}\n${rows.join("")}${note === undefined ? "" : `  note: ${note}\n`}${colors}${blocks.join("")}`;
}

/** The same for machines, of all photos. */
export function photosAsJson(
  { model, choice, hasLedger }: ExplainRequest,
  weights: SourceFile,
  outcomes: readonly Outcome<ExplainedPhoto>[],
): string {
  const photos = outcomes.map(({ path, result, error }) => {
    if (result === undefined) return { photo: path, error };
    const explanations = result.targets.map(({ requested, folder, files, explanation }) => ({
      requested,
      kind: explanation.targetKind,
      description: explanation.targetDescription,
      target: explanation.target,
      folder,
      files,
      ...(hasLedger ? { ledger: explanation.ledger } : {}),
    }));
    return { photo: path, top: result.targets[0]?.explanation.top, note: result.note, explanations };
  });
  const described = outcomes.find(({ result }) => result !== undefined)?.result?.targets[0]?.explanation.model;
  return `${JSON.stringify({ srmap: version, model: model ?? described, weights, composite: choice.label, photos }, null, 2)}\n`;
}
