import { type Dirent, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readReport } from "../explain/existing.ts";
import { reportName } from "../explain/files.ts";
import { indexLine, truthOf } from "../explain/labels.ts";
import type { ExplanationReport } from "../explain/report.ts";
import { type PhotoLabels, readLabels } from "../inputs/photo-labels.ts";
import { writeGallery } from "../outputs/gallery.ts";
import { failuresIn, type IndexLine, writeRunIndex } from "../outputs/run-index.ts";
import { parkedPhotos } from "../queue/parked.ts";
import { queueOption, readPlace, withQueue } from "../queue/photo-queue.ts";
import { CommandError, UsageError } from "../terminal/errors.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import type { Command } from "./command.ts";

/** In the order of the names' code points, as photos of a folder are taken. */
function foldersOf(path: string): Dirent[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

interface Result {
  readonly folder: string;
  readonly report: ExplanationReport;
}

/** Every result below a folder, folder by folder. */
function* results(out: string, below = ""): Generator<Result> {
  const path = join(out, below);
  if (existsSync(join(path, reportName))) {
    const report = readReport(path);
    if (report?.input !== undefined && report.target !== undefined)
      yield { folder: below, report: report as ExplanationReport };
  }
  for (const { name } of foldersOf(path)) {
    if (!name.endsWith(".zarr")) yield* results(out, below === "" ? name : `${below}/${name}`);
  }
}

/** Results of one photo come one after the other: its targets lie in one folder. */
function* photosOf(out: string): Generator<Result[]> {
  let group: Result[] = [];
  for (const result of results(out)) {
    if (group[0] !== undefined && group[0].report.input.path !== result.report.input.path) {
      yield group;
      group = [];
    }
    group.push(result);
  }
  if (group.length > 0) yield group;
}

/** In the order in which the folders of results come: folder by folder, by code points. */
function comparePaths(a: string, b: string): number {
  const [left, right] = [a.split("/"), b.split("/")];
  const at = left.findIndex((name, i) => name !== right[i]);
  const [x, y] = [left[at], right[at]];
  if (x === undefined) return left.length - right.length;
  return y === undefined || x > y ? 1 : -1;
}

/** Lines of all results, and between them, in their order, of the photos that failed and have none. */
function* linesOf(
  out: string,
  failures: ReadonlyMap<string, string>,
  labels: PhotoLabels | undefined,
): Generator<IndexLine> {
  const failed = [...failures].sort(([a], [b]) => comparePaths(a, b));
  const failure = ([photo, error]: readonly [string, string]): IndexLine => {
    const truth = truthOf(labels, photo);
    return { photo, ...(truth === undefined ? {} : { truth }), error };
  };
  let next = 0;
  for (const group of photosOf(out)) {
    const name = group[0]?.report.input.path ?? group[0]?.folder ?? "";
    for (let line = failed[next]; line !== undefined && comparePaths(line[0], name) <= 0; line = failed[++next]) {
      if (line[0] !== name) yield failure(line);
    }
    const photo = { reports: group.map(({ report }) => report), folders: [], isKept: true };
    const folders = group.map((result) => result.folder);
    yield indexLine(name, photo, folders, labels);
  }
  for (const line of failed.slice(next)) yield failure(line);
}

/** `srmap index`: the index of results that several processes made. */
export const indexCommand: Command = {
  summary: "Writes index.csv, index.jsonl and index.html of the results in a folder",
  usage: "DIR [options]",
  options: {
    ...queueOption,
    labels: {
      value: "FILE",
      help: 'True classes, JSON: {"a.jpg": "tench"}, or {"a.jpg": {"index": 0}} with ImageNet indices.',
    },
  },
  notes: `For results that were made in parts: by "srmap explain --shard", or by the workers of
a queue ("srmap work"). Photos that failed have their lines, too: those in the
indexes that are there and, with --queue or SRMAP_QUEUE, those that are parked.

Example:
  srmap index maps --queue redis://localhost:6379`,

  async run(given, terminal) {
    const [out, ...more] = given.positionals;
    if (out === undefined || more.length > 0) {
      throw new UsageError('index needs one folder of results: srmap index DIR. See "srmap help index".');
    }
    if (!existsSync(out)) throw new CommandError(`folder ${out}: there is no such file or folder.`);
    const labelsPath = given.value("labels");
    const labels = labelsPath === undefined ? undefined : await readLabels(labelsPath);
    let targets = 0;
    for (const group of photosOf(out)) targets = Math.max(targets, group.length);
    const failures = failuresIn(out);
    if (given.has("queue") || process.env["SRMAP_QUEUE"] !== undefined) {
      const parked = await withQueue(readPlace(given), (queue) => parkedPhotos(queue, out));
      for (const [photo, reason] of parked) failures.set(photo, reason);
    }
    if (targets === 0 && failures.size === 0) throw new CommandError(`folder ${out}: there are no results in it.`);
    const { count, failed } = writeRunIndex(out, Math.max(1, targets), linesOf(out, failures, labels));
    writeGallery(out);
    terminal.out(
      `${count} photos${failed > 0 ? `, ${failed} of them failed` : ""}. Wrote ${shown(join(out, "/"), mostOfPath)}: index.csv, index.jsonl and index.html.\n`,
    );
    return 0;
  },
};
