import { basename, join } from "node:path";
import type { Network } from "../../engine/network/network.ts";
import type { Annotations } from "../../evaluation/index.ts";
import { loadKernels } from "../../host/threads/load-kernels.ts";
import { evaluationFacts } from "../evaluate/facts.ts";
import { type Journal, openJournal } from "../evaluate/journal.ts";
import { loadForEvaluation } from "../evaluate/load.ts";
import { randomisedNetworks } from "../evaluate/randomised.ts";
import { readAnnotations } from "../evaluate/read-annotations.ts";
import { type Results, writeReport } from "../evaluate/report.ts";
import { type EvaluationRequest, evaluationOptions, readEvaluation } from "../evaluate/request.ts";
import { type EvaluationSettings, evaluateUnit } from "../evaluate/run.ts";
import { type Unit, unitsOf } from "../evaluate/units.ts";
import { type Evaluator, jobsFor, startEvaluator } from "../evaluate/workers.ts";
import { expandInputs, photoInputs } from "../inputs/expand.ts";
import type { Input } from "../inputs/found-input.ts";
import { tellLeftOut } from "../inputs/left-out.ts";
import { requireWritable } from "../outputs/outputs.ts";
import type { Arguments } from "../terminal/arguments.ts";
import { counted } from "../terminal/counted.ts";
import { CommandError, describeError } from "../terminal/errors.ts";
import { createProgress } from "../terminal/progress.ts";
import { shown } from "../terminal/shown.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Command } from "./command.ts";

/** Evaluates what the journal does not have yet, a photo in each evaluator. @returns a sentence for each photo that failed, in their order */
async function measureAll(
  units: readonly Unit[],
  evaluators: readonly Evaluator[],
  journal: Journal,
  terminal: Terminal,
): Promise<string[]> {
  const failed = new Map<Unit, string>();
  const todo = units.filter((unit) => journal.rowOf(unit) === undefined);
  const known = units.length - todo.length;
  const progress = createProgress(terminal, units.length);
  const started = performance.now();
  let [next, done] = [0, 0];
  const work = async (evaluator: Evaluator): Promise<void> => {
    for (let unit = todo[next++]; unit !== undefined; unit = todo[next++]) {
      const perPhoto = (performance.now() - started) / Math.max(1, done);
      const rest = done === 0 ? "" : `${Math.ceil(((todo.length - done) * perPhoto) / 1000)} s left, `;
      progress.update(known + done, rest + unit.file);
      try {
        journal.add(unit, await evaluator.evaluate(unit));
      } catch (error) {
        progress.clear();
        terminal.err(`${shown(unit.file)}: ${describeError(error)}\n`);
        failed.set(unit, `${unit.file}: ${describeError(error)}`);
      }
      done++;
    }
  };
  try {
    await Promise.all(evaluators.map(work));
  } finally {
    for (const evaluator of evaluators) evaluator.close();
  }
  progress.clear();
  return todo.map((unit) => failed.get(unit)).filter((sentence) => sentence !== undefined);
}

/** Where photos are evaluated: here, or side by side in processes. */
function evaluatorsOf(shared: EvaluationSettings, jobs: number, argv: readonly string[]): Evaluator[] {
  if (jobs > 1) return Array.from({ length: jobs }, () => startEvaluator(argv));
  return [{ evaluate: async (unit) => (await evaluateUnit(unit, shared)) ?? null, close: () => undefined }];
}

