import { join } from "node:path";
import { mustHave } from "../../engine/basics/must-have.ts";
import { formatConfidence } from "../drawing/format.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import { describeBalance } from "./balance.ts";
import { ledgerTable } from "./ledger-table.ts";
import type { ExplainedPhoto } from "./photo.ts";
import type { ExplanationReport } from "./report.ts";

// As many channels as fit on a line.
const shownChannels = 5;

function describeLayer({ at }: ExplanationReport): string {
  if (at === undefined) return "";
  const { channels, layer } = at;
  const listed = channels
    .slice(0, shownChannels)
    .map((entry) => `${entry.channel} (${entry.relevance.toPrecision(3)})`);
  const rest = channels.length > shownChannels ? ` of ${channels.length}` : "";
  return `  relevance at ${shown(layer)}: channels ${listed.join(", ")}${rest}\n`;
}

function describeTarget(report: ExplanationReport, folder: string, verb: string, hasLedger: boolean): string {
  const { kind, description, index } = report.target;
  const number = `class ${index}`;
  // Without class names the description is the number already.
  const about = kind === "class" && description !== number ? ` (${number})` : "";
  const table = hasLedger ? ledgerTable(report.ledger).replace(/^/gm, "  ").trimEnd() : "";
  return `  explained: ${shown(description, 200)}${about}
  relevance: ${describeBalance(report.relevance)}
${describeLayer(report)}  ${verb} ${shown(join(folder, "/"), mostOfPath)}: ${[...report.files, "explanation.json"].join(", ")}
${table === "" ? "" : `${table}\n`}`;
}

/** What is to be said of a photo, whatever its target: each note once. */
export function photoNotes({ reports }: ExplainedPhoto): string[] {
  const profile = reports[0]?.input.colorProfile;
  const colors =
    profile === undefined
      ? []
      : [`the photo has the colour profile "${shown(profile)}"; its values are used as they are stored.`];
  return [...new Set([...reports.flatMap(({ notes }) => notes), ...colors])];
}

/** What people are told of a photo: the likeliest classes and, for each target, what was explained and where it lies. */
export function describePhoto(path: string, photo: ExplainedPhoto, hasLedger: boolean): string {
  const { reports, folders, isKept } = photo;
  const rows = mustHave(reports[0], "report").top.map(
    (entry) => `  ${formatConfidence(entry).padStart(7)}  ${shown(entry.label)}\n`,
  );
  const notes = photoNotes(photo).map((note) => `  note: ${shown(note, 600)}\n`);
  const verb = isKept ? "kept" : "wrote";
  const blocks = reports.map((report, i) => describeTarget(report, mustHave(folders[i], "folder"), verb, hasLedger));
  return `${shown(path, mostOfPath)}\n${rows.join("")}${notes.join("")}${blocks.join("")}`;
}

/** The same for machines. */
export function photoAsJson(path: string, photo: ExplainedPhoto, hasLedger: boolean): object {
  const explanations = photo.reports.map((report, i) => ({
    requested: report.target.requested,
    kind: report.target.kind,
    description: report.target.description,
    target: report.target,
    relevance: report.relevance,
    folder: photo.folders[i],
    files: [...report.files, "explanation.json"],
    arrays: report.arrays,
    pictures: report.pictures,
    ...(hasLedger ? { ledger: report.ledger } : {}),
  }));
  const [first] = photo.reports;
  return { photo: path, input: first?.input, top: first?.top, notes: photoNotes(photo), explanations };
}
