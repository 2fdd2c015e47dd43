import { basename, join } from "node:path";
import { mustHave } from "../../engine/basics/must-have.ts";
import { parseTarget, resolveTarget } from "../../engine/request/target.ts";
import type { Composite } from "../../engine/rules/composite.ts";
import { compositeNames, defaultComposite } from "../../engine/rules/composites.ts";
import type { ResolvedSalientRelevanceOptions } from "../../engine/salient/options.ts";
import { defaultModel } from "../../host/models/bundled.ts";
import type { LoadOptions } from "../../host/network/load.ts";
import { version } from "../../host/version.ts";
import { defaultImageLimits } from "../../photos/size-limit.ts";
import { readComposite } from "../choices/composite.ts";
import { chooseModel } from "../choices/model.ts";
import { networkOptions, readNetworkOptions } from "../choices/network.ts";
import { salientSettingOptions, salientSettings } from "../choices/salient.ts";
import { readTheme, themeOption } from "../choices/theme.ts";
import { chooseNetworks, comparesNetworks, listOf, loadAll, loadCompared } from "../compare/choose.ts";
import { type ComparedComposites, compareComposites } from "../compare/composites.ts";
import {
  type ComparedModel,
  type ComparedPhoto,
  comparePhoto,
  describeVerdict,
  modelSheet,
  reasonToLeaveOut,
} from "../compare/models.ts";
import { comparisonPage } from "../compare/page.ts";
import { type Summary, summarize } from "../compare/summary.ts";
import { formatConfidence, formatShare } from "../drawing/format.ts";
import { type Theme, themes } from "../drawing/theme.ts";
import { type Outcome, runBatch } from "../inputs/batch.ts";
import { expandInputs, folderNames, photoInputs } from "../inputs/expand.ts";
import { tellLeftOut } from "../inputs/left-out.ts";
import { shapeOfFirstNpy } from "../inputs/npy-shape.ts";
import { type PhotoLabels, readLabels } from "../inputs/photo-labels.ts";
import { requirePreprocessing } from "../inputs/preprocessing.ts";
import { writeFolder } from "../outputs/atomic-write.ts";
import { defaultFolder, outputOption, requireWritable } from "../outputs/outputs.ts";
import type { Arguments } from "../terminal/arguments.ts";
import { asUsage, CommandError, describeError, UsageError } from "../terminal/errors.ts";
import { wholeOption } from "../terminal/number-options.ts";
import { createProgress } from "../terminal/progress.ts";
import { mostOfPath, shown as shownText } from "../terminal/shown.ts";
import { tellNotes } from "../terminal/tell-notes.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Command } from "./command.ts";

const defaultComposites = "epsilonPlus,li2019,epsilonGammaBox";
const defaultSheets = 100;

const limits = defaultImageLimits;

/** What both kinds of comparison need. */
interface Common {
  readonly photos: readonly string[];
  readonly settings: ResolvedSalientRelevanceOptions;
  readonly out: string;
  readonly isJson: boolean;
  readonly theme: Theme;
}

/** Options that only the other kind of comparison understands. */
function refuse(given: Arguments, names: readonly string[], mode: string): void {
  const wrong = names.find((name) => given.has(name));
  if (wrong !== undefined) throw new UsageError(`--${wrong} cannot be used ${mode}. See "srmap help compare".`);
}

/** What the weights do not say; what was decided without being asked is told. */
async function readLoading(given: Arguments, terminal: Terminal): Promise<LoadOptions> {
  const onNote = (note: string): void => tellNotes([note], terminal);
  const ifOpen = await shapeOfFirstNpy(given.positionals);
  return {
    ...(await readNetworkOptions(given)),
    ...(ifOpen === undefined ? {} : { inputShapeIfOpen: ifOpen }),
    onNote,
  };
}

type ComparedInFolder = ComparedComposites & { folder: string };

/** A photo's row for programs. */
function outcomeAsJson({ path, result, error }: Outcome<ComparedInFolder>): object {
  if (result === undefined) return { photo: path, error };
  const [first] = result.explanations;
  return { photo: path, folder: result.folder, files: [...result.files.keys()], target: first?.target };
}

