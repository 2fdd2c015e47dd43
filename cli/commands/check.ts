import { basename } from "node:path";
import type { Network } from "../../engine/network/network.ts";
import { annotatedPhoto } from "../../evaluation/index.ts";
import { sha256File } from "../../host/files/sha256.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { loadKernels } from "../../host/threads/load-kernels.ts";
import { version } from "../../host/version.ts";
import type { AttendSettings } from "../check/attend.ts";
import { type AttentionFile, attentionVersion } from "../check/attention-file.ts";
import { junitReport } from "../check/junit.ts";
import { checkPage } from "../check/page.ts";
import { attendAll, type Checked, compareAll, type Found, sentencesOf } from "../check/photos.ts";
import { type CheckRequest, checkOptions, readCheck } from "../check/request.ts";
import { requireSameClasses } from "../check/same-classes.ts";
import { shownChanges } from "../check/shown-changes.ts";
import { expandInputs, photoInputs } from "../inputs/expand.ts";
import type { Input } from "../inputs/found-input.ts";
import { tellLeftOut } from "../inputs/left-out.ts";
import { writeWhole } from "../outputs/atomic-write.ts";
import { jsonText } from "../outputs/json-text.ts";
import type { Arguments } from "../terminal/arguments.ts";
import { counted } from "../terminal/counted.ts";
import { CommandError } from "../terminal/errors.ts";
import { shown } from "../terminal/shown.ts";
import { tellNotes } from "../terminal/tell-notes.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Command } from "./command.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A network that was used, and its weights. */
interface Used {
  readonly network: Network;
  readonly weights: AttentionFile["weights"];
}

/** Writes where the network looks. @returns the exit code */
function record(
  write: string,
  { composite, settings, choice, preprocess }: CheckRequest,
  found: readonly Found[],
  { network, weights }: Used,
  terminal: Terminal,
): number {
  for (const { path, error } of found) if (error !== undefined) terminal.err(`${shown(path)}: ${error}\n`);
  const photos = found.flatMap(({ attention }) => (attention === undefined ? [] : [attention]));
  const names = new Set(photos.map(({ photo }) => photo));
  if (photos.length === 0) throw new CommandError("no photo could be explained: nothing is recorded.");
  if (names.size < photos.length) throw new CommandError("two photos have one file name; check finds photos by it.");
  const file: AttentionFile = {
    attention: attentionVersion,
    srmap: version,
    model: choice.model ?? null,
    classes: network.classCount,
    weights,
    composite,
    ...(preprocess === undefined ? {} : { preprocess }),
    settings,
    photos,
  };
  writeWhole(write, bytesOf(`${jsonText(file)}\n`));
  terminal.out(`${write}: recorded where ${network.definition.name} looks on ${counted(photos.length, "photo")}.\n`);
  return photos.length < found.length ? 1 : 0;
}

/** What was compared, as the page says it. */
function factsOf(
  { composite, thresholds, annotations, forbidden }: CheckRequest,
  recorded: AttentionFile,
  { network, weights }: Used,
): (readonly [string, string])[] {
  const named = ({ file, sha256 }: AttentionFile["weights"]): string => `${file} (SHA-256 ${sha256.slice(0, 16)}...)`;
  const isSame = weights.sha256 === recorded.weights.sha256;
  const asked = [
    thresholds.mayPredictionChange ? "the prediction may change" : "the same prediction",
    `rank correlation at least ${thresholds.minCorrelation}`,
    ...(annotations === undefined ? [] : [`share on the object down by at most ${thresholds.maxInsideLoss}`]),
    ...(forbidden === undefined ? [] : [`at most ${thresholds.maxForbidden} of the relevance on the forbidden region`]),
  ];
  return [
    ["Network", network.definition.name],
    [
      "Weights",
      isSame ? `the recorded ones, ${named(weights)}` : `${named(weights)}, recorded ${named(recorded.weights)}`,
    ],
    ["Composite", composite],
    ["Asked for", asked.join("; ")],
    ...(recorded.srmap === version ? [] : [["Recorded by", `srmap ${recorded.srmap}`] as const]),
  ];
}

