import { modelByName, modelNames } from "../../engine/models/index.ts";
import { type ConvertedFile, type ConvertFileOptions, convertFile } from "../../host/network/convert.ts";
import { type Precision, precisionBits } from "../../weights-loader/index.ts";
import { networkOptions, readNetworkOptions } from "../choices/network.ts";
import type { Arguments } from "../terminal/arguments.ts";
import { asUsage, CommandError, describeError, UsageError, weightsError } from "../terminal/errors.ts";
import { shown } from "../terminal/shown.ts";
import type { Command } from "./command.ts";

function isPrecision(name: string): name is Precision {
  return Object.hasOwn(precisionBits, name);
}

async function readOptions(given: Arguments): Promise<ConvertFileOptions> {
  const precision = given.value("precision") ?? "f32";
  if (!isPrecision(precision)) {
    const names = Object.keys(precisionBits).join(", ");
    throw new UsageError(`--precision must be one of ${names}, got "${precision}".`);
  }
  const model = given.value("model");
  if (model !== undefined) asUsage(() => modelByName(model));
  return {
    precision,
    layers: given.has("all-layers") ? "all" : "dense",
    ...(model === undefined ? {} : { model }),
    ...(await readNetworkOptions(given)),
  };
}

function describe(input: string, output: string, precision: string, file: ConvertedFile): string {
  const { inputBytes, outputBytes, network, fits = [], tensors } = file;
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const hint = fits.length === 0 ? "" : ` (--model ${fits[0]} would include the one that it fits)`;
  const included = network === undefined ? `without a network${hint}` : `network "${shown(network)}" included`;
  const changed = tensors.filter(({ to }) => to !== "f32");
  const lines = [
    `${input} (${megabytes(inputBytes)}) -> ${output} (${megabytes(outputBytes)}), ${tensors.length} tensors, ${included}`,
  ];
  for (const { name, to, largestError, relativeError } of changed) {
    lines.push(
      `  ${shown(name)}: ${to}, largest error ${largestError.toExponential(1)}, root mean square ${(100 * relativeError).toFixed(3)} %`,
    );
  }
  if (precision !== "f32" && changed.length === 0) lines.push("  no tensor is a matrix: all stay f32");
  return `${lines.join("\n")}\n`;
}

/** A message that names the file which is at fault: system errors say which. */
function conversionError(input: string, output: string, error: unknown): CommandError {
  const path: unknown = error instanceof Error && "path" in error ? error.path : undefined;
  // Written under another name first: OUTPUT.part.
  if (typeof path !== "string" || !path.startsWith(output)) return weightsError(input, error);
  return new CommandError(`output ${output} cannot be written: ${describeError(error)}`);
}

/** `srmap convert`: any weight file as one safetensors file. */
export const convert: Command = {
  summary: "Writes weights of any format as one safetensors file",
  usage: "FILE --out OUT.safetensors [options]",
  options: {
    out: { value: "FILE", short: "o", help: "The file to write." },
    precision: {
      value: "NAME",
      help: "f32 (default), f16, bf16, or int8 with a scale per row; for dense layers, the bulk of old networks.",
    },
    "all-layers": { help: "Convert convolutions to that precision, too." },
    model: { value: "NAME", short: "m", help: `The network to put into the file: ${modelNames().join(", ")}.` },
    ...networkOptions,
    json: { help: "Print one JSON document instead of text." },
  },
  notes: `The network goes along in the file where it is known: the one of --model, or the one
that an ONNX, Caffe, TensorFlow.js or Keras file describes, with its preprocessing and class names. Such a
file needs no --model when it is used.

Example:
  srmap convert vgg16.pth -o vgg16-int8.safetensors --model vgg16 --precision int8
  srmap explain cat.jpg --weights vgg16-int8.safetensors`,

  async run(given, terminal) {
    const [input, ...more] = given.positionals;
    const output = given.value("out");
    if (input === undefined || output === undefined || more.length > 0) {
      throw new UsageError(
        'convert needs one file and --out: srmap convert FILE --out OUT.safetensors. See "srmap help convert".',
      );
    }
    const options = await readOptions(given);
    let file: ConvertedFile;
    try {
      file = await convertFile(input, output, options);
    } catch (error) {
      throw conversionError(input, output, error);
    }
    terminal.out(
      given.has("json")
        ? `${JSON.stringify({ input, output, precision: options.precision, ...file }, null, 2)}\n`
        : describe(input, output, options.precision ?? "f32", file),
    );
    return 0;
  },
};
