import { existsSync } from "node:fs";
import { basename } from "node:path";
import { mustHave } from "../../engine/basics/must-have.ts";
import { sha256File } from "../../host/files/sha256.ts";
import { type LoadOptions, loadNetwork } from "../../host/network/load.ts";
import { chooseModel, type ModelChoice } from "../choices/model.ts";
import type { Arguments } from "../terminal/arguments.ts";
import { UsageError, weightsError } from "../terminal/errors.ts";
import type { ComparedModel } from "./models.ts";

/** A network that takes part in a comparison, before it is loaded. */
export interface ComparedChoice extends ModelChoice {
  /** What it was called on the command line. */
  readonly label?: string;
}

/** The entries of a list such as `a,b,c`. @throws UsageError */
export function listOf(name: string, text: string): string[] {
  const entries = text.split(",").map((entry) => entry.trim());
  if (entries.some((entry) => entry === "")) throw new UsageError(`--${name} has an empty entry: "${text}".`);
  const twice = entries.find((entry, i) => entries.indexOf(entry) !== i);
  if (twice !== undefined) throw new UsageError(`--${name} has "${twice}" twice.`);
  return entries;
}

/** True where networks are compared, not composites: they are named, or there are several weight files. */
export function comparesNetworks(given: Arguments): boolean {
  return given.has("models") || given.values("weights").length > 1;
}

/**
 * The networks that the command line names: `--models A,B,...` with `--weights A=FILE` where they need it, or `--weights` several times,
 * each FILE or LABEL=FILE, for one `--model` or for the networks that the files describe.
 * @throws UsageError
 */
export async function chooseNetworks(given: Arguments): Promise<ComparedChoice[]> {
  const list = given.value("models");
  if (list === undefined) return ofFiles(given.values("weights"), given.value("model"));
  if (given.has("model")) throw new UsageError('--model cannot be used with --models. See "srmap help compare".');
  const names = listOf("models", list);
  if (names.length < 2) throw new UsageError(`--models needs two names or more: --models a,b, got ${names.length}.`);
  const files = new Map<string, string>();
  for (const text of given.values("weights")) {
    const { label = "", file } = labelled(text);
    if (!names.includes(label)) {
      throw new UsageError(
        `--weights must name its network, one of --models: --weights ${names[0]}=FILE, got "${text}".`,
      );
    }
    if (files.has(label)) throw new UsageError(`--weights ${label}=... was given twice.`);
    files.set(label, file);
  }
  const choices: ComparedChoice[] = [];
  for (const name of names) choices.push(await chooseModel(name, files.get(name)));
  return choices;
}

async function ofFiles(texts: readonly string[], model: string | undefined): Promise<ComparedChoice[]> {
  const choices: ComparedChoice[] = [];
  for (const text of texts) {
    const { label, file } = labelled(text);
    if (choices.some(({ weights }) => weights === file)) throw new UsageError(`--weights ${file} was given twice.`);
    choices.push({ ...(await chooseModel(model, file)), ...(label === undefined ? {} : { label }) });
  }
  return choices;
}

/** `LABEL=FILE`, unless there is a file of that name. */
function labelled(text: string): { label?: string; file: string } {
  const [, label, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  return label === undefined || file === undefined || existsSync(text) ? { file: text } : { label, file };
}

/** @throws CommandError that names the file */
export async function loadCompared(
  { model, weights, label }: ComparedChoice,
  options: LoadOptions,
): Promise<ComparedModel> {
  try {
    const network = await loadNetwork(model, weights, options);
    const file = { file: basename(weights), sha256: await sha256File(weights) };
    return { name: label ?? network.definition.name, network, weights: file };
  } catch (error) {
    throw weightsError(weights, error);
  }
}

/** All networks, each under a name of its own: where several have one name, that of the file, else the whole path. */
export async function loadAll(choices: readonly ComparedChoice[], options: LoadOptions): Promise<ComparedModel[]> {
  const models: ComparedModel[] = [];
  for (const choice of choices) models.push(await loadCompared(choice, options));
  const isTaken = (name: string, nameOf: (i: number) => string): boolean =>
    models.filter((_, i) => nameOf(i) === name).length > 1;
  const ofModel = (i: number): string => mustHave(models[i], "network").name;
  const ofFile = (i: number): string => mustHave(models[i], "network").weights.file;
  return models.map((model, i) => {
    if (choices[i]?.label !== undefined || !isTaken(model.name, ofModel)) return model;
    return { ...model, name: isTaken(ofFile(i), ofFile) ? (choices[i]?.weights ?? model.name) : ofFile(i) };
  });
}
