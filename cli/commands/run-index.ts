import { type Dirent, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readReport } from "../explain/existing.ts";
import { reportName } from "../explain/files.ts";
import { indexLine } from "../explain/labels.ts";
import type { ExplanationReport } from "../explain/report.ts";
import { readLabels } from "../inputs/photo-labels.ts";
import { writeGallery } from "../outputs/gallery.ts";
import { type IndexLine, writeRunIndex } from "../outputs/run-index.ts";
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

/** `srmap index`: the index of results that several processes made. */
export const indexCommand: Command = {
  summary: "Writes index.csv, index.jsonl and index.html of the results in a folder",
  usage: "DIR [options]",
  options: {
    labels: {
      value: "FILE",
      help: 'True classes, JSON: {"a.jpg": "tench"}, or {"a.jpg": {"index": 0}} with ImageNet indices.',
    },
  },
  notes: `For results that were made in parts: by "srmap explain --shard", or by the workers of
a queue ("srmap work"). A photo that failed has no results and no line.

Example:
  srmap index maps`,

  async run(given, terminal) {
    const [out, ...more] = given.positionals;
    if (out === undefined || more.length > 0) {
      throw new UsageError('index needs one folder of results: srmap index DIR. See "srmap help index".');
    }
    if (!existsSync(out)) throw new CommandError(`folder ${out}: there is no such file or folder.`);
    const labelsPath = given.value("labels");
    const labels = labelsPath === undefined ? undefined : await readLabels(labelsPath);
    let targets = 1;
    for (const group of photosOf(out)) targets = Math.max(targets, group.length);
    function* all(folder: string): Generator<IndexLine> {
      for (const group of photosOf(folder)) {
        const photo = { reports: group.map(({ report }) => report), folders: [], isKept: true };
        const name = group[0]?.report.input.path ?? group[0]?.folder ?? "";
        yield indexLine(
          name,
          photo,
          group.map((result) => result.folder),
          labels,
        );
      }
    }
    const count = writeRunIndex(out, targets, all(out));
    if (count === 0) throw new CommandError(`folder ${out}: there are no results in it.`);
    writeGallery(out);
    terminal.out(
      `${count} photos. Wrote ${shown(join(out, "/"), mostOfPath)}: index.csv, index.jsonl and index.html.\n`,
    );
    return 0;
  },
};
