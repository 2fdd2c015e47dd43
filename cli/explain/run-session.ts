import { existsSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { mustHave } from "../../engine/basics/must-have.ts";
import { version } from "../../host/version.ts";
import { formatShare } from "../drawing/format.ts";
import type { SourceFile } from "../inputs/photo.ts";
import type { PhotoLabels } from "../inputs/photo-labels.ts";
import { type Shard, shardName } from "../inputs/shard.ts";
import { writeGallery } from "../outputs/gallery.ts";
import { openRunIndex } from "../outputs/run-index.ts";
import { createProgress } from "../terminal/progress.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { indexLine, truthOf } from "./labels.ts";
import type { ExplainRequest } from "./request.ts";
import { exitCodeOf, type RunEnd, type runPhotos } from "./run.ts";
import type { Run } from "./run-plan.ts";
import { describePhoto, photoAsJson } from "./text.ts";

// Failed photos that are named again at the end; all are in the index.
const mostFailures = 20;

/** Counts over the photos of a run. */
interface Tally {
  explained: number;
  kept: number;
  failed: number;
  labelled: number;
  right: number;
  readonly failures: string[];
}

function describeEnd(end: RunEnd, tally: Tally, total: number, where: string): string {
  const parts = [
    `${tally.explained} explained`,
    ...(tally.kept > 0 ? [`${tally.kept} kept from before`] : []),
    ...(tally.failed > 0 ? [`${tally.failed} failed`] : []),
  ];
  if (end.interrupt === undefined && end.full === undefined) return `${total} photos: ${parts.join(", ")}. ${where}\n`;
  const why = end.full ?? (end.interrupt === "EPIPE" ? "nobody reads the output any more." : "interrupted.");
  return `Stopped: ${why} ${end.done} of ${total} photos are done: ${parts.join(", ")}. ${where} The same command goes on from there.\n`;
}

/** What a run tells while it goes on, and at its end. */
interface Session {
  tell(index: number, outcome: Parameters<Parameters<typeof runPhotos>[2]>[1]): void;
  /** @returns the exit code */
  close(end: RunEnd): number;
}

/** The photos that failed, the first of many. */
function failuresAsText({ failures, failed }: Tally, photos: number, index: string): string {
  const list = failures.map((path) => `  ${shown(path, mostOfPath)}\n`).join("");
  const more = failed > mostFailures ? `  and ${failed - mostFailures} more, see ${index}.csv\n` : "";
  return `${failed} of ${photos} photos failed:\n${list}${more}`;
}

const disturbedAsText = (index: string): string =>
  `Another process wrote into ${shown(index, mostOfPath)}.jsonl meanwhile, which may lack lines now. The results are whole; the same command writes it anew.\n`;

function accuracyAsText({ labelled, right }: Tally): string {
  return labelled === 0 ? "" : `right: ${right} of ${labelled} labelled photos (${formatShare(right / labelled)})\n`;
}

function accuracyAsJson({ labelled, right }: Tally): object {
  return labelled === 0 ? {} : { labelled, right, accuracy: right / labelled };
}

/** @param isRight undefined for photos without a label */
function count(tally: Tally, isKept: boolean, isRight: boolean | undefined): void {
  if (isKept) tally.kept++;
  else tally.explained++;
  if (isRight !== undefined) tally.labelled++;
  if (isRight === true) tally.right++;
}

/** The document for programs, printed as its photos come. */
function jsonList(
  { choice }: ExplainRequest,
  terminal: Terminal,
): { add(entry: object): void; close(tail: object): void } {
  const head = JSON.stringify({ srmap: version, composite: choice.label }, null, 2).slice(0, -2);
  terminal.out(`${head},\n  "photos": [\n`);
  let isFirst = true;
  return {
    add(entry) {
      const text = JSON.stringify(entry, null, 2).replace(/^/gm, "    ");
      terminal.out(`${isFirst ? "" : ",\n"}${text}`);
      isFirst = false;
    },
    close: (tail) => terminal.out(`\n  ],\n${JSON.stringify(tail, null, 2).slice(2)}\n`),
  };
}

/** Prints and indexes outcomes one by one, so that nothing of a photo stays in memory. */
export function openSession(
  run: Run,
  rows: readonly number[],
  shard: Shard | undefined,
  labels: PhotoLabels | undefined,
  weights: SourceFile,
  terminal: Terminal,
): Session {
  const { request, out } = run;
  const name = shard === undefined ? "index" : shardName(shard);
  const index = openRunIndex(out, name, request.targets.length);
  const progress = createProgress(terminal, rows.length);
  const tally: Tally = { explained: 0, kept: 0, failed: 0, labelled: 0, right: 0, failures: [] };
  const below = (folder: string): string => relative(out, folder).split(sep).join("/");
  let model = request.model;
  const json = request.isJson ? jsonList(request, terminal) : undefined;
  return {
    tell(position, { result, error }) {
      const row = rows[position] ?? position;
      const path = mustHave(run.paths[row], "path");
      const photo = run.names[row] ?? path;
      progress.clear();
      if (result === undefined) {
        tally.failed++;
        if (tally.failures.length < mostFailures) tally.failures.push(path);
        terminal.err(`${shown(path, mostOfPath)}: ${error}\n`);
        const truth = truthOf(labels, photo);
        index.add({ photo, ...(truth === undefined ? {} : { truth }), error });
        json?.add({ photo: path, error });
      } else {
        model ??= result.reports[0]?.model;
        const line = indexLine(photo, result, result.folders.map(below), labels);
        count(tally, result.isKept, line.right);
        index.add(line);
        if (json !== undefined) json.add(photoAsJson(path, result, request.hasLedger));
        else terminal.out(describePhoto(path, result, request.hasLedger));
      }
      progress.update(position + 1, path);
    },
    close(end) {
      progress.clear();
      const isWhole = end.interrupt === undefined && end.full === undefined;
      if (isWhole) index.finish();
      index.close();
      if (index.wasDisturbed()) terminal.err(disturbedAsText(join(out, name)));
      if (isWhole && shard === undefined) writeGallery(out);
      const files = [`${name}.csv`, `${name}.jsonl`, ...(existsSync(join(out, "index.html")) ? ["index.html"] : [])];
      const where = `Results are in ${shown(join(out, "/"), mostOfPath)}: ${files.join(", ")} and a folder for each photo.`;
      if (tally.failures.length > 0 && rows.length > 1) terminal.err(failuresAsText(tally, rows.length, name));
      const summary = describeEnd(end, tally, rows.length, where);
      if (!isWhole) terminal.err(`srmap: ${summary}`);
      json?.close({ ...accuracyAsJson(tally), model, weights, isWhole });
      if (json === undefined && isWhole && tally.explained + tally.kept > 0) {
        terminal.out(`${accuracyAsText(tally)}${summary}`);
      }
      return exitCodeOf(end, tally.failed);
    },
  };
}
