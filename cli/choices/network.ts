import type { Shape } from "../../engine/basics/tensor.ts";
import type { Preprocessing } from "../../engine/graph/definition.ts";
import { preprocessingByName, preprocessingNames } from "../../engine/models/preprocessing.ts";
import {
  type OwnPreprocessing,
  parsePreprocessing,
  preprocessingOfJson,
} from "../../engine/models/preprocessing-spec.ts";
import { fileSource } from "../../host/files/source.ts";
import type { LoadOptions } from "../../host/network/load.ts";
import { readCaffeMean } from "../../weights-loader/index.ts";
import type { Arguments, OptionTable } from "../terminal/arguments.ts";
import { asUsage, CommandError, describeError, UsageError } from "../terminal/errors.ts";
import { readClasses } from "./classes.ts";
import { readJson, readText } from "./text.ts";

/** Options that say what a weight file does not: the same for every command that loads a network. */
export const networkOptions: OptionTable = {
  preprocess: {
    value: "HOW",
    help: `How photos are prepared, where the weights do not say it or you know better: ${preprocessingNames().join(", ")}; or KEY=VALUE,... of resize (a number, NxN, fit, none), crop, scale, mean=A/B/C, std=A/B/C and order (rgb, bgr, gray), where resize=fit, scale=1/255, mean=0 and std=1 go without saying, and mean may be a .binaryproto of Caffe's; or a .json file of that, or a preprocessor_config.json.`,
  },
  "input-size": {
    value: "HxW",
    help: "Height and width of the input, where the network leaves them open, or to run it at another size than its own.",
  },
  output: { value: "NAME", help: "Which output counts, where the network has several." },
  classes: {
    value: "FILE",
    help: "Names of the classes: a text file with one per line, a JSON list or object, or imagenet.",
  },
  "state-dict": {
    value: "NAME",
    help: "Which weights count, where a PyTorch checkpoint has several: the key of their dict, or what stands before their names.",
  },
  prototxt: { value: "FILE", help: "The .prototxt of a .caffemodel, where its own description does not serve." },
};

async function readPreprocessing(given: string): Promise<OwnPreprocessing> {
  if (/\.json$/i.test(given)) {
    const json = await readJson(given, "preprocessing");
    return asUsage(() => preprocessingOfJson(json));
  }
  const [part, meanFile] = /(?:^|,)\s*mean=([^,]*\.binaryproto)\s*/i.exec(given) ?? [];
  if (part !== undefined && meanFile !== undefined) return withMeanFile(given.replace(part, ""), meanFile);
  return asUsage(() =>
    given.includes("=") ? parsePreprocessing(given) : { preprocessing: preprocessingByName(given) },
  );
}

/** The mean colour of Caffe's mean image, of pixels in the order blue, green, red, in the scale and order that the rest says. */
async function withMeanFile(rest: string, path: string): Promise<OwnPreprocessing> {
  const means = await meanOf(path);
  const own = asUsage(() => parsePreprocessing(rest === "" ? "resize=fit" : rest.replace(/^,/, "")));
  const { channelOrder, scale } = own.preprocessing;
  const channels = channelOrder === "gray" ? 1 : 3;
  if (means.length !== channels)
    throw new UsageError(
      `--preprocess mean=${path}: it has ${means.length} channels, photos in order=${channelOrder} ${channels}.`,
    );
  const mean = (channelOrder === "rgb" ? means.toReversed() : means).map((value) => value * scale);
  return { ...own, preprocessing: { ...own.preprocessing, mean } };
}

async function meanOf(path: string): Promise<number[]> {
  const source = await fileSource(path).catch((error: unknown) => {
    throw new CommandError(`preprocessing ${path}: ${describeError(error)}`);
  });
  try {
    return await readCaffeMean(source, `mean "${path}"`);
  } finally {
    await source.close();
  }
}

function readInputSize(given: string, preprocessing: Preprocessing | undefined): Shape {
  const [, height, width] = /^([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?$/.exec(given) ?? [];
  if (height === undefined) throw new UsageError(`--input-size must be HxW, such as 224x224, got "${given}".`);
  return [preprocessing?.channelOrder === "gray" ? 1 : 3, Number(height), Number(width ?? height)];
}

/** What `networkOptions` say. @throws UsageError, CommandError */
export async function readNetworkOptions(given: Arguments): Promise<LoadOptions> {
  const how = given.value("preprocess");
  const own = how === undefined ? undefined : await readPreprocessing(how);
  const size = given.value("input-size") ?? (own?.crop === undefined ? undefined : String(own.crop));
  const classes = given.value("classes");
  const labels = classes === undefined ? undefined : await readClasses(classes);
  const [output, stateDict, prototxtPath] = [given.value("output"), given.value("state-dict"), given.value("prototxt")];
  const prototxt = prototxtPath === undefined ? undefined : await readText(prototxtPath, "network");
  return {
    ...(own === undefined ? {} : { preprocess: own.preprocessing }),
    ...(size === undefined ? {} : { inputShape: readInputSize(size, own?.preprocessing) }),
    ...(labels === undefined ? {} : { labels }),
    ...(output === undefined ? {} : { output }),
    ...(stateDict === undefined ? {} : { stateDict }),
    ...(prototxt === undefined ? {} : { prototxt }),
  };
}
