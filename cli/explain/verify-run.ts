import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { sha256File } from "../../host/files/sha256.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { parseNpy } from "../../weights-loader/numpy/npy.ts";
import { expandInputs, photoInputs } from "../inputs/expand.ts";
import { sha256 } from "../outputs/hash.ts";
import { zarrDifferences, zarrRows } from "../outputs/zarr.ts";
import { type Arguments, parseArguments } from "../terminal/arguments.ts";
import { CommandError, describeError, weightsError } from "../terminal/errors.ts";
import { readReport } from "./existing.ts";
import { explainOptions } from "./options.ts";
import { type PhotoTask, targetFolders } from "./photo.ts";
import type { ExplanationReport } from "./report.ts";
import { type ExplainRequest, readRequest } from "./request.ts";
import { type RunEnd, runPhotos } from "./run.ts";
import { planRun } from "./run-plan.ts";
import { startWorkers } from "./worker-pool.ts";

/** What differs in one photo's results; empty when nothing does. */
export interface VerifiedPhoto {
  readonly photo: string;
  readonly differs: readonly string[];
}

/** The command that made a run, from its run.json. @throws CommandError */
function commandOf(out: string): { folder: string; given: Arguments } {
  const path = join(out, "run.json");
  if (!existsSync(path)) {
    throw new CommandError(
      `${path}: there is no such file. A run of several photos has it; to verify the package, give no argument.`,
    );
  }
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    const { folder, arguments: argv } = parsed as { folder?: unknown; arguments?: unknown };
    if (typeof folder !== "string" || !Array.isArray(argv) || !argv.every((word) => typeof word === "string")) {
      throw new Error("it has no folder and arguments.");
    }
    return { folder, given: parseArguments("explain", explainOptions, argv) };
  } catch (error) {
    throw new CommandError(`${path}: ${describeError(error)}`);
  }
}

/** Files whose content is not what the report says of them. */
function damagedFiles(folder: string, report: ExplanationReport): string[] {
  return report.files.filter((name) => {
    try {
      const bytes = readFileSync(join(folder, name));
      const array = report.arrays[name];
      if (array !== undefined) {
        const { data } = parseNpy(bytes, name);
        return !(data instanceof Float32Array) || sha256(data) !== array.sha256;
      }
      const picture = report.pictures[name];
      return picture !== undefined && sha256(decodeImage(bytes).data) !== picture.sha256;
    } catch {
      return true; // not there, or not readable
    }
  });
}

/** Names of arrays, pictures and other members in which two reports differ. */
function differencesOf(got: ExplanationReport, stored: ExplanationReport): string[] {
  const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const inside = (["arrays", "pictures"] as const).flatMap((kind) => {
    const names = new Set([...Object.keys(got[kind]), ...Object.keys(stored[kind])]);
    return [...names].filter((name) => !isSame(got[kind][name], stored[kind][name]));
  });
  const names = new Set([...Object.keys(got), ...Object.keys(stored)]);
  const others = [...names].filter((name) => {
    if (name === "arrays" || name === "pictures") return false;
    const key = name as keyof ExplanationReport;
    return !isSame(got[key], stored[key]);
  });
  return [...inside, ...others.map((name) => `explanation.json: ${name}`)];
}

function compareTarget(got: ExplanationReport | undefined, folder: string, called: string): string[] {
  const stored = readReport(folder);
  if (stored === undefined) return [`${called}explanation.json is not there`];
  if (got === undefined || stored.arrays === undefined || stored.pictures === undefined || stored.files === undefined) {
    return [`${called}explanation.json cannot be read`];
  }
  const report = stored as ExplanationReport;
  const damaged = damagedFiles(folder, report).map((name) => `${called}${name} is not what its report says`);
  return [...differencesOf(got, report).map((name) => `${called}${name}`), ...damaged];
}

/** Tells which arrays of a photo's row in the run's store differ. @throws CommandError */
function storeOf(
  folder: string,
): (photo: string, target: number, targets: number, got: ExplanationReport | undefined) => string[] {
  let rows: ReadonlyMap<string, number>;
  try {
    rows = zarrRows(folder);
  } catch (error) {
    throw new CommandError(`${join(folder, "/")}: ${describeError(error)}`);
  }
  return (photo, target, targets, got) => {
    const row = rows.get(photo);
    if (row === undefined) return ["run.zarr has no row of it"];
    return zarrDifferences({ folder, targets }, row, target, got?.arrays ?? {}).map((name) => `run.zarr/${name}`);
  };
}

/** Every so manieth of the tasks, so that `count` are left. */
function sampleOf(tasks: readonly PhotoTask[], count: number | undefined): PhotoTask[] {
  if (count === undefined || count >= tasks.length) return [...tasks];
  return Array.from({ length: count }, (_, i) => tasks[Math.floor((i * tasks.length) / count)]).filter(
    (task) => task !== undefined,
  );
}

async function weightsOf(request: ExplainRequest): Promise<{ file: string; sha256: string }> {
  const hash = await sha256File(request.weights).catch((error: unknown) => {
    throw weightsError(request.weights, error);
  });
  return { file: basename(request.weights), sha256: hash };
}

/**
 * Computes a run's results again, elsewhere, and compares them with what is there: arrays by their numbers, pictures by their pixels.
 * @param count photos to take, spread over the run; all when undefined
 * @throws CommandError when the run cannot be read
 */
export async function verifyRun(
  run: string,
  count: number | undefined,
  onPhoto: (photo: VerifiedPhoto, done: number, total: number) => void,
): Promise<RunEnd> {
  const out = resolve(run);
  const { folder, given } = commandOf(out);
  if (!existsSync(folder)) throw new CommandError(`${join(out, "run.json")}: its folder ${folder} is not there.`);
  process.chdir(folder); // paths in the command are relative to it
  const request = await readRequest(given);
  const inputs = await expandInputs(given.positionals, photoInputs);
  const scratch = mkdtempSync(join(tmpdir(), "srmap-verify-"));
  const planned = planRun(inputs, request, scratch);
  const all = planned.items.flatMap((item) => ("task" in item ? [item.task] : []));
  if (all.length === 0) throw new CommandError(`${join(out, "run.json")}: none of its photos is there.`);
  const tasks = sampleOf(all, count);
  const weights = await weightsOf(request);
  const start = { argv: given.argv, folder, weights, zarr: undefined, threads: 1 };
  const store = request.parts.has("zarr") ? storeOf(join(out, "run.zarr")) : undefined;
  const pool = startWorkers(Math.min(availableParallelism(), tasks.length), start);
  try {
    await pool.load();
    return await runPhotos(
      tasks.map((task) => ({ task })),
      pool,
      (index, { result, error }) => {
        const task = tasks[index];
        if (task === undefined) return;
        const folders = targetFolders(request, join(out, relative(scratch, task.folder)));
        const differs =
          result === undefined
            ? [`it cannot be computed: ${error}`]
            : folders.flatMap((stored, i) => {
                const called = folders.length === 1 ? "" : `${basename(stored)}/`;
                const rows = store === undefined ? [] : store(task.relative, i, folders.length, result.reports[i]);
                return [...compareTarget(result.reports[i], stored, called), ...rows.map((row) => `${called}${row}`)];
              });
        rmSync(task.folder, { recursive: true, force: true });
        onPhoto({ photo: task.relative, differs }, index + 1, tasks.length);
      },
    );
  } finally {
    await pool.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}
