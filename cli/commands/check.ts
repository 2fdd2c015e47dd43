import { basename } from "node:path";
import { preprocessingByName, preprocessingNames } from "../../engine/models/preprocessing.ts";
import type { Image } from "../../engine/picture/image.ts";
import { compositeByName, defaultComposite } from "../../engine/rules/composites.ts";
import { resolveSalientRelevanceOptions } from "../../engine/salient/options.ts";
import {
  type Annotations,
  type AttentionThresholds,
  annotatedPhoto,
  compareAttention,
} from "../../evaluation/index.ts";
import { sha256File } from "../../host/files/sha256.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { decodeAnyImage } from "../../host/photos/decode.ts";
import { readPhotoBytes } from "../../host/photos/read.ts";
import { loadKernels } from "../../host/threads/load-kernels.ts";
import { version } from "../../host/version.ts";
import { defaultImageLimits } from "../../photos/size-limit.ts";
import { type Attended, type AttendSettings, attend } from "../check/attend.ts";
import { type AttentionFile, attentionVersion, readAttentionFile } from "../check/attention-file.ts";
import { type Checked, checkPage, junitReport, sentencesOf } from "../check/reports.ts";
import { chooseModel } from "../choices/model.ts";
import { salientSettingOptions, salientSettings } from "../choices/salient.ts";
import { readAnnotations } from "../evaluate/read-annotations.ts";
import { expandInputs, photoInputs } from "../inputs/expand.ts";
import { readPhotoInput } from "../inputs/photo.ts";
import { writeWhole } from "../outputs/atomic-write.ts";
import { jsonText } from "../outputs/json-text.ts";
import type { Arguments } from "../terminal/arguments.ts";
import { asUsage, CommandError, describeError, UsageError } from "../terminal/errors.ts";
import { createProgress } from "../terminal/progress.ts";
import { shown } from "../terminal/shown.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Command } from "./command.ts";

const defaults = { correlation: 0.9, inside: 0.1, forbidden: 0.05 };

function shareOption(given: Arguments, name: string, fallback: number): number {
  const text = given.value(name);
  const value = text === undefined ? fallback : Number(text);
  if (value >= -1 && value <= 1) return value;
  throw new UsageError(`--${name} must be a number from -1 to 1, got "${text}".`);
}

async function readRegion(path: string | undefined): Promise<Image | undefined> {
  if (path === undefined) return undefined;
  try {
    return await decodeAnyImage(await readPhotoBytes(path));
  } catch (error) {
    throw new CommandError(`forbidden region ${path}: ${describeError(error)}`);
  }
}

interface Found {
  readonly path: string;
  readonly attended?: Attended;
  readonly error?: string;
}

/** Explains all photos; one that cannot be is told and does not stop the others. */
async function attendAll(
  paths: readonly { readonly path: string; readonly error?: string | undefined }[],
  annotations: Annotations | undefined,
  settings: AttendSettings,
  terminal: Terminal,
): Promise<Found[]> {
  const found: Found[] = [];
  const progress = createProgress(terminal, paths.length);
  for (const [i, { path, error }] of paths.entries()) {
    progress.update(i, path);
    const file = basename(path);
    try {
      if (error !== undefined) throw new CommandError(error);
      const { input, source } = await readPhotoInput(path, defaultImageLimits);
      found.push({
        path,
        attended: attend(
          file,
          source.sha256,
          input,
          annotations === undefined ? undefined : annotatedPhoto(annotations, file),
          settings,
        ),
      });
    } catch (caught) {
      found.push({ path, error: describeError(caught) });
    }
  }
  progress.clear();
  return found;
}

