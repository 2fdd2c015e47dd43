import { describeError } from "../terminal/errors.ts";
import { createProgress } from "../terminal/progress.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { folderNames, type Inputs } from "./expand.ts";

/** What became of one input. */
export type Outcome<Result> =
  | { readonly path: string; readonly result: Result; readonly error?: undefined }
  | { readonly path: string; readonly result?: undefined; readonly error: string };

/** What a batch needs to know of its work. */
export interface BatchWork<Result> {
  /** What the inputs are, for the summary: "photo", "map". */
  readonly noun: string;
  /** Explains one input; what it throws becomes the input's error. `folder` is the name of its folder, if it has its own. */
  work(path: string, folder: string | undefined): Promise<Result>;
  /** Lines about a result for people; not called with `isQuiet`. */
  describe(path: string, result: Result): string;
  /** Print nothing but errors. */
  readonly isQuiet: boolean;
}

/**
 * Works through inputs one after the other. An input that fails is told on `err` and does not stop the others; with several
 * inputs a summary names the failed ones again at the end.
 */
export async function runBatch<Result>(
  { inputs, areSeveral }: Inputs,
  { noun, work, describe, isQuiet }: BatchWork<Result>,
  terminal: Terminal,
): Promise<Outcome<Result>[]> {
  const folders = areSeveral
    ? folderNames(inputs.map((input) => (input.error === undefined ? input.relative : input.path)))
    : [];
  const progress = createProgress(terminal, inputs.length);
  const outcomes: Outcome<Result>[] = [];
  for (const [i, input] of inputs.entries()) {
    const { path } = input;
    progress.update(i, path);
    let outcome: Outcome<Result>;
    try {
      outcome =
        input.error === undefined ? { path, result: await work(path, folders[i]) } : { path, error: input.error };
    } catch (error) {
      outcome = { path, error: describeError(error) };
    }
    outcomes.push(outcome);
    progress.clear();
    if (outcome.error !== undefined) terminal.err(`${shown(path, mostOfPath)}: ${outcome.error}\n`);
    else if (!isQuiet) terminal.out(describe(path, outcome.result));
  }
  const failed = outcomes.filter(({ error }) => error !== undefined);
  if (outcomes.length > 1 && failed.length > 0) {
    const list = failed.map(({ path }) => `  ${shown(path, mostOfPath)}\n`).join("");
    terminal.err(`${failed.length} of ${outcomes.length} ${noun}s failed:\n${list}`);
  }
  return outcomes;
}
