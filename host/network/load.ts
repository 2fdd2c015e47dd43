import { basename } from "node:path";
import { refuseUnknownOptions } from "../../engine/basics/errors.ts";
import { mustHave } from "../../engine/basics/must-have.ts";
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
  type FoundNetwork,
  importNetwork,
  type KnownNetwork,
  knownNetwork,
  type OpenOptions,
  openWeights,
  type WeightFile,
  weightRows,
} from "../../weights-loader/index.ts";
import { type FileSource, fileSource } from "../files/source.ts";
import { hdf5Reader } from "../hdf5/reader.ts";
import { bundledWeights, defaultModel } from "../models/bundled.ts";
import { loadKernels } from "../threads/load-kernels.ts";
import { externalData } from "./external-data.ts";

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
  /** Most bytes of Winograd's transformed weights that are kept for the third and later uses; default no limit. See NetworkOptions. */
  readonly keptWeightBytes?: number;
  /** Text of the .prototxt of a .caffemodel; without it the .caffemodel's own description counts. */
  readonly prototxt?: string;
  /** [C,H,W]: height and width to run the network at, instead of its own; channels where its file leaves them open. */
  readonly inputShape?: Shape;
  /** [C,H,W] that counts where neither the file nor `inputShape` says it: what the input at hand happens to have. */
  readonly inputShapeIfOpen?: Shape;
  /** Which output counts, where the network has several. */
  readonly output?: string;
  /** Which dict of tensors counts, where a PyTorch checkpoint has several: its key, or the prefix of its names. */
  readonly stateDict?: string;
  /** Hears, in sentences, what was decided without being asked: which known network weights fit, with how many classes. */
  readonly onNote?: (note: string) => void;
}

/** The names of these options. */
export const loadOptionNames: readonly string[] = Object.keys({
  preprocess: true,
  kernels: true,
  algorithm: true,
  lowMemory: true,
  keptWeightBytes: true,
  prototxt: true,
  labels: true,
  inputShape: true,
  inputShapeIfOpen: true,
  output: true,
  stateDict: true,
  onNote: true,
} satisfies Record<keyof LoadOptions, true>);

/** The networks of the package and what they need: for "these weights fit another network". */
export function knownNetworks(): KnownNetwork[] {
  return modelNames().map((name) => knownNetwork(name, () => modelByName(name), networkParameters));
}

/** A weight file's bytes, with what they keep open. */
interface OpenedSource {
  /** The file itself. */
  readonly source: FileSource;
  /** How it is opened. */
  readonly options: OpenOptions;
  /** What was decided without being asked. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

async function openSource(path: string): Promise<OpenedSource> {
  const sources: FileSource[] = [];
  const notes: string[] = [];
  const reader = hdf5Reader();
  const close = async (): Promise<void> => {
    for (const source of sources) await source.close();
    await reader.close();
  };
  const name = basename(path);
  try {
    const source = await fileSource(path);
    sources.push(source);
    const options = { name, external: externalData(path, sources, notes), hdf5: reader.fileOpener(path, name) };
    return { source, options, notes, close };
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

/** A network's definition and its opened weights; close it when the weights are bound. */
export interface OpenedNetwork extends FoundNetwork {
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
  refuseUnknownOptions("openNetwork", options, loadOptionNames);
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
      ...(options.inputShapeIfOpen === undefined ? {} : { inputShapeIfOpen: options.inputShapeIfOpen }),
      ...(options.output === undefined ? {} : { output: options.output }),
      ...(options.stateDict === undefined ? {} : { stateDict: options.stateDict }),
    });
    for (const note of [...opened.notes, ...network.notes])
      options.onNote?.(`weights "${opened.options.name}": ${note}`);
    const named = labels === undefined ? network : { ...network, definition: { ...network.definition, labels } };
    if (labels !== undefined) checkLabels(named.definition, labels);
    if (options.inputShape !== undefined) checkSize(named);
    return { ...named, close: opened.close };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** @throws RangeError where a dense layer reads a fixed number of values, and the input's size gives another */
function checkSize({ definition, weights }: FoundNetwork): void {
  const { inputShape, nodes, name } = definition;
  const dense = new Map(nodes.flatMap((node) => (node.op === "dense" ? [[node.weight, node.name]] : [])));
  for (const { name: tensor, shape } of networkParameters(definition)) {
    const [layer, own] = [dense.get(tensor), weights.tensors.get(tensor)?.shape];
    if (layer === undefined || own?.[1] === undefined || own[1] === shape[1]) continue;
    throw new RangeError(
      `input size ${inputShape[1]}x${inputShape[2]}: layer "${layer}" of network "${name}" reads ${own[1]} values, but at this size there are ${shape[1]}. Only networks that pool over the whole image before their dense layers take any size.`,
    );
  }
}

/** @throws RangeError when there are more or fewer names than classes */
function checkLabels(definition: NetworkDefinition, labels: readonly string[]): void {
  const { values, logits } = compileGraph(definition);
  const count = mustHave(values[logits]?.shape[0], "number of classes");
  if (labels.length === count) return;
  throw new RangeError(
    `labels: network "${definition.name}" has ${count} classes, got ${labels.length} names. Give one for each class, in the order of its outputs.`,
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
  const { definition, weights: file, close } = await openNetwork(name, path, options);
  try {
    checkFit(networkParameters(definition), file, knownNetworks()); // before memory is reserved for what the file only claims
    const rows = options.lowMemory ? weightRows(file) : undefined;
    const network = new Network(options.kernels ?? (await loadKernels()), definition, {
      ...(options.algorithm ? { algorithm: options.algorithm } : {}),
      ...(rows ? { rows } : {}),
      ...(options.keptWeightBytes === undefined ? {} : { keptWeightBytes: options.keptWeightBytes }),
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