/** Finds each recorded photo again, by name or, where it was renamed, by its bytes. */
function compareAll({ photos }: AttentionFile, found: readonly Found[], thresholds: AttentionThresholds): Checked[] {
  const taken = new Set<Found>();
  const checked = photos.map((before): Checked => {
    const own =
      found.find(({ path }) => basename(path) === before.photo) ??
      found.find(({ attended }) => attended?.attention.sha256 === before.sha256);
    if (own === undefined) return { photo: before.photo, error: "was recorded and is not among the photos." };
    taken.add(own);
    if (own.attended === undefined) return { photo: before.photo, error: own.error ?? "cannot be read." };
    const { attention: after, picture } = own.attended;
    return { photo: before.photo, outcome: compareAttention(before, after, thresholds), before, after, picture };
  });
  const others = found.filter((each) => !taken.has(each));
  return [
    ...checked,
    ...others.map(
      ({ path, error }): Checked => ({
        photo: basename(path),
        error: error ?? "was not recorded. Write the attention file again with it.",
      }),
    ),
  ];
}

/** `srmap check`: attention as a regression test. */
export const check: Command = {
  summary: "Fails when a network no longer looks where it looked: attention as a test",
  usage: "--write attention.json PHOTO... | attention.json PHOTO... [--weights NEW]",
  options: {
    write: { value: "FILE", help: "Record where the network looks now, instead of comparing." },
    annotations: {
      value: "PATH",
      short: "a",
      help: "Objects, as for evaluate: the share of attention on them counts, too.",
    },
    forbidden: { value: "FILE", help: "A mask of the photos' size: not black where nothing may be relevant." },
    model: { value: "NAME", short: "m", help: "The network; when comparing, default the recorded one." },
    weights: { value: "FILE", short: "w", help: "Its weights." },
    preprocess: { value: "NAME", help: `How photos are prepared: ${preprocessingNames().join(", ")}.` },
    composite: { value: "NAME", short: "c", help: `Composite; only with --write. Default ${defaultComposite}.` },
    threads: { value: "N", help: "Threads of the kernels; the result does not depend on them. Default 1." },
    "min-correlation": {
      value: "R",
      help: `Rank correlation of the 16x16 grids, at least. Default ${defaults.correlation}.`,
    },
    "max-inside-loss": {
      value: "SHARE",
      help: `Share of attention on the object, down by at most. Default ${defaults.inside}.`,
    },
    "max-forbidden": {
      value: "SHARE",
      help: `Share of relevance on the forbidden region, at most. Default ${defaults.forbidden}.`,
    },
    "allow-prediction": { help: "Another prediction alone is no failure." },
    junit: { value: "FILE", help: "Write JUnit's XML." },
    html: { value: "FILE", help: "Write a page with before, now and difference of each photo that failed." },
    json: { help: "Print one JSON document instead of text." },
    ...salientSettingOptions,
  },
  notes: `Records, for each photo, the prediction and a summary of its Salient Relevance map.
Later, with changed weights or a changed preprocessing, compares and ends with
exit code 1 when a photo crosses a threshold, is missing or was not recorded.

Examples:
  srmap check --write attention.json photos --annotations instances.json
  srmap check attention.json photos --weights new.onnx --junit report.xml --html report.html`,

  async run(given, terminal) {
    const write = given.value("write");
    const [recordedPath, ...rest] = given.positionals;
    const typed = write === undefined ? rest : given.positionals;
    if (recordedPath === undefined || typed.length === 0) {
      throw new UsageError(
        'check needs photos: srmap check --write attention.json PHOTO..., later srmap check attention.json PHOTO... See "srmap help check".',
      );
    }
    const recorded = write === undefined ? await readAttentionFile(recordedPath) : undefined;
    const fixed = ["composite", "salient", "feature", "sr"].find((name) => given.has(name));
    if (recorded !== undefined && fixed !== undefined) {
      throw new UsageError(`--${fixed} was recorded with the attention file; it can only be given with --write.`);
    }
    const composite = recorded?.composite ?? given.value("composite") ?? defaultComposite;
    asUsage(() => compositeByName(composite));
    const settings =
      recorded === undefined ? salientSettings(given) : resolveSalientRelevanceOptions(recorded.settings);
    const thresholds: AttentionThresholds = {
      minCorrelation: shareOption(given, "min-correlation", defaults.correlation),
      maxInsideLoss: shareOption(given, "max-inside-loss", defaults.inside),
      maxForbidden: shareOption(given, "max-forbidden", defaults.forbidden),
      mayPredictionChange: given.has("allow-prediction"),
    };
    const threads = Number(given.value("threads") ?? 1);
    const preprocess = given.value("preprocess");
    if (preprocess !== undefined) asUsage(() => preprocessingByName(preprocess));
    const choice = await chooseModel(given.value("model") ?? recorded?.model ?? undefined, given.value("weights"));
    const annotationsPath = given.value("annotations");
    const annotations = annotationsPath === undefined ? undefined : await readAnnotations(annotationsPath);
    const forbidden = await readRegion(given.value("forbidden"));
    const inputs = await expandInputs(typed, photoInputs);
    const kernels = await loadKernels({ threads });
    try {
      const network = await loadNetwork(choice.model, choice.weights, {
        kernels,
        ...(preprocess === undefined ? {} : { preprocess }),
      });
      const { name } = network.definition;
      if (recorded !== undefined && recorded.classes !== network.classCount) {
        throw new CommandError(
          `attention file ${recordedPath}: is of a network with ${recorded.classes} classes, ${name} has ${network.classCount}. Write it again with srmap check --write.`,
        );
      }
      const region = forbidden === undefined ? {} : { forbidden };
      const found = await attendAll(inputs.inputs, annotations, { network, composite, settings, ...region }, terminal);
      const weights = { file: basename(choice.weights), sha256: await sha256File(choice.weights) };
      const text = (content: string): Uint8Array => new TextEncoder().encode(content);
      if (write !== undefined) {
        for (const { path, error } of found) if (error !== undefined) terminal.err(`${shown(path)}: ${error}\n`);
        const photos = found.flatMap(({ attended }) => attended?.attention ?? []);
        const names = new Set(photos.map(({ photo }) => photo));
        if (names.size < photos.length)
          throw new CommandError("two photos have one file name; check finds photos by it.");
        const file: AttentionFile = {
          attention: attentionVersion,
          srmap: version,
          model: choice.model ?? null,
          classes: network.classCount,
          weights,
          composite,
          settings,
          photos,
        };
        writeWhole(write, text(`${jsonText(file)}\n`));
        terminal.out(`${write}: recorded where ${name} looks on ${photos.length} photos.\n`);
        return photos.length < found.length ? 1 : 0;
      }
      if (recorded === undefined) throw new CommandError("there is nothing to compare with.");
      const checked = compareAll(recorded, found, thresholds);
      const failed = checked.filter((each) => sentencesOf(each).length > 0);
      const junit = given.value("junit");
      if (junit !== undefined) writeWhole(junit, text(junitReport(checked, name)));
      const html = given.value("html");
      const facts = [
        `${name}, weights ${weights.file} against ${recorded.weights.file}; composite ${composite}; srmap ${version} against ${recorded.srmap}.`,
        `Asked for: rank correlation at least ${thresholds.minCorrelation}; share on the object down by at most ${thresholds.maxInsideLoss}; forbidden region at most ${thresholds.maxForbidden}; prediction ${thresholds.mayPredictionChange ? "may change" : "unchanged"}.`,
      ];
      if (html !== undefined) writeWhole(html, text(checkPage(checked, name, facts)));
      if (given.has("json")) {
        const photos = checked.map((each) =>
          each.error === undefined
            ? { ...each.outcome, before: each.before, after: each.after }
            : { photo: each.photo, failures: [each.error] },
        );
        terminal.out(`${JSON.stringify({ srmap: version, model: name, weights, thresholds, photos }, null, 2)}\n`);
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
    } finally {
      await kernels.close();
    }
  },
};