/** The rows in the order of the units, and what is left out of them. @throws CommandError when nothing is left */
function resultsOf(units: readonly Unit[], journal: Journal, maxArea: number, leftOut: readonly string[]): Results {
  const found = units.map((unit) => journal.rowOf(unit));
  const rows = found.filter((row) => row !== null && row !== undefined);
  if (rows.length === 0)
    throw new CommandError("no photo is left to evaluate: see the sentences above and --max-area.");
  const tooLarge = found.filter((row) => row === null).length;
  const cropped = rows.reduce((sum, row) => sum + row.croppedAway, 0);
  return {
    units,
    rows,
    leftOut: [
      ...leftOut,
      ...(tooLarge > 0
        ? [`${counted(tooLarge, "photo")}: their objects cover more than ${maxArea} of the input.`]
        : []),
      ...(cropped > 0 ? [`${counted(cropped, "object")} ${cropped === 1 ? "was" : "were"} cropped away.`] : []),
      ...rows.flatMap(({ notes = [] }) => notes),
    ],
  };
}

/** Measures all photos and writes the report. @returns the exit code */
async function evaluateAll(
  request: EvaluationRequest,
  inputs: readonly Input[],
  annotations: Annotations,
  network: Network,
  given: Arguments,
  terminal: Terminal,
): Promise<number> {
  const { choice, metrics, out, seed, maxArea, annotationsPath } = request;
  const chosen = inputs.slice(0, request.limit);
  const unreadable = chosen.flatMap(({ path, error }) => (error === undefined ? [] : [`${basename(path)}: ${error}`]));
  const paths = chosen.filter(({ error }) => error === undefined).map(({ path }) => path);
  const { units, leftOut } = unitsOf(paths, annotations, network.definition);
  if (paths.length === 0) throw new CommandError(unreadable[0] ?? "there is no photo to evaluate.");
  if (units.length === 0) {
    throw new CommandError(`none of the ${paths.length} photos is in the annotations ${annotationsPath}.`);
  }
  const shared = { ...request, metrics, network, randomised: randomisedNetworks(network, choice, seed, request.load) };
  const facts = await evaluationFacts(request, network, annotations);
  const journal = openJournal(out, facts);
  const open = units.filter((unit) => journal.rowOf(unit) === undefined);
  const evaluators = evaluatorsOf(shared, jobsFor(request, open.length), given.argv);
  const failed = [...unreadable, ...(await measureAll(units, evaluators, journal, terminal))];
  const results = resultsOf(units, journal, maxArea, leftOut);
  const all = [...results.leftOut, ...failed];
  const table = await writeReport(request, shared, facts, { ...results, leftOut: all });
  const wrote = `wrote ${join(out, "report.html")}, evaluation.csv, evaluation.json`;
  terminal.out(`${table}${counted(results.rows.length, "photo")}; ${wrote}\n`);
  if (all.length > 0) terminal.out(`left out: ${counted(all.length, "note")}, see evaluation.json\n`);
  return failed.length > 0 ? 1 : 0;
}

/** `srmap evaluate`: are the maps any good. */
export const evaluate: Command = {
  summary: "Measures maps against annotated photos: which of them to believe",
  usage: "PHOTO... --annotations FILE [--maps LIST] [--metrics LIST]",
  options: evaluationOptions,
  notes: `The class of the annotated object is explained, whatever the network says. A photo
with objects of several classes counts once for each. Boxes follow the photo
through resize and crop; an object that is cropped away is left out and counted.

Writes evaluation.json, evaluation.csv and report.html, one file that opens
without a server. A run that was stopped goes on where it was when it is started
again with the same settings and --out.

Example:
  srmap evaluate photos --annotations instances.json --maps epsilonPlus,epsilonPlus:sr,gradcam`,

  async run(given, terminal) {
    const request = await readEvaluation(given);
    const annotations = await readAnnotations(request.annotationsPath);
    const inputs = await expandInputs(given.positionals, photoInputs);
    tellLeftOut(inputs, photoInputs, terminal);
    requireWritable(request.out);
    const { threads } = request;
    const kernels = await loadKernels(threads > 1 ? { threads } : {});
    try {
      const network = await loadForEvaluation(request, kernels);
      return await evaluateAll(request, inputs.inputs, annotations, network, given, terminal);
    } finally {
      await kernels.close();
    }
  },
};
