import { FormatError, refuseUnknownOptions, UnsupportedError } from "../../engine/basics/errors.ts";
import { formatShape, isHoldable, type Shape } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition, Preprocessing } from "../../engine/graph/definition.ts";
import { dependencyOrder } from "../../engine/graph/order.ts";
import { isObject, type Json } from "../bytes/json.ts";
import type { ByteSource } from "../bytes/source.ts";
import type { ImportedNetwork } from "../graphs/imported-network.ts";
import { chosenInputShape, type InputShapeOptions, inputSizeAdvice } from "../graphs/input-shape.ts";
import { importedWeights, networkBuilder, type Refusal, refuseUnsupported } from "../graphs/network-builder.ts";
import { halfPrecisionNote } from "../graphs/precision-notes.ts";
import type { WeightFile } from "../tensors/weight-file.ts";
import { converterOf } from "./converters.ts";
import { openKerasFile } from "./file.ts";
import type { OpenHdf5 } from "./hdf5.ts";
import { inKerasOrder, type State, type Value } from "./state.ts";
import { type Link, type Model, type ModelLayer, outerModel, readModel } from "./topology.ts";

/** How to import a Keras network. */
export interface KerasImportOptions extends InputShapeOptions {
  /** What the weights expect of photos. */
  readonly preprocessing?: Preprocessing;
  /** The layer whose output counts, where there are several outputs. */
  readonly output?: string;
}

/** How to import a Keras file. */
export interface KerasFileImportOptions extends KerasImportOptions {
  /** How messages call the file; default "unnamed". */
  readonly name?: string;
  /** Reads HDF5. */
  readonly hdf5?: OpenHdf5;
}

/** The names of these options. */
export const kerasOptionNames = Object.keys({
  name: true,
  preprocessing: true,
  hdf5: true,
  inputShape: true,
  inputShapeIfOpen: true,
  output: true,
} satisfies Record<keyof KerasFileImportOptions, true>) as readonly (keyof KerasFileImportOptions)[];

/** Models inside models, at most. */
const maximumDepth = 16;

/**
 * A model that Keras saved (`.h5`, `.keras`) as a network.
 * @throws UnsupportedError for files of weights alone, and one that lists every layer which cannot be converted; FormatError for
 * damage
 */
export async function importKerasFile(source: ByteSource, options: KerasFileImportOptions): Promise<ImportedNetwork> {
  refuseUnknownOptions("importKerasFile", options, kerasOptionNames);
  const name = options.name ?? "unnamed";
  const { weights, topology } = await openKerasFile(source, name, options.hdf5);
  if (topology === undefined) {
    throw new UnsupportedError(`weights "${name}": a Keras file of weights alone does not describe its network.`);
  }
  return importKeras(topology, weights, options);
}

/** What walking through the models adds to. */
interface Walk {
  readonly state: State;
  readonly refusals: Refusal[];
  /** Layers seen, those of inner models too. */
  layers: number;
  readonly notes: Set<string>;
  /** Gives the photo to the one layer that takes it. */
  readonly photo: (layer: ModelLayer) => Value;
}

/**
 * A Keras network (the topology of a TensorFlow.js layers model, or an .h5's model_config) with its weights, turned from Keras'
 * channels-last layout into the engine's. Models inside models become part of it; layers that are used several times share weights.
 * @param weights tensors named `<layer>/kernel`, as TensorFlow.js and Keras 2 name them
 * @throws UnsupportedError that lists every layer which cannot be converted
 */
