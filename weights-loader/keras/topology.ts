import { FormatError } from "../../engine/basics/errors.ts";
import { isObject, type Json } from "../bytes/json.ts";
import { tensorflowFunctions } from "./operations.ts";

// A model's topology as Keras' versions and TensorFlow.js write it, read into one form.

/** An output of a layer: layers that are used several times have several. */
export interface Link {
  readonly layer: string;
  readonly use: number;
}

/** A layer of a model. */
export interface ModelLayer {
  readonly name: string;
  readonly type: string;
  readonly config: Json;
  /** What each of its uses reads. */
  readonly uses: readonly (readonly Link[])[];
  /** What a function is given, where there are constants among it: undefined stands for a feature map. */
  readonly operands?: readonly unknown[];
  /** The model that it is, where it is one. */
  readonly model?: Json;
}

/** A model: its layers by name, in the file's order. */
export interface Model {
  readonly layers: ReadonlyMap<string, ModelLayer>;
  readonly inputs: readonly string[];
  readonly outputs: readonly Link[];
}

/** True for the entry of a layer that is a model itself. */
export function isModel(entry: unknown): entry is Json {
  const config = isObject(entry) ? entry["config"] : undefined;
  return isObject(config) && Array.isArray(config["layers"]);
}

/** Where a model begins in what the file holds: Keras' converter puts the model into "model_config". */
export function outerModel(topology: unknown): unknown {
  return isObject(topology) && isObject(topology["model_config"]) ? topology["model_config"] : topology;
}

/** Reads a model. @throws FormatError when it is none */
export function readModel(model: unknown, what: string): Model {
  const config = isObject(model) ? model["config"] : undefined;
  const list = isObject(config) ? config["layers"] : config;
  if (!isObject(model) || !Array.isArray(list)) throw new FormatError(`${what}: no layers in the model's topology.`);
  const isSequential = model["class_name"] === "Sequential";
  const layers = new Map<string, ModelLayer>();
  let before = "";
  for (const entry of list) {
    const inner = isObject(entry) ? entry["config"] : undefined;
    // The first Keras wrote a model's layers in the place of its configuration.
    if (!isObject(entry) || (!isObject(inner) && !Array.isArray(inner))) {
      throw new FormatError(`${what}: a layer without "config".`);
    }
    const own = isObject(inner) ? inner : {};
    const name = String(own["name"] ?? entry["name"] ?? "");
    const called = calledFunction(entry, own);
    const type = called?.type ?? String(entry["class_name"] ?? "");
    if (layers.has(name)) throw new FormatError(`${what}: two layers are called "${name}".`);
    const uses = isSequential ? [before === "" ? [] : [{ layer: before, use: 0 }]] : inboundLinks(entry, name, what);
    const operands = isSequential ? undefined : (called?.operands ?? constantArguments(entry));
    layers.set(name, {
      name,
      type,
      config: own,
      uses,
      ...(operands === undefined ? {} : { operands }),
      ...(isModel(entry) || Array.isArray(inner) ? { model: entry } : {}),
    });
    before = name;
  }
  if (isSequential) return { layers, inputs: inputLayers(layers), outputs: [{ layer: before, use: 0 }] };
  const ends = isObject(config) ? config : {};
  const inputs = linksOf(ends["input_layers"]).map(({ layer }) => layer);
  return { layers, inputs: inputs.length > 0 ? inputs : inputLayers(layers), outputs: linksOf(ends["output_layers"]) };
}

function inputLayers(layers: ReadonlyMap<string, ModelLayer>): string[] {
  return Array.from(layers.values())
    .filter(({ type }) => type === "InputLayer")
    .map(({ name }) => name);
}

/** Keras 2 lists [name, use, tensor] per output; Keras 3 leaves the outer list out where there is one. */
function linksOf(given: unknown): Link[] {
  if (!Array.isArray(given)) return [];
  const list: unknown[] = typeof given[0] === "string" ? [given] : given;
  return list.filter(Array.isArray).map((link) => ({ layer: String(link[0]), use: Number(link[1] ?? 0) }));
}

/**
 * Keras 2: inbound_nodes = [[["layer", use, tensor, {}], ...]], one list per use of the layer. Keras 3: [{args, kwargs}], with
 * tensors that know the layer they come from.
 */
function inboundLinks(entry: Json, name: string, what: string): Link[][] {
  const uses: unknown[] = Array.isArray(entry["inbound_nodes"]) ? entry["inbound_nodes"] : [];
  return uses.map((use) => {
    if (isObject(use)) return historyOf(use["args"]);
    if (!Array.isArray(use)) {
      throw new FormatError(`${what}: layer "${name}" is connected to nothing that Keras writes.`);
    }
    if (typeof use[0] !== "string") return linksOf(use);
    const other = otherOperand(use);
    return linksOf(isLink(other) ? [use, other] : [use]);
  });
}

const isLink = (value: unknown): boolean => Array.isArray(value) && typeof value[0] === "string";

/** Keras 2: what a function is called with besides its first argument, by its name: ["layer", use, tensor, {y: ...}]. */
function otherOperand(use: unknown): unknown {
  const given: unknown = Array.isArray(use) ? use[3] : undefined;
  return isObject(given) ? (given["y"] ?? given["bias"] ?? given["slice_spec"]) : undefined;
}

const isTensor = (arg: unknown): boolean =>
  Array.isArray(arg)
    ? arg.length > 0 && arg.every(isTensor)
    : isObject(arg) && isObject(arg["config"]) && arg["config"]["keras_history"] !== undefined;

/** Keras 3: what a function is called with, where there is more than feature maps. */
function constantArguments(entry: Json): unknown[] | undefined {
  const [use] = Array.isArray(entry["inbound_nodes"]) ? entry["inbound_nodes"] : [];
  const args = isObject(use) && Array.isArray(use["args"]) ? use["args"] : [];
  return args.every(isTensor) ? undefined : args.map((arg) => (isTensor(arg) ? undefined : arg));
}

/** Keras 2: a function of TensorFlow's that is known here, with a constant, an index or another layer: [["layer", use, tensor, {y: 127.5}]]. */
function calledFunction(entry: Json, config: Json): { type: string; operands?: unknown[] } | undefined {
  const { function: name = "" } = config;
  const isFunction = entry["class_name"] === "TFOpLambda" || entry["class_name"] === "SlicingOpLambda";
  const type =
    isFunction && typeof name === "string" && Object.hasOwn(tensorflowFunctions, name)
      ? tensorflowFunctions[name]
      : undefined;
  const [use] = Array.isArray(entry["inbound_nodes"]) ? entry["inbound_nodes"] : [];
  const other = otherOperand(use);
  if (type === undefined || other === undefined) return undefined;
  return isLink(other) ? { type } : { type, operands: [undefined, other] };
}

/** The layers that the tensors in a list, or in lists in it, come from. */
function historyOf(args: unknown): Link[] {
  const lists: unknown[] = Array.isArray(args) ? args : [];
  return lists
    .flatMap((arg) => (Array.isArray(arg) ? arg : [arg]))
    .flatMap((arg: unknown) => {
      const config = isObject(arg) ? arg["config"] : undefined;
      const history = isObject(config) ? config["keras_history"] : undefined;
      return linksOf([history]);
    });
}