/** The comparison as one JSON document. */
function documentOf(checked: readonly Checked[], { thresholds }: CheckRequest, { network, weights }: Used): string {
  const photos = checked.map((each) =>
    each.error === undefined
      ? { ...each.outcome, before: each.before, after: each.after }
      : { photo: each.photo, failures: [each.error] },
  );
  return JSON.stringify({ srmap: version, model: network.definition.name, weights, thresholds, photos }, null, 2);
}

/** Compares, and tells what fails. @returns the exit code */
async function compare(
  recorded: AttentionFile,
  request: CheckRequest,
  found: readonly Found[],
  used: Used & { readonly attendSettings: AttendSettings },
  given: Arguments,
  terminal: Terminal,
): Promise<number> {
  const { name: model } = used.network.definition;
  const checked = compareAll(recorded, found, request.thresholds, request.annotations !== undefined);
  const failed = checked.filter((each) => sentencesOf(each).length > 0);
  const junit = given.value("junit");
  if (junit !== undefined) writeWhole(junit, bytesOf(junitReport(checked, model)));
  const html = given.value("html");
  if (html !== undefined) {
    const shown = await shownChanges(checked, request.pictures, request.annotations, used.attendSettings);
    const facts = factsOf(request, recorded, used);
    writeWhole(html, bytesOf(checkPage({ model, facts, checked, shown, srmap: version })));
  }
  if (given.has("json")) {
    terminal.out(`${documentOf(checked, request, used)}\n`);
  } else {
    for (const each of failed) {
      for (const sentence of sentencesOf(each)) terminal.out(`FAIL ${shown(each.photo)}: ${sentence}\n`);
    }
    const same = checked.filter((each) => each.error === undefined && each.outcome.isIdentical).length;
    terminal.out(
      `${checked.length - failed.length} of ${checked.length} photos pass, ${same} with the same map byte for byte.\n`,
    );
  }
  return failed.length > 0 ? 1 : 0;
}

/** A note for all that the shares on objects do not say. */
function notesOf({ task, annotations }: CheckRequest, inputs: readonly Input[]): string[] {
  if (annotations === undefined) {
    const hasShares = task.recorded?.photos.some(({ inside }) => inside !== undefined) === true;
    return hasShares
      ? ["the attention file has shares on annotated objects; without --annotations they are not compared."]
      : [];
  }
  const others = inputs.filter(({ path }) => annotatedPhoto(annotations, basename(path)) === undefined);
  return [...annotations.notes, ...others.map(({ path }) => `${basename(path)}: the annotations do not have it.`)];
}

/** `srmap check`: attention as a regression test. */
export const check: Command = {
  summary: "Fails when a network no longer looks where it looked: attention as a test",
  usage: "--write attention.json PHOTO... | attention.json PHOTO... [--weights NEW]",
  options: checkOptions,
  notes: `Records, for each photo, the prediction and a summary of its Salient Relevance map.
--preprocess is recorded with them. Later, with changed weights or preprocessing, compares and ends with
exit code 1 when a photo crosses a threshold, is missing or was not recorded.

Examples:
  srmap check --write attention.json photos --annotations instances.json
  srmap check attention.json photos --weights new.onnx --junit report.xml --html report.html`,

  async run(given, terminal) {
    const request = await readCheck(given);
    const { task, choice, composite, settings, forbidden, threads } = request;
    const inputs = await expandInputs(request.typed, photoInputs);
    tellLeftOut(inputs, photoInputs, terminal);
    const kernels = await loadKernels({ threads });
    try {
      const network = await loadNetwork(choice.model, choice.weights, { ...request.load, kernels });
      if (task.recorded !== undefined) requireSameClasses(task.recorded, task.recordedPath, network);
      tellNotes(notesOf(request, inputs.inputs), terminal);
      const region = forbidden === undefined ? {} : { forbidden };
      const attendSettings = { network, composite, settings, ...region };
      const found = await attendAll(inputs.inputs, request.annotations, attendSettings, terminal);
      const weights = { file: basename(choice.weights), sha256: await sha256File(choice.weights) };
      const used = { network, weights, attendSettings };
      if (task.write !== undefined) return record(task.write, request, found, used, terminal);
      return await compare(task.recorded, request, found, used, given, terminal);
    } finally {
      await kernels.close();
    }
  },
};
