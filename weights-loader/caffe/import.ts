import { FormatError, refuseUnknownOptions, UnsupportedError } from "../../engine/basics/errors.ts";
import { formatShape, isHoldable, type Shape } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition, NodeDefinition, Preprocessing } from "../../engine/graph/definition.ts";
import type { ByteSource } from "../bytes/source.ts";
import type { ImportedNetwork } from "../graphs/imported-network.ts";
import { chosenInputShape, type InputShapeOptions, inputSizeAdvice } from "../graphs/input-shape.ts";
import { computedOf, networkBuilder, type Refusal, refuseUnsupported } from "../graphs/network-builder.ts";
import { type WeightFile, withComputed } from "../tensors/weight-file.ts";
import { converters } from "./converters.ts";
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
import type { Message } from "./prototxt.ts";
import type { State } from "./state.ts";

/** How to import a Caffe network. */
export interface CaffeImportOptions extends InputShapeOptions {
  /** How messages call the file; default "unnamed". */
  readonly name?: string;
  /** What the weights expect of photos. */
  readonly preprocessing?: Preprocessing;
  /** The text of the .prototxt; without it the network is the one that the .caffemodel describes itself. */
  readonly prototxt?: string;
  /** The layer whose output counts, where there are several. */
  readonly output?: string;
}

/** The names of these options. */
export const caffeOptionNames = Object.keys({
  name: true,
  preprocessing: true,
  prototxt: true,
  inputShape: true,
  inputShapeIfOpen: true,
  output: true,
} satisfies Record<keyof CaffeImportOptions, true>) as readonly (keyof CaffeImportOptions)[];

/** Layers that only training and measuring know, and those that feed photos. */
const feeding = ["Data", "ImageData", "MemoryData", "HDF5Data", "DummyData", "WindowData", "Input"];
const leftOut = [
  "Accuracy",
  "Silence",
  "EuclideanLoss",
  "HingeLoss",
  "InfogainLoss",
  "MultinomialLogisticLoss",
  "ContrastiveLoss",
];

/**
 * A Caffe network (deploy or training description) with the weights of a .caffemodel.
 * @throws UnsupportedError that lists every layer which cannot be converted; FormatError for damaged files and wrong graphs
 */
export async function importCaffe(source: ByteSource, options: CaffeImportOptions): Promise<ImportedNetwork> {
  refuseUnknownOptions("importCaffe", options, caffeOptionNames);
  const name = options.name ?? "unnamed";
  const what = `weights "${name}"`;
  const weights = await openCaffe(source, name);
  const net =
    options.prototxt === undefined ? await readCaffemodel(source, name) : readPrototxt(options.prototxt, name);
  const layers = net.layers.filter(isDeployed(net.layers));
  const input = findInput(net, layers, what);
  const inputShape = chosenInputShape(input.shape, options)?.map((size) => size ?? 0);
  if (inputShape !== undefined && !isHoldable(inputShape)) {
    throw new UnsupportedError(`${what}: an input of ${formatShape(inputShape)} is larger than any that is held.`);
  }
  if (inputShape?.length !== 3 || !inputShape.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw new UnsupportedError(`${what}: the network does not say its input's size [C,H,W]. ${inputSizeAdvice}`);
  }
  const state: State = {
    ...networkBuilder(),
    what,
    blobs: new Map([[input.blob, { node: "input", shape: inputShape }]]),
    weights,
    reads: countReads(layers),
    notes: [...transformNotes(net.layers)],
  };
  const labels = labelBlobs(net.layers, input.blob);
  const refusals: Refusal[] = [];
  for (const layer of layers) {
    if (feeding.includes(layer.type) || leftOut.includes(layer.type)) continue;
    const read = textsOf(layer.fields, "bottom");
    if (read.length > 0 && read.every((blob) => labels.has(blob))) {
      for (const top of textsOf(layer.fields, "top")) labels.add(top); // what becomes of the labels is no part of the network
      continue;
    }
    const convert = Object.hasOwn(converters, layer.type) ? converters[layer.type] : undefined;
    try {
      if (convert === undefined) throw new UnsupportedError("no such layer.");
      convert(state, layer);
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      refusals.push({ name: layer.name, kind: layer.type, why: error.message });
      for (const top of textsOf(layer.fields, "top")) state.blobs.set(top, { node: "input", shape: inputShape });
    }
  }
  refuseUnsupported(what, "layer", refusals, layers.length);
  const output = findOutput(state.nodes, layers, what, options.output);
  const definition: NetworkDefinition = {
    name: net.name,
    inputShape,
    nodes: state.nodes,
    output,
    ...(options.preprocessing === undefined ? {} : { preprocessing: options.preprocessing }),
  };
  return { definition, weights: onlyUsed(withComputed(weights, computedOf(state)), state.nodes), notes: state.notes };
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
    if (node.op === "prelu") used.add(node.slope);
    if (node.op === "batchNorm") {
      for (const name of [node.scale, node.bias, node.mean, node.variance]) used.add(name ?? "");
    }
  }
  return { ...weights, tensors: new Map(Array.from(weights.tensors).filter(([name]) => used.has(name))) };
}

/**
 * Layers of the network as it is used: of the test phase, and of the stage "deploy" where the file knows one (NVIDIA DIGITS writes it).
 * Source: BVLC/caffe, src/caffe/net.cpp, StateMeetsRule.
 */
