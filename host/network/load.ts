import { realpath } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { FormatError, refuseUnknownOptions } from "../../engine/basics/errors.ts";
import type { Shape } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition, Preprocessing } from "../../engine/graph/definition.ts";
import type { Algorithm } from "../../engine/layers/linear/winograd.ts";
import type { Kernels } from "../../engine/memory/kernels.ts";
import { modelByName, modelNames } from "../../engine/models/index.ts";
import { preprocessingByName } from "../../engine/models/preprocessing.ts";
import { compileGraph } from "../../engine/network/compile.ts";
import { Network } from "../../engine/network/network.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import {
  bindWeights,
  checkFit,
  type ExternalData,
  type FoundNetwork,
  importNetwork,
  type KnownNetwork,
  type OpenOptions,
  openWeights,
  type WeightFile,
} from "../../weights-loader/index.ts";
import { fileRows } from "../files/rows.ts";
import { type FileSource, fileSource } from "../files/source.ts";
import { hdf5Reader } from "../hdf5/reader.ts";
import { bundledWeights, defaultModel } from "../models/bundled.ts";
import { loadKernels } from "../threads/load-kernels.ts";

/** What a weight file does not say about its network. */
export interface LoadOptions {
  /** How photos are prepared, by name (`preprocessingNames()`) or in full, instead of what model or file say. */
  readonly preprocess?: string | Preprocessing;
  /** Class names by index, instead of what model or file say. */
  readonly labels?: readonly string[];
  /** Kernels to run it, for example with threads (`loadKernels`), which the caller closes; default kernels of one thread. */
  readonly kernels?: Kernels;
  /** How convolutions are computed: part of what decides the output's last bits. Default auto. */
  readonly algorithm?: Algorithm;
  /**
   * Leaves the weights in the file and reads them whenever they are needed: slower, in a fraction of the memory, with the bytes of
   * algorithm "direct". The file must stay where it is.
   */
  readonly lowMemory?: boolean;
  /** Text of the .prototxt of a .caffemodel; without it the .caffemodel's own description counts. */
  readonly prototxt?: string;
  /** [C,H,W], for networks whose files leave height and width open. */
  readonly inputShape?: Shape;
  /** Which output counts, where the network has several. */
  readonly output?: string;
  /** Which dict of tensors counts, where a PyTorch checkpoint has several: its key, or the prefix of its names. */
  readonly stateDict?: string;
  /** Hears, in sentences, what was decided without being asked: which known network weights fit, with how many classes. */
  readonly onNote?: (note: string) => void;
}

const loadOptionNames = Object.keys({
  preprocess: true,
  kernels: true,
  algorithm: true,
  lowMemory: true,
  prototxt: true,
  labels: true,
  inputShape: true,
  output: true,
  stateDict: true,
  onNote: true,
} satisfies Record<keyof LoadOptions, true>);

/** The networks of the package and what they need: for "these weights fit another network". */
export function knownNetworks(): KnownNetwork[] {
  return modelNames().map((name) => {
    const definition = modelByName(name);
    return { name, parameters: networkParameters(definition), definition };
  });
}

/** A weight file's bytes, with what they keep open. */
interface OpenedSource {
  /** The file itself. */
  readonly source: FileSource;
  /** The same, and those of its external data that were opened. */
  readonly sources: readonly FileSource[];
  /** How it is opened. */
  readonly options: OpenOptions;
  close(): Promise<void>;
}