async function runComposites(given: Arguments, common: Common, terminal: Terminal): Promise<number> {
  refuse(given, ["labels", "limit", "composite"], "where composites are compared");
  const { photos, settings, out, isJson, theme } = common;
  const names = given.value("composites") ?? defaultComposites;
  const composites: Composite[] = [];
  for (const name of names === "all" ? compositeNames() : listOf("composites", names)) {
    composites.push(await readComposite(name));
  }
  const choice = await chooseModel(given.value("model"), given.value("weights"));
  const target = given.value("target") ?? "top1";
  const inputs = await expandInputs(photos, photoInputs);
  tellLeftOut(inputs, photoInputs, terminal);
  requireWritable(out);
  const model = await loadCompared(choice, await readLoading(given, terminal));
  requirePreprocessing(model.network.definition, choice.weights, inputs.inputs);
  const { labels } = model.network.definition;
  const zeros = new Float32Array(model.network.classCount);
  asUsage(() => resolveTarget(parseTarget(target), { logits: zeros, probabilities: zeros, labels }, "score"));
  const outcomes = await runBatch<ComparedInFolder>(
    inputs,
    {
      noun: "photo",
      isQuiet: isJson,
      describe: (path, { folder, explanations }) => {
        const [first] = explanations;
        const said = first === undefined ? "" : `${first.targetDescription} ${formatConfidence(first.target)}`;
        return `${shownText(path, mostOfPath)}\n  explained: ${shownText(said, 200)}, by ${composites.length} composites; wrote ${shownText(join(folder, "compare.png"), mostOfPath)}\n`;
      },
      async work(path, own) {
        const folder = own === undefined ? out : join(out, own);
        const result = await compareComposites(path, {
          network: model.network,
          weights: model.weights,
          composites,
          theme,
          target,
          settings,
          limits,
        });
        await writeFolder(folder, result.files);
        return { ...result, folder };
      },
    },
    terminal,
  );
  if (isJson) {
    const head = { srmap: version, model: model.name, composites: composites.map(({ name }) => name) };
    terminal.out(`${JSON.stringify({ ...head, photos: outcomes.map(outcomeAsJson) }, null, 2)}\n`);
  }
  return outcomes.some(({ error }) => error !== undefined) ? 1 : 0;
}

/** Asks all networks about all photos. A photo that cannot be read is told and counts as left out. */
async function askAll(
  paths: readonly string[],
  models: readonly ComparedModel[],
  labels: PhotoLabels | undefined,
  terminal: Terminal,
): Promise<{ compared: ComparedPhoto[]; leftOut: Summary["leftOut"][number][]; failed: number }> {
  const compared: ComparedPhoto[] = [];
  const leftOut: Summary["leftOut"][number][] = [];
  let failed = 0;
  const progress = createProgress(terminal, paths.length);
  for (const [i, path] of paths.entries()) {
    progress.update(i, path);
    const reason = reasonToLeaveOut(path, models, labels);
    if (reason !== undefined) {
      leftOut.push({ file: basename(path), reason });
      continue;
    }
    try {
      compared.push(await comparePhoto(path, models, labels, limits));
    } catch (error) {
      progress.clear();
      terminal.err(`${shownText(path, mostOfPath)}: ${describeError(error)}\n`);
      leftOut.push({ file: basename(path), reason: describeError(error) });
      failed++;
    }
  }
  progress.clear();
  return { compared, leftOut, failed };
}

function describeSummary(summary: Summary, labels: string | undefined, out: string): string {
  const { models, photos, agreed, agreement, found, leftOut } = summary;
  const width = Math.max(...models.map(({ model }) => model.length));
  const scores = models.flatMap(({ model, right, accuracy }) =>
    right === undefined || accuracy === undefined
      ? []
      : [`${model.padEnd(width)}  right ${right} of ${photos}  ${formatShare(accuracy)}`],
  );
  const lines = [
    ...scores,
    `the networks agree on ${agreed} of ${photos} (${formatShare(agreement)})`,
    labels === undefined
      ? `${found.length} photos on which they disagree:`
      : `${found.length} photos that ${models.length === 2 ? "one has right and the other wrong" : "some have right and others wrong"}:`,
    ...found.map(({ file, label, verdicts }) => {
      const said = verdicts.map((verdict, i) => `${models[i]?.model}: ${describeVerdict(verdict)}`).join("; ");
      return `  ${shownText(file)}${label === undefined ? "" : ` (${shownText(label)})`}: ${shownText(said, 300)}`;
    }),
  ];
  if (leftOut.length > 0) lines.push(`left out: ${leftOut.length} photos, see summary.json`);
  return `${lines.join("\n")}\nwrote ${shownText(join(out, "/"), mostOfPath)}: index.html, summary.json and the sheets\n`;
}