export function importKeras(topology: unknown, weights: WeightFile, options: KerasImportOptions): ImportedNetwork {
  const what = `weights "${weights.name}"`;
  const state: State = { ...networkBuilder(), what, weights };
  const model = readModel(outerModel(topology), what);
  let input: { readonly layer: string; readonly shape: Shape; readonly value: Value } | undefined;
  const photo = (layer: ModelLayer): Value => {
    const given = layer.config["batch_input_shape"] ?? layer.config["batch_shape"];
    if (!Array.isArray(given)) throw new FormatError(`${what}: layer "${layer.name}" reads nothing.`);
    if (input !== undefined && input.layer !== layer.name) {
      throw new UnsupportedError(`${what}: the network must have one input, got "${input.layer}" and "${layer.name}".`);
    }
    if (input !== undefined) return input.value;
    const shape = inputShapeOf(given, what, options);
    const isVector = given.length === 2;
    const flat = isVector ? state.add("features", ["input"], { op: "flatten" }) : "input";
    const value = isVector
      ? { node: flat, shape: shape.slice(0, 1) }
      : { node: flat, shape, isSignal: given.length === 3 };
    input = { layer: layer.name, shape, value };
    return value;
  };
  const walk: Walk = { state, refusals: [], layers: 0, notes: new Set(), photo };
  const output = chooseOutput(model, what, options.output);
  const [last] = convertModel(walk, model, { prefix: "", given: undefined, outputs: [output], depth: 0 });
  refuseUnsupported(what, "layer", walk.refusals, walk.layers);
  if (last === undefined || input === undefined) {
    throw new FormatError(`${what}: the layers do not lead from an input to the output "${output.layer}".`);
  }
  if (last.isEnd === true)
    walk.notes.add(`its last layer "${output.layer}" ends in log_softmax: the scores before it are explained.`);
  let outputNode = inKerasOrder(state, last).node;
  if (outputNode === "input") outputNode = state.add("identity", ["input"], { op: "identity" });
  const definition: NetworkDefinition = {
    name: weights.name || `keras-${output.layer}`,
    inputShape: input.shape,
    nodes: state.nodes,
    output: outputNode,
    ...(options.preprocessing === undefined ? {} : { preprocessing: options.preprocessing }),
  };
  return { definition, weights: importedWeights(weights, state), notes: Array.from(walk.notes) };
}

function chooseOutput({ outputs }: Model, what: string, wish: string | undefined): Link {
  const names = outputs.map(({ layer }) => layer);
  if (wish !== undefined) {
    const found = outputs.find(({ layer }) => layer === wish);
    if (found !== undefined) return found;
    throw new RangeError(`${what}: there is no output "${wish}"; there are ${names.join(", ")}.`);
  }
  const [only, second] = outputs;
  if (only === undefined) throw new FormatError(`${what}: the network has no output.`);
  if (second === undefined) return only;
  throw new UnsupportedError(
    `${what}: the network has several outputs: ${names.join(", ")}. Name the one that counts.`,
  );
}

/** Where a model stands. */
interface Place {
  /** Names of the models around it, each with a slash behind. */
  readonly prefix: string;
  /** What its inputs are given; undefined for the outermost, which takes the photo. */
  readonly given: readonly Value[] | undefined;
  readonly outputs: readonly Link[];
  readonly depth: number;
}

/** Converts the layers that a model's outputs depend on. @returns the outputs; undefined where a layer was refused */
function convertModel(walk: Walk, model: Model, place: Place): (Value | undefined)[] {
  const { what } = walk.state;
  if (place.depth > maximumDepth) throw new FormatError(`${what}: models nested more than ${maximumDepth} deep.`);
  walk.layers += model.layers.size;
  const keyOf = ({ layer, use }: Link): string => `${use}:${layer}`;
  const units = new Map<string, Link>();
  for (const { name, uses } of model.layers.values()) {
    const count = Math.max(1, uses.length);
    for (let use = 0; use < count; use++) units.set(keyOf({ layer: name, use }), { layer: name, use });
  }
  // Keras 2 counts a model's own layers as its first use, where it begins with an input.
  const usesOf = (name: string): Link[] =>
    [...place.outputs, ...Array.from(model.layers.values()).flatMap(({ uses }) => uses.flat())].filter(
      ({ layer }) => layer === name,
    );
  const shifted = new Set(
    Array.from(model.layers.values())
      .filter(
        ({ model: inner, name, uses }) => inner !== undefined && usesOf(name).some(({ use }) => use === uses.length),
      )
      .map(({ name }) => name),
  );
  const unitOf = (link: Link): Link => {
    const unit = units.get(keyOf(shifted.has(link.layer) ? { layer: link.layer, use: link.use - 1 } : link));
    if (unit === undefined)
      throw new FormatError(`${what}: there is no output ${link.use} of a layer "${link.layer}".`);
    return unit;
  };
  const layerOf = ({ layer }: Link): ModelLayer => {
    const found = model.layers.get(layer);
    if (found === undefined) throw new FormatError(`${what}: there is no layer "${layer}".`);
    return found;
  };
  const inputsOf = (unit: Link): Link[] => (layerOf(unit).uses[unit.use] ?? []).map(unitOf);
  const order = dependencyOrder(
    place.outputs.map(unitOf),
    inputsOf,
    ([first]) => new FormatError(`${what}: layer "${first?.layer}" depends on itself.`),
  );
  const values = new Map<Link, Value>();
  for (const unit of order) {
    const layer = layerOf(unit);
    const inputs = inputsOf(unit).map((input) => values.get(input));
    const isStart = inputs.length === 0;
    const first = isStart ? startOf(walk, model, layer, place) : undefined;
    const known = isStart ? (first === undefined ? [] : [first]) : inputs.filter((value) => value !== undefined);
    if (layer.type === "InputLayer") {
      if (first !== undefined) values.set(unit, first);
      continue;
    }
    const value = convertLayer(walk, layer, known, place, !isStart && known.length < inputs.length);
    if (value !== undefined) values.set(unit, value);
  }
  return place.outputs.map((link) => values.get(unitOf(link)));
}

