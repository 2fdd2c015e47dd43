import { stat } from "node:fs/promises";
import { mustHave } from "../../engine/basics/must-have.ts";
import { elementCount } from "../../engine/basics/tensor.ts";
import { modelByName, modelNames } from "../../engine/models/index.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { type BundledModel, bundledModel, defaultModel } from "../../host/models/bundled.ts";
import { cachedWeights } from "../../host/models/cache.ts";
import { version } from "../../host/version.ts";
import { registeredModels, registeredWeights } from "../../weights-loader/index.ts";
import { UsageError } from "../terminal/errors.ts";
import { tableLines } from "../terminal/table.ts";
import type { Command } from "./command.ts";

/** A network and where its weights are. */
interface ModelRow {
  readonly name: string;
  readonly classes: number;
  readonly labels: readonly string[] | undefined;
  readonly inputShape: readonly number[];
  readonly parameters: number;
  /** package: they come with srmap. fetched: they are in the cache. fetchable: `srmap fetch` gets them. file: give a file. */
  readonly weights: "package" | "fetched" | "fetchable" | "file";
  readonly path: string | undefined;
  /** Size of the weight file, where there is one or its size is published. */
  readonly sizeBytes: number | undefined;
  readonly accuracy: BundledModel["accuracy"] | undefined;
  readonly isDefault: boolean;
}

async function rowOf(name: string): Promise<ModelRow> {
  const definition = modelByName(name);
  const parameters = networkParameters(definition);
  const bundled = bundledModel(name);
  const isRegistered = registeredModels().includes(name);
  const path = bundled?.weights ?? (isRegistered ? await cachedWeights(name) : undefined);
  const weights =
    bundled !== undefined ? "package" : path !== undefined ? "fetched" : isRegistered ? "fetchable" : "file";
  const published = isRegistered ? registeredWeights(name).byteLength : undefined;
  return {
    name,
    // The last layer's bias, or its weights' first axis, has one row per class.
    classes: definition.labels?.length ?? mustHave(parameters.at(-1)?.shape[0], "number of classes"),
    labels: definition.labels,
    inputShape: definition.inputShape,
    parameters: parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    weights,
    path,
    sizeBytes: path === undefined ? published : (await stat(path)).size,
    accuracy: bundled?.accuracy,
    isDefault: name === defaultModel,
  };
}

const where: Readonly<Record<ModelRow["weights"], (name: string) => string>> = {
  package: () => "in the package",
  fetched: () => "fetched",
  fetchable: (name) => `srmap fetch ${name}`,
  file: () => "--weights FILE",
};

const table = (rows: readonly (readonly string[])[]): string => tableLines(rows, (i) => i > 0 && i < 4).join("\n");

// As many class names as fit into a line or two.
const listedClasses = 20;

function describe(models: readonly ModelRow[]): string {
  const rows = models.map(({ name, classes, parameters, sizeBytes, weights, isDefault }) => [
    name,
    String(classes),
    `${(parameters / 1e6).toFixed(1)} M`,
    sizeBytes === undefined ? "" : `${(sizeBytes / 1e6).toFixed(1)} MB`,
    `${where[weights](name)}${isDefault ? " (default)" : ""}`,
  ]);
  const notes = models.flatMap(({ name, labels = [], accuracy }) =>
    accuracy === undefined
      ? []
      : [
          `${name} names ${accuracy.right} of ${accuracy.photos} ${accuracy.of} right (${((100 * accuracy.right) / accuracy.photos).toFixed(1)} %).`,
          `  It knows ${labels.length > listedClasses ? `${labels.length} classes, from ${labels[0]} to ${labels.at(-1)} (--json lists them)` : labels.join(", ")}.`,
        ],
  );
  return `${table([["NAME", "CLASSES", "WEIGHTS", "FILE", "WHERE"], ...rows])}\n\n${notes.join("\n")}\n`;
}

/** `srmap models`: what can be used. */
export const models: Command = {
  summary: "Lists the networks: what is there, what can be fetched or given",
  usage: "[options]",
  options: { json: { help: "Print one JSON document instead of text." } },
  notes: `Networks in the package need nothing else. Of the others srmap knows the
architecture; their trained weights are fetched once or given as a file. Networks
that describe themselves (ONNX, Caffe, converted files) need no name at all.

Examples:
  srmap explain photo.jpg --model vgg-mini
  srmap fetch squeezenet1_1
  srmap explain photo.jpg --weights network.onnx --preprocess torchvision`,

  async run(given, terminal) {
    if (given.positionals.length > 0) {
      throw new UsageError(`models takes no argument, got "${given.positionals[0]}". See "srmap help models".`);
    }
    const rows = await Promise.all(modelNames().map(rowOf));
    terminal.out(given.has("json") ? `${JSON.stringify({ srmap: version, models: rows }, null, 2)}\n` : describe(rows));
    return 0;
  },
};
