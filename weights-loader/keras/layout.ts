import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { Dtype } from "../tensors/dtype.ts";
import type { Hdf5Dataset, Hdf5Group } from "./hdf5.ts";

// Where Keras' versions put their weights in an HDF5 file, and what the loader calls them: `<layer>/<part>`.

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A dataset under the name that the loader gives it. */
export interface NamedDataset {
  readonly name: string;
  readonly dataset: Hdf5Dataset;
  readonly dtype: Dtype;
}

/**
 * The weights in an HDF5 file, in the file's order of layers where it has one.
 * @param topology the network's, where it is known: Keras 3 numbers the weights and does not name them
 * @throws FormatError when the file is damaged or not Keras's; UnsupportedError for networks inside networks and what is no number
 */
export function kerasTensors(root: Hdf5Group, topology: unknown, file: string): NamedDataset[] {
  const legacy = root.groups.get("model_weights") ?? (hasLayerNames(root) ? root : undefined);
  return legacy === undefined ? objectTensors(root, topology, file) : legacyTensors(legacy, file);
}

/** A list of text that may be split over several attributes. */
function textsOf(group: Hdf5Group, name: string): readonly string[] {
  const whole = group.attributes.get(name);
  if (whole !== undefined) return whole;
  const all: string[] = [];
  for (let i = 0; ; i++) {
    const part = group.attributes.get(`${name}${i}`);
    if (part === undefined) return all;
    all.push(...part);
  }
}

function hasLayerNames({ attributes }: Hdf5Group): boolean {
  return attributes.has("layer_names") || attributes.has("layer_names0");
}

function named(name: string, dataset: Hdf5Dataset, file: string): NamedDataset {
  const { dtype } = dataset;
  if (dtype === undefined) {
    throw new UnsupportedError(
      `${file}: tensor "${name}" holds ${dataset.elements}, but weights must be f32, f16, bf16 or f64.`,
    );
  }
  return { name, dataset, dtype };
}

/** The layers' groups name their weights in order: `conv1/kernel:0`, in the first Keras `conv1_W_1:0`. */
function legacyTensors(group: Hdf5Group, file: string): NamedDataset[] {
  return textsOf(group, "layer_names").flatMap((layer) => {
    const own = group.groups.get(layer);
    if (own === undefined) {
      throw new FormatError(`${file}: layer "${layer}" is listed, but missing. The file is damaged: get a fresh copy.`);
    }
    const names = textsOf(own, "weight_names");
    const short = names.map((weight) => `${layer}/${partName(weight, layer)}`);
    const isUnique = new Set(short).size === short.length; // a network inside a network repeats the parts' names
    return names.map((weight, i) => {
      const dataset = datasetAt(own, weight);
      if (dataset === undefined) {
        throw new FormatError(
          `${file}: the weight "${weight}" of layer "${layer}" is listed, but missing. The file is damaged: get a fresh copy.`,
        );
      }
      return named(isUnique ? (short[i] ?? "") : `${layer}/${weight}`, dataset, file);
    });
  });
}

/** What a weight is to its layer. Keras 1 called kernel and bias W and b, with the layer's name before them. */
function partName(weight: string, layer: string): string {
  const last = (weight.split("/").at(-1) ?? "").replace(/:\d+$/, "");
  const old = last.startsWith(`${layer}_`) ? /^(W|b)(_\d+)?$/.exec(last.slice(layer.length + 1)) : null;
  if (old !== null) return old[1] === "W" ? "kernel" : "bias";
  return last;
}

function datasetAt(group: Hdf5Group, path: string): Hdf5Dataset | undefined {
  const steps = path.split("/");
  const last = steps.pop() ?? "";
  let at: Hdf5Group | undefined = group;
  for (const step of steps) at = at?.groups.get(step);
  return at?.datasets.get(last);
}

/** Keras 3 calls layers by their class and a number, and their weights 0, 1, 2 in the order in which they were made. */
function objectTensors(root: Hdf5Group, topology: unknown, file: string): NamedDataset[] {
  // Keras 2.12 called the group after the checkpoints that it then took the idea from.
  const layers = root.groups.get("layers") ?? root.groups.get("_layer_checkpoint_dependencies");
  if (layers === undefined) {
    throw new FormatError(
      `${file}: an HDF5 file, but not Keras's: it has none of model_weights, layer_names and layers. Save the network by Keras.`,
    );
  }
  const known = layersByClass(topology);
  const keys = Array.from(layers.groups.keys()).sort((a, b) => {
    const [[one, i], [other, j]] = [numbered(a), numbered(b)];
    return one < other ? -1 : one > other ? 1 : i - j;
  });
  return keys.flatMap((key) => {
    const group = layers.groups.get(key);
    const vars = group?.groups.get("vars");
    if (group?.groups.has("layers")) {
      throw new UnsupportedError(`${file}: layer "${key}" is a network inside the network. Save it without nesting.`);
    }
    if (vars === undefined) return [];
    const layer = known.get(key);
    const name = layer?.name ?? vars.attributes.get("name")?.[0] ?? key;
    const parts = partsOf(numbered(key)[0], vars.datasets.size, layer?.config);
    return Array.from(vars.datasets.keys())
      .sort((a, b) => Number(a) - Number(b))
      .map((index) => {
        const dataset = vars.datasets.get(index);
        if (dataset === undefined) throw new FormatError(`${file}: weight ${index} of layer "${key}" is missing.`);
        return named(`${name}/${parts[Number(index)] ?? index}`, dataset, file);
      });
  });
}

/** "conv2d_12" as ["conv2d", 12]. */
function numbered(key: string): [name: string, number: number] {
  const found = /^(.*)_(\d+)$/.exec(key);
  return found === null ? [key, 0] : [found[1] ?? "", Number(found[2])];
}

/** The layers of a topology under the keys that Keras 3 stores them by. */
function layersByClass(topology: unknown): Map<string, { name: string; config: Json }> {
  const outer = isObject(topology) ? topology["config"] : undefined;
  const list = isObject(outer) ? outer["layers"] : undefined;
  const used = new Map<string, number>();
  const known = new Map<string, { name: string; config: Json }>();
  for (const layer of Array.isArray(list) ? list : []) {
    const config = isObject(layer) ? layer["config"] : undefined;
    if (!isObject(layer) || !isObject(config)) continue;
    const snake = snakeCase(String(layer["class_name"]));
    const count = used.get(snake) ?? 0;
    used.set(snake, count + 1);
    known.set(count === 0 ? snake : `${snake}_${count}`, { name: String(config["name"]), config });
  }
  return known;
}

/** As keras.src.utils.naming.to_snake_case: DepthwiseConv2D is depthwise_conv2d. */
function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/** The weights of a kind of layer in the order in which Keras makes them; none where their number does not fit. */
function partsOf(kind: string, count: number, config: Json = {}): readonly string[] {
  const isNorm = kind === "batch_normalization";
  const parts = isNorm
    ? [
        ...(config["scale"] === false ? [] : ["gamma"]),
        ...(config["center"] === false ? [] : ["beta"]),
        "moving_mean",
        "moving_variance",
      ]
    : ["kernel", "bias"].slice(0, count);
  return parts.length === count ? parts : [];
}