function isDeployed(layers: readonly CaffeLayer[]): (layer: CaffeLayer) => boolean {
  const rulesOf = ({ fields }: CaffeLayer): Message[] => [
    ...messagesOf(fields, "include"),
    ...messagesOf(fields, "exclude"),
  ];
  const knowsDeploy = layers.some((layer) =>
    rulesOf(layer).some((rule) => [...textsOf(rule, "stage"), ...textsOf(rule, "not_stage")].includes("deploy")),
  );
  const stages = knowsDeploy ? ["deploy"] : [];
  const meets = (rule: Message): boolean =>
    (numberOf(rule, "phase", ["TRAIN", "TEST"]) ?? 1) === 1 &&
    (numberOf(rule, "min_level") ?? 0) <= 0 &&
    (numberOf(rule, "max_level") ?? 0) >= 0 &&
    textsOf(rule, "stage").every((stage) => stages.includes(stage)) &&
    !textsOf(rule, "not_stage").some((stage) => stages.includes(stage));
  return ({ fields }) => {
    const include = messagesOf(fields, "include");
    return include.length > 0 ? include.some(meets) : !messagesOf(fields, "exclude").some(meets);
  };
}

/** The second outputs of what feeds photos: their labels. */
function labelBlobs(layers: readonly CaffeLayer[], input: string): Set<string> {
  const tops = layers.filter(({ type }) => feeding.includes(type)).flatMap(({ fields }) => textsOf(fields, "top"));
  return new Set(tops.filter((top) => top !== input));
}

/** How the layer that fed photos prepared them, in the words of --preprocess: nothing else in the file says it. */
function transformNotes(layers: readonly CaffeLayer[]): string[] {
  for (const { type, fields, name } of layers) {
    const [transform] = messagesOf(fields, "transform_param");
    if (!feeding.includes(type) || transform === undefined) continue;
    const [scale, means] = [numberOf(transform, "scale") ?? 1, numbersOf(transform, "mean_value")];
    const [meanFile] = textsOf(transform, "mean_file");
    if (scale === 1 && means.length === 0 && meanFile === undefined) continue;
    // Caffe subtracts the mean before it scales.
    const mean = meanFile === undefined ? means.map((value) => value * scale).join(" ") || "0" : meanFile;
    return [
      `its layer "${name}" prepared photos with order=bgr, scale=${scale}, mean=${mean}. That is used only when --preprocess says the same.`,
    ];
  }
  return [];
}

/** The blob that photos enter by, and its [C,H,W] where stated: `input`, an Input layer, or a training net's data layer. */
function findInput(net: CaffeNet, layers: readonly CaffeLayer[], what: string): { blob: string; shape?: Shape } {
  const read = new Set(layers.flatMap(({ fields }) => textsOf(fields, "bottom")));
  const named = textsOf(net.fields, "input");
  const used = named.filter((blob) => read.has(blob)); // detectors declare sizes of photos, which classifiers do not read
  if (used.length > 1) {
    throw new UnsupportedError(`${what}: the network has several inputs: ${used.join(", ")}.`);
  }
  // A snapshot of training knows the layer that fed it; another stood in its place at test.
  const feeders = [...layers, ...net.layers].filter(
    ({ type, fields }) => feeding.includes(type) && textsOf(fields, "top").length > 0,
  );
  const [feeder] = feeders;
  const blob = used[0] ?? named[0] ?? textsOf(feeder?.fields, "top")[0];
  if (blob === undefined) throw new FormatError(`${what}: the network has no input.`);
  const at = Math.max(0, named.indexOf(blob));
  const shapes = [
    ...messagesOf(net.fields, "input_shape"),
    ...messagesOf(feeder?.fields, "input_param").flatMap((parameter) => messagesOf(parameter, "shape")),
  ].map((shape) => numbersOf(shape, "dim"));
  const sizes = shapes[at] ?? numbersOf(net.fields, "input_dim").slice(4 * at, 4 * at + 4);
  if (sizes.length === 4) return { blob, shape: sizes.slice(1) };
  const crops = feeders.map(({ fields }) => numberOf(messagesOf(fields, "transform_param")[0], "crop_size") ?? 0);
  const crop = crops.find((size) => size > 0);
  return crop === undefined ? { blob } : { blob, shape: [3, crop, crop] };
}

/** The node that nobody reads; of several losses the one that counts most (GoogLeNet's others are training's aids). */
function findOutput(
  nodes: readonly NodeDefinition[],
  layers: readonly CaffeLayer[],
  what: string,
  wish: string | undefined,
): string {
  if (wish !== undefined && nodes.some(({ name }) => name === wish)) return wish;
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const ends = nodes.filter(({ name }) => !read.has(name)).map(({ name }) => name);
  if (wish !== undefined) throw new RangeError(`${what}: there is no output "${wish}"; there are ${ends.join(", ")}.`);
  const weightOf = (name: string): number => {
    const layer = layers.find((one) => one.name === name);
    return layer !== undefined && /Loss$/.test(layer.type) ? (numbersOf(layer.fields, "loss_weight")[0] ?? 1) : 1;
  };
  const most = Math.max(...ends.map(weightOf));
  const [only, second] = ends.filter((name) => weightOf(name) === most);
  if (only === undefined || second !== undefined) {
    const hint = ends.length > 1 ? " Name the one that counts." : "";
    throw new UnsupportedError(`${what}: the network must have one output, got ${ends.join(", ") || "none"}.${hint}`);
  }
  return only;
}
