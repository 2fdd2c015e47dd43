import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { Shape } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition, NodeDefinition, Preprocessing } from "../../engine/graph/definition.ts";
import type { ByteSource } from "../bytes/source.ts";
import type { ImportedNetwork } from "../graphs/imported-network.ts";
import { computedOf, networkBuilder, type Refusal, refuseUnsupported } from "../graphs/network-builder.ts";
import { type WeightFile, withComputed } from "../tensors/weight-file.ts";
import { converters, type State } from "./converters.ts";
import {
  type CaffeLayer,
  type CaffeNet,
  messagesOf,
  numberOf,
  numbersOf,
  openCaffe,
  readCaffemodel,
  readPrototxt,
  textsOf,
} from "./model.ts";

/** How to import a Caffe network. */
export interface CaffeImportOptions {
  /** How messages call the file; default "unnamed". */
  readonly name?: string;
  /** What the weights expect of photos. */
  readonly preprocessing?: Preprocessing;
  /** The text of the .prototxt; without it the network is the one that the .caffemodel describes itself. */
  readonly prototxt?: string;
  /** [C,H,W], where the description does not say. */
  readonly inputShape?: Shape;
}

/** Layers that only training and measuring know, and those that feed photos. */
const feeding = ["Data", "ImageData", "MemoryData", "HDF5Data", "DummyData", "WindowData", "Input"];
const leftOut = ["Accuracy", "Silence"];

/**
 * A Caffe network (deploy or training description) with the weights of a .caffemodel.
 * @throws UnsupportedError that lists every layer which cannot be converted; FormatError for damaged files and wrong graphs
 */
export async function importCaffe(source: ByteSource, options: CaffeImportOptions): Promise<ImportedNetwork> {
  const name = options.name ?? "unnamed";
  const what = `weights "${name}"`;
  const weights = await openCaffe(source, name);
  const net =
    options.prototxt === undefined ? await readCaffemodel(source, name) : readPrototxt(options.prototxt, name);
  const layers = net.layers.filter(isAtTest);
  const input = findInput(net, layers, what);
  const inputShape = options.inputShape ?? input.shape;
  if (inputShape?.length !== 3 || !inputShape.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw new UnsupportedError(`${what}: the network does not say its input's size [C,H,W]; give it.`);
  }
  const state: State = {
    ...networkBuilder(),
    what,
    blobs: new Map([[input.blob, { node: "input", isVector: false }]]),
    weights,
    reads: countReads(layers),
  };
  const refusals: Refusal[] = [];
  for (const layer of layers) {
    if (feeding.includes(layer.type) || leftOut.includes(layer.type)) continue;
    const convert = Object.hasOwn(converters, layer.type) ? converters[layer.type] : undefined;
    try {
      if (convert === undefined) throw new UnsupportedError("no such layer.");
      convert(state, layer);
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      refusals.push({ name: layer.name, kind: layer.type, why: error.message });
      for (const top of textsOf(layer.fields, "top")) state.blobs.set(top, { node: "input", isVector: false });
    }
  }
  refuseUnsupported(what, "layer", refusals, layers.length);
  const output = findOutput(state.nodes, what);
  const definition: NetworkDefinition = {
    name: net.name,
    inputShape,
    nodes: state.nodes,
    output,
    ...(options.preprocessing === undefined ? {} : { preprocessing: options.preprocessing }),
  };
  return { definition, weights: onlyUsed(withComputed(weights, computedOf(state)), state.nodes) };
}

function countReads(layers: readonly CaffeLayer[]): Map<string, number> {
  const reads = new Map<string, number>();
  for (const { fields } of layers) {
    for (const blob of textsOf(fields, "bottom")) reads.set(blob, (reads.get(blob) ?? 0) + 1);
  }
  return reads;
}

/** The weights that the network names: BatchNorm's raw statistics, for one, are replaced by computed ones. */
function onlyUsed(weights: WeightFile, nodes: readonly NodeDefinition[]): WeightFile {
  const used = new Set<string>();
  for (const node of nodes) {
    if (node.op === "conv2d" || node.op === "dense") used.add(node.weight).add(node.bias ?? "");
    if (node.op === "batchNorm") {
      for (const name of [node.scale, node.bias, node.mean, node.variance]) used.add(name ?? "");
    }
  }
  return { ...weights, tensors: new Map(Array.from(weights.tensors).filter(([name]) => used.has(name))) };
}

/** Layers of the test phase; those of training alone do not belong to the network. */
function isAtTest({ fields }: CaffeLayer): boolean {
  const phases = (field: string): (number | undefined)[] =>
    messagesOf(fields, field).map((rule) => numberOf(rule, "phase", ["TRAIN", "TEST"]));
  const included = phases("include");
  return (included.length === 0 || included.some((phase) => phase !== 0)) && !phases("exclude").includes(1);
}

/** The blob that photos enter by, and its [C,H,W] where stated: `input`, an Input layer, or a training net's data layer. */
function findInput(net: CaffeNet, layers: readonly CaffeLayer[], what: string): { blob: string; shape?: Shape } {
  const [named, second] = textsOf(net.fields, "input");
  if (second !== undefined) throw new UnsupportedError(`${what}: the network has several inputs.`);
  const feeder = layers.find(({ type }) => feeding.includes(type));
  const blob = named ?? textsOf(feeder?.fields, "top")[0];
  if (blob === undefined) throw new FormatError(`${what}: the network has no input.`);
  const shapes = [
    ...messagesOf(net.fields, "input_shape"),
    ...messagesOf(feeder?.fields, "input_param").flatMap((parameter) => messagesOf(parameter, "shape")),
  ].map((shape) => numbersOf(shape, "dim"));
  const sizes = shapes[0] ?? numbersOf(net.fields, "input_dim");
  if (sizes.length === 4) return { blob, shape: sizes.slice(1) };
  const crop = numberOf(messagesOf(feeder?.fields, "transform_param")[0], "crop_size");
  return crop === undefined ? { blob } : { blob, shape: [3, crop, crop] };
}

/** The one node that nobody reads. */
function findOutput(nodes: readonly NodeDefinition[], what: string): string {
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const ends = nodes.filter(({ name }) => !read.has(name)).map(({ name }) => name);
  const [only, second] = ends;
  if (only === undefined || second !== undefined) {
    throw new UnsupportedError(`${what}: the network must have one output, got ${ends.join(", ") || "none"}.`);
  }
  return only;
}
