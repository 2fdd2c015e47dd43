import { join } from "node:path";
import { mustHave } from "../../engine/basics/must-have.ts";
import { sha256File, sha256FileAside } from "../../host/files/sha256.ts";
import { version } from "../../host/version.ts";
import { explainBatch } from "../explain/batch.ts";
import { photoExplainer } from "../explain/explainer.ts";
import { explainOptions } from "../explain/options.ts";
import { type ExplainRequest, readRequest } from "../explain/request.ts";
import { describePhoto, photoAsJson } from "../explain/text.ts";
import { expandInputs, photoInputs } from "../inputs/expand.ts";
import { tellLeftOut } from "../inputs/left-out.ts";
import { inputNames } from "../inputs/names.ts";
import { defaultFolder, requireWritable } from "../outputs/outputs.ts";
import { CommandError, describeError, UsageError } from "../terminal/errors.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import { tellNotes } from "../terminal/tell-notes.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Command } from "./command.ts";

/** One photo, in this process. @returns the exit code */
async function explainOne(
  path: string,
  name: string,
  folder: string,
  request: ExplainRequest,
  terminal: Terminal,
): Promise<number> {
  requireWritable(folder);
  const sha256 = request.load.lowMemory ? sha256File(request.weights) : sha256FileAside(request.weights);
  sha256.catch(() => {}); // loading says it better
  const explainer = photoExplainer(request, sha256);
  try {
    tellNotes(await explainer.load(), terminal);
    const photo = await explainer.explain({ path, relative: name, folder, row: 0 });
    if (request.isJson) {
      const [report] = photo.reports;
      const { model, weights } = report ?? {};
      const photos = [photoAsJson(path, photo, request.hasLedger)];
      const composite = request.choice.label;
      terminal.out(`${JSON.stringify({ srmap: version, model, weights, composite, photos }, null, 2)}\n`);
    } else terminal.out(describePhoto(path, photo, request.hasLedger));
    return 0;
  } catch (error) {
    if (error instanceof UsageError || error instanceof CommandError) throw error;
    failed(path, describeError(error), request, terminal);
    return 1;
  } finally {
    await explainer.close();
  }
}

function failed(path: string, error: string, { isJson, model, choice }: ExplainRequest, terminal: Terminal): void {
  terminal.err(`${shown(path, mostOfPath)}: ${error}\n`);
  if (!isJson) return;
  const document = { srmap: version, model, composite: choice.label, photos: [{ photo: path, error }] };
  terminal.out(`${JSON.stringify(document, null, 2)}\n`);
}

/** `srmap explain`: photos in, explanations out. */
export const explain: Command = {
  summary: "Shows what a network looked at when it classified a photo",
  usage: "PHOTO... [--model NAME] [--weights FILE] [options]",
  options: explainOptions,
  notes: `PHOTO is a PNG or JPEG file, a URL of one, - (standard input), a folder of them, a
folder with a folder per class, or a pattern in quotes such as "photos/**/*.jpg".
Folders of results are never taken for photos. A .npy file (float32, [3,H,W]) is
taken as an input that is preprocessed already.

Prints the five likeliest classes of a photo and writes a folder: DIR/PHOTO, with
the photo's path below the folder that all photos have in common; DIR itself for
one photo with --out.
  panel.png               everything at a glance
  overlay.png             the Salient Relevance map over the photo (photo-overlay.png:
                          in the photo's own size, with --write photo)
  salient-relevance.png   the Salient Relevance map: which areas mattered
  relevance.png           the relevance of every pixel: red for, blue against
  *.npy                   the numbers behind them, and the logits
  explanation.json        classes, settings, conservation ledger, checksums

Several targets of a photo share one forward pass and get a folder each. Targets:
  top1, 217, "golf ball"    a class: the likeliest, by index, by name
  probability:CLASS         its softmax probability instead of its score
  difference:CLASS,CLASS    why the first rather than the second
  contrastive:CLASS         the class against all others
  channel:LAYER:NUMBER      what a channel inside the network saw

Several photos are explained side by side. DIR then has index.csv and index.jsonl,
with a line for each photo as it is done, and index.html to look at them all. The
same command goes on where a run was stopped or killed, and what comes out has the
same bytes; "srmap verify DIR" computes it again and compares.

A photo that fails is reported and the others are still done; the exit code is
then 1. Ctrl-C, and a full disk, end the run after what is being written.

Examples:
  srmap explain photo.jpg
  srmap explain cat.jpg -m squeezenet1_0 -w squeezenet1_0.safetensors
  srmap explain photos --model vgg16 --weights vgg16.pth --target tabby
  srmap explain photo.jpg --composite epsilonPlus --ledger
  srmap explain photo.jpg --target difference:top1,church --at pool5`,

  async run(given, terminal) {
    if (given.positionals.length === 0) {
      throw new UsageError('explain needs a photo: srmap explain PHOTO. See "srmap help explain".');
    }
    const request = await readRequest(given);
    const inputs = await expandInputs(given.positionals, photoInputs);
    tellLeftOut(inputs, photoInputs, terminal);
    if (inputs.areSeveral) return explainBatch(given, inputs, request, request.out ?? defaultFolder, terminal);
    const several =
      ["shard", "labels", "jobs"].find((name) => given.has(name)) ??
      (request.parts.has("zarr") ? "write zarr" : undefined);
    if (several !== undefined)
      throw new UsageError(`--${several} is for several photos: a folder, a pattern or more names.`);
    const input = mustHave(inputs.inputs[0], "photo");
    if (input.error !== undefined) {
      failed(input.path, input.error, request, terminal);
      return 1;
    }
    const [name = "photo"] = inputNames([input]);
    return explainOne(input.path, name, request.out ?? join(defaultFolder, name), request, terminal);
  },
};