async function runModels(given: Arguments, common: Common, terminal: Terminal): Promise<number> {
  refuse(given, ["composites", "target"], "where networks are compared");
  const { photos, settings, out, isJson, theme } = common;
  const choices = await chooseNetworks(given);
  const composite = await readComposite(given.value("composite") ?? defaultComposite);
  const limit = wholeOption(given, "limit", { low: 0, high: Number.MAX_SAFE_INTEGER }, defaultSheets);
  const labelsPath = given.value("labels");
  const labels = labelsPath === undefined ? undefined : await readLabels(labelsPath);
  const expanded = await expandInputs(photos, photoInputs);
  tellLeftOut(expanded, photoInputs, terminal);
  const { inputs } = expanded;
  for (const { path, error } of inputs) if (error !== undefined) throw new CommandError(`${path}: ${error}`);
  requireWritable(out);
  const models = await loadAll(choices, await readLoading(given, terminal));
  for (const [i, { network }] of models.entries()) {
    requirePreprocessing(network.definition, mustHave(choices[i], "network").weights, inputs);
  }

  const paths = inputs.map(({ path }) => path);
  const { compared, leftOut, failed } = await askAll(paths, models, labels, terminal);
  const shown = compared.filter(({ isOfInterest }) => isOfInterest).slice(0, limit);
  const sheets = new Map<string, string>();
  const files = new Map<string, Uint8Array>();
  const sheetNames = folderNames(shown.map(({ path }) => path));
  const progress = createProgress(terminal, shown.length);
  for (const [i, photo] of shown.entries()) {
    progress.update(i, photo.file);
    const name = `${sheetNames[i]}.png`;
    files.set(name, await modelSheet(photo, models, composite, settings, limits, theme));
    sheets.set(photo.path, name);
  }
  progress.clear();
  const summary = summarize(composite.name, models, compared, sheets, leftOut);
  const json = `${JSON.stringify(summary, null, 2)}\n`;
  files.set("index.html", new TextEncoder().encode(comparisonPage(summary)));
  files.set("summary.json", new TextEncoder().encode(json));
  await writeFolder(out, files);
  terminal.out(isJson ? json : describeSummary(summary, labelsPath, out));
  return failed > 0 ? 1 : 0;
}

/** `srmap compare`: composites, or networks, side by side. */
export const compare: Command = {
  summary: "Puts composites, or networks, side by side",
  usage: "PHOTO... [--composites A,B,...] | PHOTO... --models A,B,... | PHOTO... --weights A --weights B",
  options: {
    composites: {
      value: "LIST",
      help: `Composites to compare, by name or as FILE.json, or all: ${compositeNames().join(", ")}. Default ${defaultComposites}.`,
    },
    model: { value: "NAME", short: "m", help: `The network whose maps are compared. Default ${defaultModel}.` },
    target: { value: "CLASS", short: "t", help: "The class to explain. Default top1, the likeliest." },
    ...networkOptions,
    models: { value: "A,B,...", help: 'Networks to compare instead; "srmap models" lists them.' },
    weights: {
      value: "FILE",
      short: "w",
      isRepeatable: true,
      help: "Weights of --model; several times, FILE or LABEL=FILE: these networks are compared, the options above count for each; with --models NAME=FILE, for each network that needs them.",
    },
    labels: {
      value: "FILE",
      help: 'True classes, JSON: {"a.jpg": "tench"}, or {"a.jpg": {"index": 0}} with ImageNet indices.',
    },
    composite: {
      value: "NAME",
      short: "c",
      help: `Composite of the networks' sheets, by name or as FILE.json. Default ${defaultComposite}.`,
    },
    limit: { value: "N", help: `Sheets of networks at most. Default ${defaultSheets}.` },
    ...salientSettingOptions,
    ...outputOption,
    ...themeOption,
    json: { help: "Print one JSON document instead of text." },
  },
  notes: `With --composites: one sheet per photo, compare.png: the photo, and for each
composite its relevance map above its Salient Relevance map.

With --models, or --weights more than once: asks all networks about all photos and
finds those that one has right and another wrong or, without --labels, those on
which they disagree.
Writes a sheet for each, index.html to look at them all, and summary.json.

Examples:
  srmap compare photo.jpg --composites li2019,epsilonPlus,guidedBackprop
  srmap compare photos --models alexnet-mini,vgg-mini --labels labels.json
  srmap compare photos --weights before.onnx --weights after.onnx --preprocess torchvision`,

  async run(given, terminal) {
    if (given.positionals.length === 0) {
      throw new UsageError('compare needs a photo: srmap compare PHOTO. See "srmap help compare".');
    }
    const common: Common = {
      photos: given.positionals,
      settings: salientSettings(given),
      out: given.value("out") ?? defaultFolder,
      isJson: given.has("json"),
      theme: themes[readTheme(given)],
    };
    return comparesNetworks(given) ? runModels(given, common, terminal) : runComposites(given, common, terminal);
  },
};
