import { didYouMean, FormatError, UnsupportedError } from "../engine/errors.ts";
import { elementCount, formatShape } from "../engine/tensor.ts";
import { type Dtype, dtypeBytes, isFloat, toFloat32 } from "./dtype.ts";
import type { Hdf5Dataset, Hdf5File, Hdf5Group, OpenHdf5 } from "./hdf5.ts";
import { inflatedSource } from "./inflate.ts";
import { type ByteSource, partOf, readRange } from "./source.ts";
import { checkedElementCount, rowCountOf, type TensorInfo, type WeightFile } from "./weight-file.ts";
import { looksLikeZip, readZip, type ZipEntry } from "./zip.ts";

/** Largest topology that is read, as for TensorFlow.js; those of large networks have some hundred kB. */
const maximumTopologyBytes = 64 << 20;
/** Largest block that the HDF5 library is asked for at a time; it lies in its memory and is copied from there. */
const blockBytes = 4 << 20;

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A file of Keras's: its weights as `<layer>/<part>` and, unless it holds weights alone, its topology. */
export interface KerasFile {
  readonly weights: WeightFile;
  readonly topology?: unknown;
}

/** A dataset under the name that the loader gives it. */
interface NamedDataset {
  readonly name: string;
  readonly dataset: Hdf5Dataset;
  readonly dtype: Dtype;
}

function unreadable(file: string): UnsupportedError {
  return new UnsupportedError(`${file}: it is an HDF5 file, and nothing here can read HDF5.`);
}

/** Opens any file of Keras's, as `openKeras` and `openKerasArchive`. */
export async function openKerasFile(source: ByteSource, name: string, open: OpenHdf5 | undefined): Promise<KerasFile> {
  const start = await source.read(0, Math.min(8, source.byteLength));
  if (!looksLikeZip(start)) return openKeras(source, name, open);
  return openKerasArchive(source, name, await readZip(source, `weights "${name}"`), open);
}

/**
 * Opens an HDF5 file of Keras's: a model (`model.save("x.h5")`), the weights of Keras 2 (`save_weights("x.h5")`) or of Keras 3
 * (`save_weights("x.weights.h5")`). Tensors keep Keras' axis order.
 * Source: keras/src/legacy/saving/legacy_h5_format.py and keras/src/saving/saving_lib.py of Keras 3.15.
 * @throws FormatError when it is damaged or not Keras's; UnsupportedError when HDF5 cannot be read here
 */
export async function openKeras(source: ByteSource, name: string, open: OpenHdf5 | undefined): Promise<KerasFile> {
  const file = `weights "${name}"`;
  if (open === undefined) throw unreadable(file);
  const hdf5 = await open(0, source.byteLength);
  const { root } = hdf5;
  const [config] = root.attributes.get("model_config") ?? [];
  const legacy = root.groups.get("model_weights") ?? (hasLayerNames(root) ? root : undefined);
  const tensors = legacy === undefined ? objectTensors(root, undefined, file) : legacyTensors(legacy, file);
  const topology = config === undefined ? undefined : parseTopology(config, `${file}: its model_config`);
  return kerasFile(name, hdf5, source.byteLength, tensors, topology);
}

/** True for a zip archive that Keras 3 saved a model in. */
export function isKerasArchive(entries: ReadonlyMap<string, ZipEntry>): boolean {
  return entries.has("config.json") && entries.has("model.weights.h5");
}

