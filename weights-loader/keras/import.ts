import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { Shape } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition, Preprocessing } from "../../engine/graph/definition.ts";
import type { ByteSource } from "../bytes/source.ts";
import type { ImportedNetwork } from "../graphs/imported-network.ts";
import { importedWeights, networkBuilder, type Refusal, refuseUnsupported } from "../graphs/network-builder.ts";
import type { WeightFile } from "../tensors/weight-file.ts";
import { converters } from "./converters.ts";
import { openKerasFile } from "./file.ts";
import type { OpenHdf5 } from "./hdf5.ts";
import { type Json, type Layer, plain, type State } from "./state.ts";

/** How to import a Keras network. */
export interface KerasImportOptions {
  /** What the weights expect of photos. */
  readonly preprocessing?: Preprocessing;
}

/** How to import a Keras file. */
export interface KerasFileImportOptions extends KerasImportOptions {
  /** How messages call the file; default "unnamed". */
  readonly name?: string;
  /** Reads HDF5. */
  readonly hdf5?: OpenHdf5;
}

/**
 * A model that Keras saved (`.h5`, `.keras`) as a network.
 * @throws UnsupportedError for files of weights alone, and one that lists every layer which cannot be converted; FormatError for
 * damage
 */
export async function importKerasFile(source: ByteSource, options: KerasFileImportOptions): Promise<ImportedNetwork> {
  const name = options.name ?? "unnamed";
  const { weights, topology } = await openKerasFile(source, name, options.hdf5);
  if (topology === undefined) {
    throw new UnsupportedError(`weights "${name}": a Keras file of weights alone does not describe its network.`);
  }
  return importKeras(topology, weights, options);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A Keras network (the topology of a TensorFlow.js layers model, or an .h5's model_config) with its weights, turned from Keras'
 * channels-last layout into the engine's.
 * @param weights tensors named `<layer>/kernel`, as TensorFlow.js and Keras 2 name them
 * @throws UnsupportedError that lists every layer which cannot be converted
 */
export function importKeras(topology: unknown, weights: WeightFile, options: KerasImportOptions): ImportedNetwork {
  const what = `weights "${weights.name}"`;
  const { layers, output } = readTopology(topology, what);
  const state: State = { ...networkBuilder(), what, weights, values: new Map() };
  let inputShape: Shape | undefined;
  const refusals: Refusal[] = [];
  for (const layer of layers) {
    const given = layer.config["batch_input_shape"] ?? layer.config["batch_shape"];
    if (inputShape === undefined && Array.isArray(given)) {
      inputShape = imageShape(given, what);
      state.values.set(layer.type === "InputLayer" ? layer.name : "", { node: "input", shape: inputShape });
    }
    if (layer.type === "InputLayer") continue;
    const inputs = layer.inputs.map((name) => state.values.get(name));
    try {
      const convert = Object.hasOwn(converters, layer.type) ? converters[layer.type] : undefined;
      if (convert === undefined) throw new UnsupportedError("no such layer.");
      const known = inputs.filter((value) => value !== undefined);
      if (known.length === inputs.length) state.values.set(layer.name, convert(state, layer, known));
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      refusals.push({ name: layer.name, kind: layer.type, why: error.message });
    }
  }
  refuseUnsupported(what, "layer", refusals, layers.length);
  const last = state.values.get(output);
  if (last === undefined || inputShape === undefined) {
    throw new FormatError(`${what}: the layers do not lead from an input to the output "${output}".`);
  }
  const name = `keras-${output}`;
  const definition: NetworkDefinition = {
    name: weights.name || name,
    inputShape,
    nodes: state.nodes,
    output: plain(state, last).node,
    ...(options.preprocessing === undefined ? {} : { preprocessing: options.preprocessing }),
  };
  return { definition, weights: importedWeights(weights, state) };
}

/** The layers in order with the names of those they read, and the output's name. */
function readTopology(topology: unknown, what: string): { layers: Layer[]; output: string } {
  // TensorFlow.js has {class_name, config}; Keras' converter puts that into "model_config".
  const outer = isObject(topology) && isObject(topology["model_config"]) ? topology["model_config"] : topology;
  const config = isObject(outer) ? outer["config"] : undefined;
  const list = isObject(config) ? config["layers"] : config;
  if (!isObject(outer) || !Array.isArray(list)) throw new FormatError(`${what}: no layers in the model's topology.`);
  const isSequential = outer["class_name"] === "Sequential";
  const layers: Layer[] = [];
  for (const entry of list) {
    const inner = isObject(entry) ? entry["config"] : undefined;
    if (!isObject(entry) || !isObject(inner)) throw new FormatError(`${what}: a layer without "config".`);
    const name = String(inner["name"] ?? entry["name"] ?? "");
    const type = String(entry["class_name"] ?? "");
    const before = layers.at(-1)?.name ?? "";
    layers.push({ name, type, config: inner, inputs: isSequential ? [before] : inboundNames(entry, name, what) });
  }
  const outputs = isObject(config) && Array.isArray(config["output_layers"]) ? config["output_layers"] : [];
  const [only] = outputs;
  // Keras 2 lists [name, node, tensor] per output; Keras 3 leaves the outer list out where there is one.
  if (!isSequential && outputs.length !== 1 && typeof only !== "string") {
    throw new UnsupportedError(`${what}: the network must have one output, got ${outputs.length}.`);
  }
  return { layers, output: isSequential ? (layers.at(-1)?.name ?? "") : String(Array.isArray(only) ? only[0] : only) };
}

/**
 * Keras 2: inbound_nodes = [[["layer", node, tensor, {}], ...]], one list per use of the layer. Keras 3: [{args, kwargs}], with
 * tensors that know the layer they come from.
 */
function inboundNames(entry: Json, name: string, what: string): string[] {
  const uses = Array.isArray(entry["inbound_nodes"]) ? entry["inbound_nodes"] : [];
  if (uses.length > 1) throw new UnsupportedError(`${what}: layer "${name}" is used ${uses.length} times.`);
  const [use] = uses;
  if (use === undefined) return [];
  if (isObject(use)) return historyOf(use["args"]);
  if (!Array.isArray(use)) throw new FormatError(`${what}: layer "${name}" is connected to nothing that Keras writes.`);
  return use.map((link: unknown) => String(Array.isArray(link) ? link[0] : link));
}

/** The layers that the tensors in a list, or in lists in it, come from. */
function historyOf(args: unknown): string[] {
  const lists = Array.isArray(args) ? args : [];
  return lists
    .flatMap((arg: unknown) => (Array.isArray(arg) ? arg : [arg]))
    .flatMap((arg: unknown) => {
      const config = isObject(arg) ? arg["config"] : undefined;
      const history = isObject(config) ? config["keras_history"] : undefined;
      return Array.isArray(history) ? [String(history[0])] : [];
    });
}

/** [null,H,W,C] as [C,H,W]. */
function imageShape(batchShape: readonly unknown[], what: string): Shape {
  const [, height, width, channels] = batchShape;
  const sizes = [channels, height, width];
  if (
    batchShape.length !== 4 ||
    !sizes.every((size) => typeof size === "number" && Number.isSafeInteger(size) && size > 0)
  ) {
    throw new UnsupportedError(`${what}: the input must be [N,H,W,C] with known sizes, got [${batchShape.join(",")}].`);
  }
  return sizes.map(Number);
}