/** What a layer without inputs of its own reads: the photo, or what its model is given. */
function startOf(walk: Walk, model: Model, layer: ModelLayer, { given }: Place): Value | undefined {
  if (given !== undefined) return given[Math.max(0, model.inputs.indexOf(layer.name))];
  if (layer.model === undefined) return walk.photo(layer);
  // A model that begins with a model: the innermost first layer has the photo's size.
  let inner = layer;
  for (let depth = 0; inner.model !== undefined && depth <= maximumDepth; depth++) {
    const { layers } = readModel(inner.model, walk.state.what);
    const [first] = layers.values();
    if (first === undefined) break;
    inner = first;
  }
  return walk.photo({ ...inner, name: layer.name });
}

/** @param isBehind a refused layer: then nothing but its kind is looked at */
function convertLayer(
  walk: Walk,
  layer: ModelLayer,
  inputs: readonly Value[],
  place: Place,
  isBehind: boolean,
): Value | undefined {
  const { state } = walk;
  const name = place.prefix + layer.name;
  if (layer.model !== undefined) {
    if (isBehind) return undefined;
    const inner = readModel(layer.model, state.what);
    const [only, second] = inner.outputs;
    if (only === undefined || second !== undefined) {
      walk.refusals.push({ name, kind: layer.type, why: `a model with ${inner.outputs.length} outputs.` });
      return undefined;
    }
    const outputs = convertModel(walk, inner, {
      prefix: `${name}/`,
      given: inputs,
      outputs: inner.outputs,
      depth: place.depth + 1,
    });
    return outputs[0];
  }
  try {
    const convert = converterOf(layer);
    if (isBehind) return undefined;
    if (inputs.some(({ isEnd }) => isEnd === true))
      throw new UnsupportedError("it reads a logarithm of softmax, which is supported at the end of a network alone.");
    if ((layer.config["data_format"] ?? "channels_last") !== "channels_last") {
      throw new UnsupportedError("channels first; networks with channels last are supported.");
    }
    noteType(layer.config, walk.notes);
    const value = convert(state, { name, type: layer.type, config: layer.config }, inputs);
    const isSignal = inputs.some((input) => input.isSignal === true) && value.shape.length === 3;
    if (isHoldable(value.shape)) return isSignal && layer.type !== "Reshape" ? { ...value, isSignal } : value;
    throw new UnsupportedError(`its output ${formatShape(value.shape)} is larger than any that is held.`);
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    walk.refusals.push({ name, kind: layer.type, why: error.message });
    return undefined;
  }
}

/** Keras computes layers of a mixed or half policy in 16 bits; here everything is float32. */
function noteType({ dtype }: Json, notes: Set<string>): void {
  const inner = isObject(dtype) ? dtype["config"] : undefined;
  const policy = isObject(inner) ? inner["name"] : dtype;
  if (typeof policy !== "string" || !/float16/.test(policy)) return;
  notes.add(halfPrecisionNote(`Keras computes this network in ${policy}`));
}

/** [null,H,W,C] as [C,H,W]; a signal, [null,L,C], as [C,1,L]; a vector, [null,F], as [F,1,1]. */
function inputShapeOf(batchShape: readonly unknown[], what: string, wish: InputShapeOptions): Shape {
  const own = batchShape
    .slice(1)
    .map((size) => (size === null ? undefined : typeof size === "number" ? size : Number.NaN));
  const [height, width, channels] = own.length === 3 ? own : [1, ...own];
  const stated = own.length === 1 ? [own[0], 1, 1] : [channels, height, width];
  const sizes = chosenInputShape(stated, wish) ?? [];
  const isKnownRank = own.length >= 1 && own.length <= 3;
  if (isKnownRank && !isHoldable(sizes.map((size) => size ?? 0))) {
    throw new UnsupportedError(`${what}: an input of [${batchShape.join(",")}] is larger than any that is held.`);
  }
  if (!isKnownRank || !sizes.every((size) => Number.isSafeInteger(size) && (size ?? 0) > 0)) {
    const hint = isKnownRank ? ` ${inputSizeAdvice}` : "";
    throw new UnsupportedError(
      `${what}: the input must be [N,H,W,C] with known sizes, got [${batchShape.map((size) => size ?? "?").join(",")}].${hint}`,
    );
  }
  return sizes.map(Number);
}
