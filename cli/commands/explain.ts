import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Composite, compositeByName, compositeNames } from "../../engine/composites.ts";
import { type Explanation, explain as explainImage } from "../../engine/explain.ts";
import { modelByName, modelNames } from "../../engine/models/index.ts";
import { preprocessingByName, preprocessingNames } from "../../engine/models/preprocessing.ts";
import type { Network } from "../../engine/network.ts";
import { pictureOf } from "../../engine/preprocess.ts";
import type { ResolvedSalientRelevanceOptions } from "../../engine/salient-options.ts";
import { parseTarget, resolveTarget } from "../../engine/target.ts";
import { defaultModel } from "../../host/bundled-models.ts";
import { defaultImageLimits, type ImageLimits } from "../../host/image.ts";
import { type LoadOptions, loadNetwork } from "../../host/load-network.ts";
import { sha256File } from "../../host/sha256.ts";
import { version } from "../../host/version.ts";
import { writeFolder } from "../atomic-write.ts";
import { type Outcome, runBatch } from "../batch.ts";
import type { Command } from "../command.ts";
import { doubtNote } from "../doubt.ts";
import { asUsage, CommandError, describeError, UsageError } from "../errors.ts";
import { explanationFiles } from "../explanation-files.ts";
import { expandInputs, photoInputs } from "../inputs.ts";
import { chooseModel } from "../model-choice.ts";
import type { Arguments } from "../options.ts";
import { defaultFolder, outputOption, requireWritable } from "../outputs.ts";
import { formatShare } from "../panel.ts";
import { readPhotoInput, type SourceFile } from "../photo-input.ts";
import { salientSettingOptions, salientSettings } from "../salient-settings.ts";

/** All that was asked for, checked. */
interface Request {
  /** Undefined for the network that the weight file describes. */
  readonly model: string | undefined;
  readonly weights: string;
  readonly load: LoadOptions;
  readonly target: string;
  readonly composite: Composite;
  readonly settings: ResolvedSalientRelevanceOptions;
  readonly limits: ImageLimits;
  readonly out: string;
  readonly isJson: boolean;
}

/** What became of a photo. */
interface Explained {
  readonly folder: string;
  readonly files: readonly string[];
  readonly explanation: Explanation;
  /** Set when the network merely guesses. */
  readonly note: string | undefined;
}

async function readLoadOptions(given: Arguments): Promise<LoadOptions> {
  const preprocess = given.value("preprocess");
  if (preprocess !== undefined) asUsage(() => preprocessingByName(preprocess));
  const path = given.value("prototxt");
  const prototxt =
    path === undefined
      ? undefined
      : await readFile(path, "utf8").catch((error: unknown) => {
          throw new CommandError(`network ${path}: ${describeError(error)}`);
        });
  return { ...(preprocess === undefined ? {} : { preprocess }), ...(prototxt === undefined ? {} : { prototxt }) };
}

async function readRequest(given: Arguments): Promise<Request> {
  if (given.positionals.length === 0) {
    throw new UsageError('explain needs a photo: srmap explain PHOTO. See "srmap help explain".');
  }
  const { model, weights } = await chooseModel(given.value("model"), given.value("weights"));
  const labels = model === undefined ? undefined : modelByName(model).labels;
  const target = given.value("target") ?? "top1";
  if (labels !== undefined && target !== "top1") {
    const zeros = new Float32Array(labels.length);
    asUsage(() => resolveTarget(parseTarget(target), { logits: zeros, probabilities: zeros, labels }, "score"));
  }
  const megapixels = Number(given.value("max-megapixels") ?? defaultImageLimits.maxPixels / 1e6);
  if (!(megapixels > 0 && megapixels <= 1000)) {
    throw new UsageError(
      `--max-megapixels must be a number over 0 and at most 1000, got "${given.value("max-megapixels")}".`,
    );
  }
  return {
    model,
    weights,
    load: await readLoadOptions(given),
    target,
    composite: asUsage(() => compositeByName(given.value("composite") ?? "li2019")),
    settings: salientSettings(given),
    limits: { maxPixels: megapixels * 1e6 },
    out: given.value("out") ?? defaultFolder,
    isJson: given.has("json"),
  };
}

async function explainOne(
  path: string,
  folder: string,
  network: Network,
  weights: SourceFile,
  request: Request,
): Promise<Explained> {
  const started = performance.now();
  const { input, source } = await readPhotoInput(path, request.limits);
  const decodeMs = performance.now() - started;
  const explanation = explainImage(network, input, {
    target: parseTarget(request.target),
    composite: request.composite,
    salientRelevance: request.settings,
    clock: () => performance.now(),
  });
  const note = doubtNote(explanation.model, request.weights, explanation.top[0]);
  const files = explanationFiles(explanation, {
    weights,
    note,
    input: source,
    requestedTarget: request.target,
    picture: explanation.picture ?? pictureOf(explanation.input, network.definition.preprocessing),
    decodeMs,
  });
  await writeFolder(folder, files);
  return { folder, files: [...files.keys()], explanation, note };
}