/** Opens a model that Keras 3 saved (`model.save("x.keras")`): a zip of its topology and an HDF5 file of its weights. */
export async function openKerasArchive(
  source: ByteSource,
  name: string,
  entries: ReadonlyMap<string, ZipEntry>,
  open: OpenHdf5 | undefined,
): Promise<KerasFile> {
  const file = `weights "${name}"`;
  const [config, data] = [entries.get("config.json"), entries.get("model.weights.h5")];
  if (config === undefined || data === undefined) throw new FormatError(`${file}: config.json or weights are missing.`);
  if (open === undefined) throw unreadable(file);
  if (data.method !== 0) {
    throw new UnsupportedError(
      `${file}: its weights are compressed in the archive. Save it by Keras itself, which stores them.`,
    );
  }
  if (config.bytes > maximumTopologyBytes) {
    throw new FormatError(`${file}: a config.json of ${config.bytes} bytes is too large.`);
  }
  const text =
    config.method === 0
      ? partOf(source, config.offset, config.bytes)
      : inflatedSource(source, config, `${file}: config.json`);
  const bytes = await readRange(text, 0, config.bytes, `${file}: config.json`);
  const topology = parseTopology(new TextDecoder().decode(bytes), `${file}: its config.json`);
  const hdf5 = await open(data.offset, data.bytes);
  return kerasFile(name, hdf5, data.bytes, objectTensors(hdf5.root, topology, file), topology);
}

function parseTopology(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FormatError(`${what} is not JSON. The file is damaged: get a fresh copy.`);
  }
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

function kerasFile(
  name: string,
  hdf5: Hdf5File,
  byteLength: number,
  datasets: readonly NamedDataset[],
  topology: unknown,
): KerasFile {
  const tensors = new Map<string, TensorInfo & NamedDataset>();
  for (const one of datasets) {
    const what = `weights "${name}": tensor "${one.name}"`;
    const { shape } = one.dataset;
    if (tensors.has(one.name)) throw new FormatError(`${what} occurs twice.`);
    const count = checkedElementCount(shape, what);
    // HDF5 gives zeros for data that was never written, so that a small file can claim any size.
    if (count > byteLength) {
      throw new FormatError(
        `${what}: shape ${formatShape(shape)} has ${count} elements, more than the file has bytes (${byteLength}). It is truncated or damaged: get a fresh copy.`,
      );
    }
    tensors.set(one.name, { ...one, shape });
  }

  const readRows: WeightFile["readRows"] = async (tensorName, firstRow, rowCount) => {
    const tensor = tensors.get(tensorName);
    if (tensor === undefined) {
      throw new RangeError(
        `weights "${name}": there is no tensor "${tensorName}".${didYouMean(tensorName, tensors.keys())}`,
      );
    }
    const { dtype, shape, dataset } = tensor;
    const what = `weights "${name}": tensor "${tensorName}"`;
    if (!isFloat(dtype))
      throw new UnsupportedError(`${what} holds ${dtype}, but weights must be f32, f16, bf16 or f64.`);
    const rows = rowCountOf(shape);
    if (!(firstRow >= 0 && rowCount >= 0 && firstRow + rowCount <= rows)) {
      throw new RangeError(`${what}: rows ${firstRow} to ${firstRow + rowCount} asked for, but it has ${rows}.`);
    }
    const width = elementCount(shape.slice(1));
    const result = new Float32Array(rowCount * width);
    const step = Math.max(1, Math.floor(blockBytes / Math.max(1, width * dtypeBytes[dtype])));
    for (let row = 0; row < rowCount && width > 0; row += step) {
      const count = Math.min(step, rowCount - row);
      const bytes = await hdf5.readRows(dataset.path, firstRow + row, count);
      if (bytes.byteLength !== count * width * dtypeBytes[dtype]) {
        throw new FormatError(
          `${what}: ${bytes.byteLength} bytes came, ${count * width * dtypeBytes[dtype]} were expected.`,
        );
      }
      result.set(toFloat32(bytes, dtype), row * width);
    }
    return result;
  };
  const [version] = (hdf5.root.groups.get("model_weights") ?? hdf5.root).attributes.get("keras_version") ?? [];
  const weights: WeightFile = {
    name,
    format: topology === undefined ? "keras-weights" : "keras",
    metadata: version === undefined ? {} : { kerasVersion: version },
    tensors,
    readRows,
    read: async (tensor) => readRows(tensor, 0, rowCountOf(tensors.get(tensor)?.shape ?? [])),
  };
  return topology === undefined ? { weights } : { weights, topology };
}
