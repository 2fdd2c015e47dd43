import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { isObject, type Json } from "../bytes/json.ts";
import type { Dtype } from "../tensors/dtype.ts";
import type { Hdf5Dataset, Hdf5Group } from "./hdf5.ts";
import { isModel, outerModel } from "./topology.ts";

// Where Keras' versions put their weights in an HDF5 file, and what the loader calls them: `<layer>/<part>`.

/** A dataset under the name that the loader gives it. */
export interface NamedDataset {
  readonly name: string;
  readonly dataset: Hdf5Dataset;
  readonly dtype: Dtype;
}

/**
 * The weights in an HDF5 file, in the file's order of layers where it has one.
 * @param topology the network's, where it is known: Keras 3 numbers the weights and does not name them
 * @throws FormatError when the file is damaged or not Keras's; UnsupportedError for what is no number
 */
export function kerasTensors(root: Hdf5Group, topology: unknown, file: string): NamedDataset[] {
  const legacy = root.groups.get("model_weights") ?? (hasLayerNames(root) ? root : undefined);
  return legacy === undefined
    ? objectTensors(root, outerModel(topology), file)
    : legacyTensors(legacy, innerModels(topology), file);
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

/** Names of the layers that are models themselves. */
function innerModels(topology: unknown): ReadonlySet<string> {
  return new Set(
    layersOf(outerModel(topology))
      .filter(isModel)
      .map((layer) => String(layer["name"] ?? (isObject(layer["config"]) ? layer["config"]["name"] : ""))),
  );
}

/**
 * The layers' groups name their weights in order: `conv1/kernel:0`, in the first Keras `conv1_W_1:0`. HDF5 takes the slashes in a
 * layer's name for groups in groups.
 */
function legacyTensors(group: Hdf5Group, models: ReadonlySet<string>, file: string): NamedDataset[] {
  return textsOf(group, "layer_names").flatMap((layer) => {
    const own = groupAt(group, layer.split("/"));
    if (own === undefined) {
      throw new FormatError(`${file}: layer "${layer}" is listed, but missing. The file is damaged: get a fresh copy.`);
    }
    const names = textsOf(own, "weight_names");
    const short = names.map((weight) => `${layer}/${partName(weight, layer)}`);
    const isUnique = !models.has(layer) && new Set(short).size === short.length;
    return names.map((weight, i) => {
      const dataset = datasetAt(own, weight);
      if (dataset === undefined) {
        throw new FormatError(
          `${file}: the weight "${weight}" of layer "${layer}" is listed, but missing. The file is damaged: get a fresh copy.`,
        );
      }
      return named(isUnique ? (short[i] ?? "") : `${layer}/${weight.replace(/:\d+$/, "")}`, dataset, file);
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

function groupAt(group: Hdf5Group, steps: readonly string[]): Hdf5Group | undefined {
  let at: Hdf5Group | undefined = group;
  for (const step of steps) at = at?.groups.get(step);
  return at;
}

function datasetAt(group: Hdf5Group, path: string): Hdf5Dataset | undefined {
  const steps = path.split("/");
  const last = steps.pop() ?? "";
  return groupAt(group, steps)?.datasets.get(last);
}

/** Models inside models, at most. */
const maximumDepth = 16;

/** Keras 3 calls layers by their class and a number, and their weights 0, 1, 2 in the order in which they were made. */
function objectTensors(root: Hdf5Group, model: unknown, file: string, prefix = "", depth = 0): NamedDataset[] {
  // Keras 2.12 called the group after the checkpoints that it then took the idea from.
  const layers = root.groups.get("layers") ?? root.groups.get("_layer_checkpoint_dependencies");
  if (layers === undefined) {
    throw new FormatError(
      `${file}: an HDF5 file, but not Keras's: it has none of model_weights, layer_names and layers. Save the network by Keras.`,
    );
  }
  if (depth > maximumDepth) throw new FormatError(`${file}: models nested more than ${maximumDepth} deep.`);
  const known = layersByClass(model);
  const keys = Array.from(layers.groups.keys()).sort((a, b) => {
    const [[one, i], [other, j]] = [numbered(a), numbered(b)];
    return one < other ? -1 : one > other ? 1 : i - j;
  });
  return keys.flatMap((key) => {
    const group = layers.groups.get(key);
    const vars = group?.groups.get("vars");
    const layer = known.get(key);
    const name = prefix + (layer?.name ?? vars?.attributes.get("name")?.[0] ?? key);
    if (group?.groups.has("layers")) return objectTensors(group, layer?.entry, file, `${name}/`, depth + 1);
    if (vars === undefined) return [];
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

/** A model's list of layers, or none. */
function layersOf(model: unknown): readonly unknown[] {
  const config = isObject(model) ? model["config"] : undefined;
  const list = isObject(config) ? config["layers"] : undefined;
  return Array.isArray(list) ? list : [];
}

/** The layers of a model under the keys that Keras 3 stores them by. */
function layersByClass(model: unknown): Map<string, { name: string; config: Json; entry: Json }> {
  const used = new Map<string, number>();
  const known = new Map<string, { name: string; config: Json; entry: Json }>();
  for (const entry of layersOf(model)) {
    const config = isObject(entry) ? entry["config"] : undefined;
    if (!isObject(entry) || !isObject(config)) continue;
    const snake = snakeCase(String(entry["class_name"]));
    const count = used.get(snake) ?? 0;
    used.set(snake, count + 1);
    known.set(count === 0 ? snake : `${snake}_${count}`, { name: String(config["name"]), config, entry });
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

/** Weights of layers that have others than kernel and bias, in the order in which Keras makes them. */
const ownParts: Readonly<Record<string, readonly string[]>> = {
  layer_scale: ["gamma"],
  normalization: ["mean", "variance", "count"],
  p_re_lu: ["alpha"],
  separable_conv1d: ["depthwise_kernel", "pointwise_kernel", "bias"],
  separable_conv2d: ["depthwise_kernel", "pointwise_kernel", "bias"],
};

/** The weights of a kind of layer in the order in which Keras makes them; none where their number does not fit. */
function partsOf(kind: string, count: number, config: Json = {}): readonly string[] {
  const affine = [...(config["scale"] === false ? [] : ["gamma"]), ...(config["center"] === false ? [] : ["beta"])];
  const isBatch = kind === "batch_normalization";
  const isNorm = isBatch || kind === "layer_normalization" || kind === "group_normalization";
  const parts = isNorm
    ? [...affine, ...(isBatch ? ["moving_mean", "moving_variance"] : [])]
    : (ownParts[kind] ?? ["kernel", "bias"]).slice(0, count);
  return parts.length === count ? parts : [];
}
