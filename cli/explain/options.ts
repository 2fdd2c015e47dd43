import { availableParallelism } from "node:os";
import { modelNames } from "../../engine/models/index.ts";
import { defaultModel } from "../../host/models/bundled.ts";
import { defaultImageLimits } from "../../photos/size-limit.ts";
import { relevanceColorOptions } from "../choices/colors.ts";
import { compositeOptions } from "../choices/composite.ts";
import { networkOptions } from "../choices/network.ts";
import { partOptions } from "../choices/parts.ts";
import { salientSettingOptions } from "../choices/salient.ts";
import { themeOption } from "../choices/theme.ts";
import { outputOption } from "../outputs/outputs.ts";
import { inGroup, type OptionTable } from "../terminal/arguments.ts";

/** The options of `srmap explain`, which `srmap enqueue` takes too. */
export const explainOptions: OptionTable = {
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
    ...networkOptions,
    "max-megapixels": {
      value: "N",
      help: `Refuse larger photos. Default ${defaultImageLimits.maxPixels / 1e6}.`,
    },
  }),
  ...inGroup("How", {
    ...compositeOptions,
    ...salientSettingOptions,
    "salient-sign": {
      value: "SIGN",
      help: "Which relevance the Salient Relevance map is of: both (all of it by its size, as published; default), for or against the target.",
    },
    "heat-jpeg": {
      value: "QUALITY",
      help: "Store the heat image as JPEG (1 to 100) before the Salient Relevance step, somewhat as the authors' code does (its colours keep full resolution); writes heat.jpg. Default: not at all.",
    },
    threads: {
      value: "N",
      help: "Threads that share the work on a photo. The results do not depend on it. Default for one photo: as many as there are cores, at most 4; for several, or with --low-memory, 1.",
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
    ...partOptions,
    existing: {
      value: "RULE",
      help: "Results that are there already: skip keeps those of the same photo, weights and settings and refuses to touch others (default); replace makes all anew; error refuses all.",
    },
    at: {
      value: "LAYER",
      help: "Also write the relevance at this layer's output (relevance-at-LAYER.npy and .png) and rank its channels.",
    },
    "at-sum": { help: "Write it summed over the channels." },
    ledger: { help: "Print what became of the relevance in every layer: passed on, absorbed, dropped." },
    json: { help: "Print one JSON document instead of text." },
    ...relevanceColorOptions,
    ...themeOption,
  }),
  ...inGroup("Many photos", {
    labels: {
      value: "FILE",
      help: 'True classes, JSON: {"a.jpg": "tench"}, or {"a.jpg": {"index": 0}} with ImageNet indices: counts what is right.',
    },
    jobs: {
      value: "N",
      help: `Processes that work side by side. The results do not depend on it. Default: as many as there are cores (${availableParallelism()}) and half of the memory has room for.`,
    },
    shard: {
      value: "I/N",
      help: "Only every Nth photo, from the Ith (1 to N): N machines with the same command share a run. See docs/many-machines.md.",
    },
  }),
};