async function openSource(path: string): Promise<OpenedSource> {
  const sources: FileSource[] = [];
  const reader = hdf5Reader();
  const close = async (): Promise<void> => {
    for (const source of sources) await source.close();
    await reader.close();
  };
  const name = basename(path);
  try {
    const source = await fileSource(path);
    sources.push(source);
    const options = { name, external: externalData(path, sources), hdf5: reader.fileOpener(path, name) };
    return { source, sources, options, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A weight file that was opened; close it when done. */
export interface OpenedWeights {
  readonly file: WeightFile;
  close(): Promise<void>;
}

/** Opens a weight file of any format that the loader reads, with the files beside it. @throws as `openWeights` */
export async function openWeightFile(path: string): Promise<OpenedWeights> {
  const { source, options, close } = await openSource(path);
  try {
    return { file: await openWeights(source, options), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens data beside a model (ONNX, TensorFlow.js), in its folder alone: a link that leads out of it is not followed. */
function externalData(path: string, opened: FileSource[]): ExternalData {
  return async (location) => {
    const folder = await realpath(dirname(path));
    const target = await realpath(join(folder, location)).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      throw new FormatError(
        `weights "${basename(path)}": part of its weights lies in "${location}", which is not there. Put that file, under that name, into the folder of "${basename(path)}".`,
      );
    });
    if (!target.startsWith(folder + sep)) {
      throw new FormatError(
        `weights "${basename(path)}": its external data "${location}" would lie outside the model's folder.`,
      );
    }
    const source = await fileSource(target);
    opened.push(source);
    return source;
  };
}

/** A network's definition and its opened weights; close it when the weights are bound. */
export interface OpenedNetwork extends FoundNetwork {
  /** The file itself, and those of its external data that were opened. */
  readonly sources: readonly FileSource[];
  close(): Promise<void>;
}

/**
 * Opens weights of any format that the loader reads, told from the file's bytes, with the network they belong to.
 * @param model one of `modelNames()`, or undefined for the network that the file itself describes (ONNX, Caffe,
 * TensorFlow.js, Keras, converted files)
 * @throws as `loadNetwork`
 */
export async function openNetwork(
  model: string | undefined,
  weights: string,
  options: LoadOptions = {},
): Promise<OpenedNetwork> {
  const definition = model === undefined ? undefined : modelByName(model);
  const { preprocess, labels } = options;
  const preprocessing = typeof preprocess === "string" ? preprocessingByName(preprocess) : preprocess;
  const opened = await openSource(weights);
  try {
    const network = await importNetwork(opened.source, {
      ...opened.options,
      known: knownNetworks(),
      ...(definition === undefined ? {} : { definition }),
      ...(preprocessing === undefined ? {} : { preprocessing }),
      ...(options.prototxt === undefined ? {} : { prototxt: options.prototxt }),
      ...(options.inputShape === undefined ? {} : { inputShape: options.inputShape }),
      ...(options.output === undefined ? {} : { output: options.output }),
      ...(options.stateDict === undefined ? {} : { stateDict: options.stateDict }),
    });
    for (const note of network.notes) options.onNote?.(`weights "${opened.options.name}": ${note}`);
    const named = labels === undefined ? network : { ...network, definition: { ...network.definition, labels } };
    if (labels !== undefined) checkLabels(named.definition, labels);
    return { ...named, sources: opened.sources, close: opened.close };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** @throws RangeError when there are more or fewer names than classes */
function checkLabels(definition: NetworkDefinition, labels: readonly string[]): void {
  const { values, logits } = compileGraph(definition);
  const count = values[logits]?.shape[0] ?? 0;
  if (labels.length === count) return;
  throw new RangeError(
    `labels: network "${definition.name}" has ${count} classes, but ${labels.length} names were given.`,
  );
}

/**
 * A network with its weights bound.
 * @param weights the file; without it the weights that come with the package, for the networks that have them
 * @param model one of `modelNames()`, or undefined for the network that the file itself describes (ONNX, Caffe,
 * TensorFlow.js, Keras, converted files)
 * @throws RangeError for an unknown model, FormatError for a damaged file, ShapeError that lists every tensor that does not fit,
 * UnsupportedError where file and network expect differently prepared photos, or the file describes no network
 */
export async function loadNetwork(
  model: string | undefined,
  weights?: string,
  options: LoadOptions = {},
): Promise<Network> {
  refuseUnknownOptions("loadNetwork", options, loadOptionNames);
  const name = model ?? (weights === undefined ? defaultModel : undefined);
  const path = weights ?? bundledWeights(name ?? defaultModel);
  const { definition, weights: file, sources, close } = await openNetwork(name, path, options);
  try {
    checkFit(networkParameters(definition), file, knownNetworks()); // before memory is reserved for what the file only claims
    const rows = options.lowMemory ? fileRows(file, sources) : undefined;
    const network = new Network(options.kernels ?? (await loadKernels()), definition, {
      ...(options.algorithm ? { algorithm: options.algorithm } : {}),
      ...(rows ? { rows } : {}),
    });
    rows?.check(network.parameters.filter(({ isStreamed }) => isStreamed).map(({ name }) => name));
    // Small blocks where memory is to stay small: what was read lives on until the next garbage collection.
    const blocks = options.lowMemory ? { blockBytes: 1 << 19 } : {};
    await bindWeights(network, file, { known: knownNetworks(), ...blocks });
    return network;
  } finally {
    await close();
  }
}
