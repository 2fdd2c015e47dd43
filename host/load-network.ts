import { realpath } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { FormatError, UnsupportedError } from "../engine/errors.ts";
import type { NetworkDefinition, Preprocessing } from "../engine/graph.ts";
import type { Kernels } from "../engine/kernels.ts";
import { modelByName, modelNames } from "../engine/models/index.ts";
import { preprocessingByName, preprocessingNames } from "../engine/models/preprocessing.ts";
import { Network } from "../engine/network.ts";
import { networkParameters } from "../engine/parameter-specs.ts";
import type { Algorithm } from "../engine/winograd.ts";
import {
  bindWeights,
  checkFit,
  checkPairing,
  type ExternalData,
  type ImportedNetwork,
  importCaffe,
  importOnnx,
  importTfjs,
  inspectWeights,
  type KnownNetwork,
  networkOf,
  openWeights,
  type WeightFile,
} from "../weights-loader/index.ts";
import { bundledWeights, defaultModel } from "./bundled-models.ts";
import { fileRows } from "./file-rows.ts";
import { type FileSource, fileSource } from "./file-source.ts";
import { loadKernels } from "./kernels.ts";

/** What a weight file does not say about its network. */
export interface LoadOptions {
  /** How photos are prepared, by name (`preprocessingNames()`), instead of what model or file say. */
  readonly preprocess?: string;
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
}

/** The networks of the package and what they need: for "these weights fit another network". */
export function knownNetworks(): KnownNetwork[] {
  return modelNames().map((name) => ({ name, parameters: networkParameters(modelByName(name)) }));
}

/** Opens data beside a model (ONNX, TensorFlow.js), in its folder alone: a link that leads out of it is not followed. */
export function externalData(path: string, opened: FileSource[]): ExternalData {
  return async (location) => {
    const folder = await realpath(dirname(path));
    const target = await realpath(join(folder, location));
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
export interface OpenedNetwork extends ImportedNetwork {
  /** The file itself, and those of its external data that were opened. */
  readonly sources: readonly FileSource[];
  close(): Promise<void>;
}

/**
 * Opens weights of any format that the loader reads, told from the file's bytes, with the network they belong to.
 * @param model one of `modelNames()`, or undefined for the network that the file itself describes (ONNX, Caffe, converted files)
 * @throws as `loadNetwork`
 */
export async function openNetwork(
  model: string | undefined,
  weights: string,
  options: LoadOptions = {},
): Promise<OpenedNetwork> {
  const chosen = options.preprocess === undefined ? undefined : preprocessingByName(options.preprocess);
  const known = model === undefined ? undefined : modelByName(model);
  const opened: FileSource[] = [];
  const close = async (): Promise<void> => {
    for (const source of opened) await source.close();
  };
  try {
    const source = await fileSource(weights);
    opened.push(source);
    const external = externalData(weights, opened);
    const file = await openWeights(source, { name: basename(weights), external });
    const network =
      known === undefined
        ? await describedNetwork(file, source, external, chosen, options.prototxt)
        : { definition: withPreprocessing(known, chosen), weights: file };
    if (chosen === undefined) checkPairing(network.definition, network.weights);
    return { ...network, sources: opened, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * A network with its weights bound.
 * @param weights the file; without it the weights that come with the package, for the networks that have them
 * @param model one of `modelNames()`, or undefined for the network that the file itself describes (ONNX, Caffe, converted files)
 * @throws RangeError for an unknown model, FormatError for a damaged file, ShapeError that lists every tensor that does not fit,
 * UnsupportedError where file and network expect differently prepared photos, or the file describes no network
 */
export async function loadNetwork(
  model: string | undefined,
  weights?: string,
  options: LoadOptions = {},
): Promise<Network> {
  const name = model ?? (weights === undefined ? defaultModel : undefined);
  const path = weights ?? bundledWeights(name ?? defaultModel);
  const { definition, weights: file, sources, close } = await openNetwork(name, path, options);
  try {
    const rows = options.lowMemory ? fileRows(file, sources) : undefined;
    const network = new Network(options.kernels ?? (await loadKernels()), definition, {
      ...(options.algorithm ? { algorithm: options.algorithm } : {}),
      ...(rows ? { rows } : {}),
    });
    if (rows) checkFit(network.parameters, file, knownNetworks()); // a tensor that is missing is no tensor out of place
    rows?.check(network.parameters.filter(({ isStreamed }) => isStreamed).map(({ name }) => name));
    // Small blocks where memory is to stay small: what was read lives on until the next garbage collection.
    const blocks = options.lowMemory ? { blockBytes: 1 << 19 } : {};
    await bindWeights(network, file, { known: knownNetworks(), ...blocks });
    return network;
  } finally {
    await close();
  }
}

function withPreprocessing(definition: NetworkDefinition, chosen: Preprocessing | undefined): NetworkDefinition {
  return chosen === undefined ? definition : { ...definition, preprocessing: chosen };
}

/** The network that a file describes, under the names of its own tensors. */
async function describedNetwork(
  file: WeightFile,
  source: FileSource,
  external: ExternalData,
  chosen: Preprocessing | undefined,
  prototxt: string | undefined,
): Promise<ImportedNetwork> {
  const { name, format } = file;
  const carried = networkOf(file);
  if (carried !== undefined) return { definition: withPreprocessing(carried, chosen), weights: file };
  if (format !== "onnx" && format !== "caffe" && format !== "tfjs") {
    const { fits } = inspectWeights(file, knownNetworks());
    const advice = fits.length === 0 ? "It fits none of the package's networks." : `It fits ${fits.join(" and ")}.`;
    throw new UnsupportedError(`weights "${name}": a ${format} file does not describe its network. Name it. ${advice}`);
  }
  if (chosen === undefined) {
    throw new UnsupportedError(
      `weights "${name}": the file does not say how photos are prepared for its network. Name the preprocessing: ${preprocessingNames().join(", ")}.`,
    );
  }
  if (format === "tfjs") return importTfjs(source, { name, preprocessing: chosen, external });
  return format === "onnx"
    ? importOnnx(source, { name, preprocessing: chosen, external })
    : importCaffe(source, { name, preprocessing: chosen, ...(prototxt === undefined ? {} : { prototxt }) });
}
