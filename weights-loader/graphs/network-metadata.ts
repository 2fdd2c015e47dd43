import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { NetworkDefinition, Preprocessing } from "../../engine/graph/definition.ts";
import type { WeightFile } from "../tensors/weight-file.ts";
import { isNode } from "./node-attributes.ts";

/** Keys under which a weight file's metadata carry what belongs to its weights. */
export const metadataKeys = {
  network: "srmap.network",
  preprocessing: "srmap.preprocessing",
} as const;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isSize = (value: unknown): value is number => isNumber(value) && Number.isSafeInteger(value) && value > 0;
const isListOf = <T>(value: unknown, is: (item: unknown) => item is T): value is readonly T[] =>
  Array.isArray(value) && value.every(is);

const isOneOf = (value: unknown, names: readonly string[]): boolean => isText(value) && names.includes(value);

function isPreprocessing(value: unknown): value is Preprocessing {
  return (
    isRecord(value) &&
    isOneOf(value["resize"], ["shorter", "squash", "fit", "none"]) &&
    isOneOf(value["channelOrder"], ["rgb", "bgr", "gray"]) &&
    isNumber(value["resizeTo"]) &&
    isNumber(value["scale"]) &&
    isListOf(value["mean"], isNumber) &&
    isListOf(value["std"], isNumber)
  );
}

function isNetwork(value: unknown): value is NetworkDefinition {
  return (
    isRecord(value) &&
    isText(value["name"]) &&
    isText(value["output"]) &&
    isListOf(value["inputShape"], isSize) &&
    isListOf(value["nodes"], isNode) &&
    (value["preprocessing"] === undefined || isPreprocessing(value["preprocessing"])) &&
    (value["labels"] === undefined || isListOf(value["labels"], isText))
  );
}

function parse(file: WeightFile, key: string): unknown {
  const text = file.metadata[key];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new FormatError(
      `weights "${file.name}": the metadata "${key}" is not JSON. The file is damaged: get a fresh copy.`,
    );
  }
}

/**
 * The network that a converted weight file carries along, or undefined. How its nodes fit together is checked when the network is built.
 * @throws FormatError when the metadata are no network
 */
export function networkOf(file: WeightFile): NetworkDefinition | undefined {
  const value = parse(file, metadataKeys.network);
  if (value === undefined || isNetwork(value)) return value;
  throw new FormatError(`weights "${file.name}": the metadata "${metadataKeys.network}" describe no network.`);
}

/** The preprocessing that a converted weight file carries along, or undefined. @throws FormatError when it is none */
export function preprocessingOf(file: WeightFile): Preprocessing | undefined {
  const value = parse(file, metadataKeys.preprocessing);
  if (value === undefined || isPreprocessing(value)) return value;
  throw new FormatError(`weights "${file.name}": the metadata "${metadataKeys.preprocessing}" are no preprocessing.`);
}

/**
 * Refuses weights whose origin prepares photos in another way than the network's definition says: with BGR weights and an RGB
 * photo everything runs, and every number is wrong.
 * @throws UnsupportedError naming both ways
 */
export function checkPairing(definition: NetworkDefinition, file: WeightFile): void {
  const wanted = definition.preprocessing;
  if (wanted === undefined) return; // it takes no photos
  const carried = preprocessingOf(file);
  const remedy = "Choose the network that these weights were made for, or name the preprocessing yourself.";
  if (carried !== undefined && JSON.stringify(carried) !== JSON.stringify(wanted)) {
    throw new UnsupportedError(
      `weights "${file.name}": they expect photos prepared as ${describe(carried)}, network "${definition.name}" prepares them as ${describe(wanted)}. ${remedy}`,
    );
  }
  if (carried === undefined && (file.format === "keras" || file.format === "keras-weights")) {
    throw new UnsupportedError(
      `weights "${file.name}": Keras files do not say how photos are prepared for their network, and network "${definition.name}" prepares them for other weights. Name the preprocessing.`,
    );
  }
  if (carried === undefined && file.format === "caffe" && wanted.channelOrder === "rgb") {
    throw new UnsupportedError(
      `weights "${file.name}": Caffe's networks expect BGR photos, network "${definition.name}" prepares them as ${describe(wanted)}. ${remedy}`,
    );
  }
}

function describe({ channelOrder, scale, mean, std, resize, resizeTo }: Preprocessing): string {
  const numbers = (list: readonly number[]): string => list.map((value) => Number(value.toPrecision(6))).join(" ");
  const size = resize === "none" ? "not resized" : resize === "fit" ? "squashed to the input" : `${resize} ${resizeTo}`;
  return `${channelOrder.toUpperCase()} (${size}, scale ${Number(scale.toPrecision(6))}, mean ${numbers(mean)}, std ${numbers(std)})`;
}
