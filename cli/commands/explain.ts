import { basename, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { modelNames } from "../../engine/models/index.ts";
import { preprocessingNames } from "../../engine/models/preprocessing.ts";
import type { Network } from "../../engine/network/network.ts";
import { sha256File, sha256FileAside } from "../../host/files/sha256.ts";
import { defaultModel } from "../../host/models/bundled.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { loadKernels, type ThreadedKernels } from "../../host/threads/load-kernels.ts";
import { defaultImageLimits } from "../../photos/size-limit.ts";
import { relevanceColorOptions } from "../choices/colors.ts";
import { compositeOptions } from "../choices/composite.ts";
import { salientSettingOptions } from "../choices/salient.ts";
import { type ExplainedPhoto, explainPhoto } from "../explain/photo.ts";
import { checkFits, type ExplainRequest, readRequest } from "../explain/request.ts";
import { describePhoto, photosAsJson } from "../explain/text.ts";
import { runBatch } from "../inputs/batch.ts";
import { expandInputs, photoInputs } from "../inputs/expand.ts";
import { tellLeftOut } from "../inputs/left-out.ts";
import type { SourceFile } from "../inputs/photo.ts";
import { outputOption, requireWritable } from "../outputs/outputs.ts";
import { inGroup } from "../terminal/arguments.ts";
import { asUsage, CommandError, describeError } from "../terminal/errors.ts";
import type { Command } from "./command.ts";

/** A network with its weights, and what is to be said of their file. */
interface Loaded {
  readonly network: Network;
  /** Its checksum may come later than the network. */
  file(): Promise<SourceFile>;
}

/** Loads the network; the weights' checksum is computed beside, where memory is not to stay small. */
async function load(request: ExplainRequest, kernels: ThreadedKernels): Promise<Loaded> {
  const { model, weights } = request;
  const aside = request.load.lowMemory ? undefined : sha256FileAside(weights);
  let network: Network;
  let sha256: string | Promise<string>;
  try {
    network = await loadNetwork(model, weights, { ...request.load, kernels });
    sha256 = aside ?? (await sha256File(weights));
  } catch (error) {
    const message = describeError(error);
    // The loader's own messages name the file already.
    throw new CommandError(message.startsWith('weights "') ? message : `weights ${weights}: ${message}`);
  }
  // A network that its file describes could not be checked before.
  if (model === undefined) checkFits(request, network.definition);
  asUsage(() => network.relevancePlan(request.choice.composite));
  return { network, file: async () => ({ file: basename(weights), sha256: await sha256 }) };
}

/** `srmap explain`: photos in, explanations out. */
export const explain: Command = {
  summary: "Shows what a network looked at when it classified a photo",
  usage: "PHOTO... [--model NAME] [--weights FILE] [options]",
  options: {
    ...inGroup("What to explain", {
      target: {
        value: "TARGET",
        short: "t",
        isRepeatable: true,
        help: 'The class: top1 (the likeliest; default), an index, or a name such as "golf ball"; or another target, see below. May be given several times.',
      },
      model: {
        value: "NAME",
        short: "m",
        help: `The network: ${modelNames().join(", ")}. Without it the one that the weight file describes (ONNX, Caffe, TensorFlow.js, Keras) or, without a file, ${defaultModel}.`,
      },
      weights: {
        value: "FILE",
        short: "w",
        help: "Its trained weights: safetensors, PyTorch's .pth, ONNX, .caffemodel, TensorFlow.js, Keras' .h5 and .keras, .npz. Default those in the package, or what \"srmap fetch\" fetched.",
      },
      preprocess: {
        value: "NAME",
        help: `How photos are prepared, where the weights do not say it or you know better: ${preprocessingNames().join(", ")}.`,
      },
      prototxt: { value: "FILE", help: "The .prototxt of a .caffemodel, where its own description does not serve." },
      "max-megapixels": {
        value: "N",
        help: `Refuse larger photos. Default ${defaultImageLimits.maxPixels / 1e6}.`,
      },
    }),
    ...inGroup("How", {
      ...compositeOptions,
      ...salientSettingOptions,
      "heat-jpeg": {
        value: "QUALITY",
        help: "Store the heat image as JPEG (1 to 100) before the Salient Relevance step, somewhat as the authors' code does (its colours keep full resolution); writes heat.jpg. Default: not at all.",
      },
      threads: {
        value: "N",
        help: "Threads that share the work. The results do not depend on it. Default: as many as there are cores, at most 4; 1 with --low-memory.",
      },
      algorithm: {
        value: "NAME",
        help: "How convolutions are computed: auto (fast; default) or direct (the reference). The last digits depend on it.",
      },
      "low-memory": {
        help: "Leave the weights in their file and read them when needed: slower, VGG-16 in under 256 MB. Results as by --algorithm direct.",
      },
    }),
    ...inGroup("Output", {
      ...outputOption,
      at: {
        value: "LAYER",
        help: "Also write the relevance at this layer's output (relevance-at-LAYER.npy and .png) and rank its channels.",
      },
      "at-sum": { help: "Write it summed over the channels." },
      ledger: { help: "Print what became of the relevance in every layer: passed on, absorbed, dropped." },
      json: { help: "Print one JSON document instead of text." },
      ...relevanceColorOptions,
    }),
  },
  notes: `PHOTO is a PNG or JPEG file, a URL of one, - (standard input), a folder of them, a
folder with a folder per class, or a pattern in quotes such as "photos/**/*.jpg".
Folders of results are never taken for photos. A .npy file (float32, [3,H,W]) is
taken as an input that is preprocessed already.

Prints the five likeliest classes of each photo and writes into DIR (several
photos: a folder each in DIR):
  panel.png               everything at a glance
  overlay.png             the Salient Relevance map over the photo
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

A photo that fails is reported and the others are still done; the exit code is
then 1.

Examples:
  srmap explain photo.jpg
  srmap explain cat.jpg -m squeezenet1_0 -w squeezenet1_0.safetensors
  srmap explain photos --model vgg16 --weights vgg16.pth --target tabby
  srmap explain photo.jpg --composite epsilonPlus --ledger
  srmap explain photo.jpg --target difference:top1,church --at pool5`,

  async run(given, terminal) {
    const request = await readRequest(given);
    const { weights, out, isJson } = request;
    // JavaScript's heap stays small too (measured on VGG-16: 255 to 236 MB at the peak, no slower).
    if (request.load.lowMemory) setFlagsFromString("--optimize-for-size");
    const inputs = await expandInputs(given.positionals, photoInputs);
    tellLeftOut(inputs, photoInputs, terminal);
    let loaded: Loaded | undefined;
    let kernels: ThreadedKernels | undefined;
    // Weights can be large: they are not read when no photo was found.
    if (inputs.inputs.some(({ error }) => error === undefined)) {
      requireWritable(out);
      kernels = await loadKernels({ threads: request.threads });
      try {
        loaded = await load(request, kernels);
      } catch (error) {
        await kernels.close();
        throw error;
      }
    }
    const outcomes = await runBatch<ExplainedPhoto>(
      inputs,
      {
        noun: "photo",
        isQuiet: isJson,
        describe: (path, photo) => describePhoto(path, photo, request.hasLedger),
        work(path, own) {
          if (loaded === undefined) throw new CommandError("no network was loaded.");
          const folder = own === undefined ? out : join(out, own);
          return explainPhoto(path, folder, loaded.network, loaded.file, request);
        },
      },
      terminal,
    );
    await kernels?.close();
    const file = (await loaded?.file()) ?? { file: basename(weights), sha256: "" };
    if (isJson) terminal.out(photosAsJson(request, file, outcomes));
    return outcomes.some(({ error }) => error !== undefined) ? 1 : 0;
  },
};
