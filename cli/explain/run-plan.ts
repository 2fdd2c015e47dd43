import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { version } from "../../host/version.ts";
import type { Inputs } from "../inputs/expand.ts";
import { inputNames } from "../inputs/names.ts";
import { cleanOnce, writeWhole } from "../outputs/atomic-write.ts";
import { openZarr, type ZarrPlace } from "../outputs/zarr.ts";
import { CommandError } from "../terminal/errors.ts";
import { readReport } from "./existing.ts";
import { targetFolders } from "./photo.ts";
import type { ExplainRequest } from "./request.ts";
import type { RunItem } from "./run.ts";

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
