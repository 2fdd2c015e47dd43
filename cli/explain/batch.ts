import { existsSync, readFileSync, statSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { mustHave } from "../../engine/basics/must-have.ts";
import { modelByName } from "../../engine/models/index.ts";
import { sha256File } from "../../host/files/sha256.ts";
import { version } from "../../host/version.ts";
import { formatShare } from "../drawing/format.ts";
import type { Inputs } from "../inputs/expand.ts";
import { inputNames } from "../inputs/names.ts";
import type { SourceFile } from "../inputs/photo.ts";
import { labelsOfFolders, type PhotoLabels, readLabels } from "../inputs/photo-labels.ts";
import { isInShard, parseShard, type Shard, shardName } from "../inputs/shard.ts";
import { cleanOnce, writeWhole } from "../outputs/atomic-write.ts";
import { writeGallery } from "../outputs/gallery.ts";
import { requireWritable } from "../outputs/outputs.ts";
import { openRunIndex } from "../outputs/run-index.ts";
import { openZarr, type ZarrPlace } from "../outputs/zarr.ts";
import type { Arguments } from "../terminal/arguments.ts";
import { CommandError, weightsError } from "../terminal/errors.ts";
import { wholeOption } from "../terminal/number-options.ts";
import { createProgress } from "../terminal/progress.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import { tellNotes } from "../terminal/tell-notes.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { readReport } from "./existing.ts";
import { indexLine, truthOf } from "./labels.ts";
import { targetFolders } from "./photo.ts";
import type { ExplainRequest } from "./request.ts";
import { exitCodeOf, type RunEnd, type RunItem, runPhotos } from "./run.ts";
import { describePhoto, photoAsJson } from "./text.ts";
import { startWorkers } from "./worker-pool.ts";

// Failed photos that are named again at the end; all are in the index.
const mostFailures = 20;

/** What a worker process needs besides the weights: measured 217 MB each with alexnet-mini, over 1000 photos. */
const workerBytes = 220e6;

/** Processes that share the work. */
function readJobs(given: Arguments, { weights, load, threads }: ExplainRequest, photos: number): number {
  const jobs = wholeOption(given, "jobs", { low: 1, high: 256 }, undefined);
  if (jobs !== undefined) return jobs;
  if (load.lowMemory) return 1;
  const cores = Math.floor(availableParallelism() / (given.has("threads") ? threads : 1));
  // A network takes about its weights' size twice while it is loaded.
  const fitting = Math.floor(totalmem() / 2 / (workerBytes + 2 * statSync(weights).size));
  return Math.max(1, Math.min(cores, fitting, photos));
}

/** All that a run is: what to compute, and where it goes. */
export interface Run {
  readonly request: ExplainRequest;
  /** The whole run's photos, whatever the shard. */
  readonly names: readonly string[];
  readonly items: readonly RunItem[];
  /** As typed, for messages. */
  readonly paths: readonly string[];
  readonly out: string;
  readonly zarr: ZarrPlace | undefined;
}

/** Lays a run out: names, folders, rows. */
export function planRun(inputs: Inputs, request: ExplainRequest, out: string): Run {
  const names = inputNames(inputs.inputs);
  const items = inputs.inputs.map(({ path, error }, row): RunItem => {
    const name = names[row] ?? path;
    if (path === "-") return { error: "standard input is one photo; give it alone." };
    return error === undefined
      ? { task: { path, relative: name, folder: join(out, ...name.split("/")), row } }
      : { error };
  });
  const folder = join(out, "run.zarr");
  const zarr = request.parts.has("zarr")
    ? { folder, photos: names.length, targets: request.targets.length }
    : undefined;
  return { request, names, items, paths: inputs.inputs.map(({ path }) => path), out, zarr };
}

/** Refuses a run into which results were written already. */
function refuseExisting({ request, items }: Run): void {
  const taken = items.flatMap((item) =>
    "task" in item ? targetFolders(request, item.task.folder).filter((folder) => readReport(folder) !== undefined) : [],
  );
  const [first] = taken;
  if (first === undefined) return;
  throw new CommandError(
    `${taken.length} of the results are there already, the first in ${join(first, "/")}, and --existing error refuses that. Nothing was done.`,
  );
}

/**
 * Makes what a run's photos have in common: run.json, which "srmap verify" reads, and the store.
 * @throws CommandError, system errors
 */
export function openRun(run: Run, argv: readonly string[]): void {
  const { request, out, zarr, names, items } = run;
  if (request.existing === "error") refuseExisting(run);
  writeCommand(join(out, "run.json"), argv, request.existing === "replace");
  if (zarr !== undefined) openZarr(zarr.folder, names, request.existing === "replace");
  // What killed runs left beside results that are whole, and so will not be written again.
  const folders = new Set(items.flatMap((item) => ("task" in item ? [dirname(resolve(item.task.folder))] : [])));
  for (const folder of folders) cleanOnce(folder);
}

/**
 * Writes down the command of a run. One folder has one run: its index and its checks are of one command.
 * @throws CommandError when another command's results are there and are not to be replaced
 */
function writeCommand(path: string, argv: readonly string[], isReplaced: boolean): void {
  const document = { srmap: version, command: "explain", folder: process.cwd(), arguments: decisiveArguments(argv) };
  const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  if (before !== undefined && !isReplaced && !isSameCommand(before, document)) {
    throw new CommandError(
      `${join(dirname(path), "/")} holds a run of another command, see ${path}. Add --existing replace to make it anew, or choose another --out.`,
    );
  }
  if (before !== undefined && !isReplaced) return;
  writeWhole(path, new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`));
}

/** The same arguments, in whatever order, in the same folder. */
function isSameCommand(text: string, { folder, arguments: argv }: { folder: string; arguments: string[] }): boolean {
  try {
    const before = JSON.parse(text) as { folder?: unknown; arguments?: unknown };
    const words = Array.isArray(before.arguments) ? before.arguments.map(String) : [];
    return before.folder === folder && JSON.stringify(words.sort()) === JSON.stringify([...argv].sort());
  } catch {
    return false;
  }
}

/** The command line without what changes no result: how the work is divided, what is printed. */
function decisiveArguments(argv: readonly string[]): string[] {
  const valued = ["--shard", "--jobs", "--existing", "--threads", "--labels"];
  const switches = ["--json", "--ledger"];
  return argv.filter((argument, i) => {
    const isLeftOut = [...valued, ...switches].some((name) => argument === name || argument.startsWith(`${name}=`));
    return !isLeftOut && !valued.includes(argv[i - 1] ?? "");
  });
}

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

/** Class names of a network that is known by name. */
function classNames({ model }: ExplainRequest): readonly string[] {
  return (model === undefined ? undefined : modelByName(model).labels) ?? [];
}

/** The whole of `srmap explain` for several photos. @returns the exit code */
export async function explainBatch(
  given: Arguments,
  inputs: Inputs,
  request: ExplainRequest,
  out: string,
  terminal: Terminal,
): Promise<number> {
  const shardText = given.value("shard");
  const shard = shardText === undefined ? undefined : parseShard(shardText);
  const labelsPath = given.value("labels");
  const run = planRun(inputs, request, out);
  const labels =
    labelsPath === undefined
      ? labelsOfFolders(inputs.inputs, run.names, classNames(request))
      : await readLabels(labelsPath);
  const jobs = readJobs(given, request, run.items.length);
  const sha256 = await sha256File(request.weights).catch((error: unknown) => {
    throw weightsError(request.weights, error);
  });
  const weights = { file: basename(request.weights), sha256 };
  const threads = given.has("threads") ? request.threads : 1;
  const start = { argv: given.argv, folder: process.cwd(), weights, zarr: run.zarr, threads };
  const rows = run.items.flatMap((_, row) => (shard === undefined || isInShard(shard, row) ? [row] : []));
  // Weights can be large: they are not read when no photo was found, and nothing is written.
  if (!run.items.some((item) => "task" in item)) return tellAll(run, terminal);
  const pool = startWorkers(Math.min(jobs, Math.max(1, rows.length)), start);
  requireWritable(out);
  try {
    tellNotes(await pool.load(), terminal);
    openRun(run, given.argv);
  } catch (error) {
    await pool.stop();
    throw error;
  }
  const session = openSession(run, rows, shard, labels, weights, terminal);
  const end = await runPhotos(
    rows.map((row) => run.items[row] ?? { error: "is missing." }),
    pool,
    session.tell,
  );
  return session.close(end);
}

/** Tells what was wrong with all inputs. @returns the exit code */
function tellAll({ items, paths, request }: Run, terminal: Terminal): number {
  const photos = items.map((item, i) => ({
    photo: mustHave(paths[i], "path"),
    error: "error" in item ? item.error : "",
  }));
  for (const { photo, error } of photos) terminal.err(`${shown(photo, mostOfPath)}: ${error}\n`);
  if (request.isJson) {
    const document = { srmap: version, composite: request.choice.label, photos, model: request.model, isWhole: true };
    terminal.out(`${JSON.stringify(document, null, 2)}\n`);
  } else if (photos.length > 1) {
    const list = photos.map(({ photo }) => `  ${shown(photo, mostOfPath)}\n`).join("");
    terminal.err(`${photos.length} of ${photos.length} photos failed:\n${list}`);
  }
  return 1;
}

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
function openSession(
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
