import { statSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { basename } from "node:path";
import { mustHave } from "../../engine/basics/must-have.ts";
import { modelByName } from "../../engine/models/index.ts";
import { sha256File } from "../../host/files/sha256.ts";
import { version } from "../../host/version.ts";
import type { Inputs } from "../inputs/expand.ts";
import { labelsOfFolders, readLabels } from "../inputs/photo-labels.ts";
import { isInShard, parseShard } from "../inputs/shard.ts";
import { requireWritable } from "../outputs/outputs.ts";
import type { Arguments } from "../terminal/arguments.ts";
import { weightsError } from "../terminal/errors.ts";
import { wholeOption } from "../terminal/number-options.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import { tellNotes } from "../terminal/tell-notes.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { ExplainRequest } from "./request.ts";
import { runPhotos } from "./run.ts";
import { openRun, planRun, type Run } from "./run-plan.ts";
import { openSession } from "./run-session.ts";
import { startWorkers } from "./worker-pool.ts";

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