function describe(path: string, { folder, files, explanation, note }: Explained): string {
  const { target, top } = explanation;
  const rows = top.map(({ label, probability }) => `  ${formatShare(probability).padStart(7)}  ${label}\n`);
  return `${path}\n${rows.join("")}${note === undefined ? "" : `  note: ${note}\n`}  explained: ${target.label} (class ${target.index})\n  wrote ${join(folder, "/")}: ${files.join(", ")}\n`;
}

function asJson(request: Request, weights: SourceFile, outcomes: readonly Outcome<Explained>[]): string {
  const photos = outcomes.map(({ path, result, error }) => {
    if (result === undefined) return { photo: path, error };
    const { folder, files, explanation, note } = result;
    return { photo: path, folder, files, target: explanation.target, top: explanation.top, note };
  });
  const { composite } = request;
  const model = request.model ?? outcomes.find(({ result }) => result !== undefined)?.result?.explanation.model;
  return `${JSON.stringify({ srmap: version, model, weights, composite: composite.name, photos }, null, 2)}\n`;
}

/** `srmap explain`: photos in, explanations out. */
export const explain: Command = {
  summary: "Shows what a network looked at when it classified a photo",
  usage: "PHOTO... [--model NAME] [--weights FILE] [options]",
  options: {
    model: {
      value: "NAME",
      short: "m",
      help: `The network: ${modelNames().join(", ")}. Without it the one that the weight file describes (ONNX, Caffe) or, without a file, ${defaultModel}.`,
    },
    weights: {
      value: "FILE",
      short: "w",
      help: 'Its trained weights: safetensors, PyTorch\'s .pth, ONNX, .caffemodel, .npz. Default those in the package, or what "srmap fetch" fetched.',
    },
    preprocess: {
      value: "NAME",
      help: `How photos are prepared, where the weights do not say it or you know better: ${preprocessingNames().join(", ")}.`,
    },
    prototxt: { value: "FILE", help: "The .prototxt of a .caffemodel, where its own description does not serve." },
    target: {
      value: "CLASS",
      short: "t",
      help: 'The class to explain: top1 (the likeliest; default), an index, or a name such as "golf ball".',
    },
    composite: {
      value: "NAME",
      short: "c",
      help: `The relevance rules: ${compositeNames().join(", ")}. Default li2019, the ones of the published method.`,
    },
    ...salientSettingOptions,
    ...outputOption,
    "max-megapixels": {
      value: "N",
      help: `Refuse larger photos. Default ${defaultImageLimits.maxPixels / 1e6}.`,
    },
    json: { help: "Print one JSON document instead of text." },
  },
  notes: `PHOTO is a PNG or JPEG file, a folder of them, or a pattern in quotes such as
"photos/**/*.jpg". A .npy file (float32, [3,H,W]) is taken as an input that is
preprocessed already.

Prints the five likeliest classes of each photo and writes into DIR (several
photos: a folder each in DIR):
  panel.png               everything at a glance
  overlay.png             the Salient Relevance map over the photo
  salient-relevance.png   the Salient Relevance map: which areas mattered
  relevance.png           the relevance of every pixel: red for, blue against
  *.npy                   the numbers behind them, and the logits
  explanation.json        classes, settings, conservation ledger, checksums

A photo that fails is reported and the others are still done; the exit code is
then 1.

Examples:
  srmap explain photo.jpg
  srmap explain cat.jpg --model squeezenet1_0 --weights squeezenet1_0.safetensors
  srmap explain photos --model vgg16 --weights vgg16.pth --target "tabby" --out maps`,

  async run(given, terminal) {
    const request = await readRequest(given);
    const { model, weights, load, out, isJson } = request;
    const inputs = await expandInputs(given.positionals, photoInputs);
    let network: Network | undefined;
    let weightsFile: SourceFile = { file: basename(weights), sha256: "" };
    // Weights can be large: they are not read when no photo was found.
    if (inputs.inputs.some(({ error }) => error === undefined)) {
      requireWritable(out);
      try {
        network = await loadNetwork(model, weights, load);
        weightsFile = { file: basename(weights), sha256: await sha256File(weights) };
      } catch (error) {
        const message = describeError(error);
        // The loader's own messages name the file already.
        throw new CommandError(message.startsWith('weights "') ? message : `weights ${weights}: ${message}`);
      }
    }
    const outcomes = await runBatch<Explained>(
      inputs,
      {
        noun: "photo",
        isQuiet: isJson,
        describe,
        work(path, own) {
          if (network === undefined) throw new CommandError("no network was loaded.");
          return explainOne(path, own === undefined ? out : join(out, own), network, weightsFile, request);
        },
      },
      terminal,
    );
    if (isJson) terminal.out(asJson(request, weightsFile, outcomes));
    return outcomes.some(({ error }) => error !== undefined) ? 1 : 0;
  },
};
