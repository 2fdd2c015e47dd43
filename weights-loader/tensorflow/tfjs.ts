import { FormatError, refuseUnknownOptions, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount } from "../../engine/basics/tensor.ts";
import type { ExternalData } from "../bytes/external-data.ts";
import { isObject, type Json } from "../bytes/json.ts";
import { isSafeRelativePath } from "../bytes/safe-relative-path.ts";
import { type ByteSource, bytesSource, checkRange, readRange } from "../bytes/source.ts";
import type { ImportedNetwork } from "../graphs/imported-network.ts";
import { storedPrecisionNote } from "../graphs/precision-notes.ts";
import { importKeras, type KerasImportOptions } from "../keras/import.ts";
import { type Dtype, dtypeBytes } from "../tensors/dtype.ts";
import { storedWeights } from "../tensors/stored-weights.ts";
import { checkedElementCount, type StoredTensor, type WeightFile } from "../tensors/weight-file.ts";
import { importGraphModel, isGraphTopology } from "./graph-model.ts";

/** Largest model.json that is read; those of large networks have some hundred kB. */
const maximumBytes = 64 << 20;

/** TensorFlow.js's element types, and those of quantised weights. */
const dtypes: Readonly<Record<string, Dtype>> = {
  float32: "f32",
  float16: "f16",
  int32: "i32",
  uint8: "u8",
  uint16: "u16",
  bool: "bool",
};

const isText = (value: unknown): value is string => typeof value === "string";

/** Several sources one behind the other, as one. */
function joined(sources: readonly ByteSource[]): ByteSource {
  const byteLength = sources.reduce((sum, source) => sum + source.byteLength, 0);
  return {
    byteLength,
    read: async (offset, length) => {
      checkRange(offset, length, byteLength);
      let start = 0;
      const result = new Uint8Array(length);
      for (const source of sources) {
        const from = Math.max(offset, start);
        const to = Math.min(offset + length, start + source.byteLength);
        if (from < to) result.set(await source.read(from - start, to - from), from - offset);
        start += source.byteLength;
      }
      return result;
    },
  };
}

/** True when a file starts as a JSON object, which among weight files only TensorFlow.js's model.json does. */
export function looksLikeTfjs(start: Uint8Array): boolean {
  return new TextDecoder().decode(start).trimStart().startsWith("{"); // a byte order mark is passed over
}

/**
 * Opens a TensorFlow.js model.json (layers or graph model): tensors under their own names and in TensorFlow's axis order, with
 * the shards beside it. Affine 1- and 2-byte quantisation is undone when a tensor is read.
 * Source: tensorflow/tfjs, tfjs-core/src/io/types.ts, `WeightsManifestConfig`.
 */
export async function openTfjs(source: ByteSource, name: string, external?: ExternalData): Promise<WeightFile> {
  const { manifest, model } = await readModel(source, `weights "${name}"`);
  const tensors = await storedTensors(manifest, name, external);
  const format = isText(model["format"]) ? model["format"] : "layers-model";
  return storedWeights({ name, format: "tfjs", metadata: { model: format } }, tensors);
}

/** The tensors of a manifest, in the shards beside the model. */
async function storedTensors(
  manifest: readonly unknown[],
  name: string,
  external?: ExternalData,
): Promise<StoredTensor[]> {
  const file = `weights "${name}"`;
  const tensors: StoredTensor[] = [];
  for (const group of manifest) {
    const paths: unknown = isObject(group) ? group["paths"] : undefined;
    const weights: unknown = isObject(group) ? group["weights"] : undefined;
    if (!Array.isArray(paths) || !paths.every(isText) || !Array.isArray(weights)) {
      throw new FormatError(`${file}: a group of "weightsManifest" needs "paths" and "weights".`);
    }
    const shards = await openShards(paths, file, external);
    let offset = 0;
    for (const entry of weights) {
      const tensor = tensorOf(entry, file, shards, offset);
      tensors.push(tensor);
      offset += elementCount(tensor.shape) * dtypeBytes[tensor.dtype];
    }
    if (offset !== shards.byteLength) {
      throw new FormatError(
        `${file}: the shards ${paths.join(", ")} have ${shards.byteLength} bytes, their tensors take ${offset}.`,
      );
    }
  }
  return tensors;
}

interface TfjsModel {
  readonly manifest: readonly unknown[];
  readonly model: Json;
}

async function readModel(source: ByteSource, file: string): Promise<TfjsModel> {
  if (source.byteLength > maximumBytes) {
    throw new FormatError(`${file}: a JSON file of ${source.byteLength} bytes is too large.`);
  }
  let model: unknown;
  try {
    const bytes = await readRange(source, 0, source.byteLength, file);
    model = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new FormatError(`${file}: not JSON in UTF-8. The file is damaged: get a fresh copy.`);
  }
  const shards = isObject(model) ? model["weight_map"] : undefined;
  if (isObject(shards)) {
    throw new FormatError(
      `${file}: an index of tensors that lie in ${new Set(Object.values(shards)).size} files, which are not read together. Put them into one file: save_pretrained(..., max_shard_size="1TB"), or load_file and save_file of safetensors.torch.`,
    );
  }
  const manifest = isObject(model) ? model["weightsManifest"] : undefined;
  if (!Array.isArray(manifest) || !isObject(model)) {
    throw new FormatError(`${file}: a JSON file without "weightsManifest" is no TensorFlow.js model.`);
  }
  return { manifest, model };
}

/** How to import a TensorFlow.js model. */
export interface TfjsImportOptions extends KerasImportOptions {
  /** How messages call the file; default "unnamed". */
  readonly name?: string;
  /** Opens the shards beside the model. */
  readonly external?: ExternalData;
}

/** The names of these options. */
export const tfjsOptionNames = Object.keys({
  name: true,
  preprocessing: true,
  external: true,
  inputShape: true,
  inputShapeIfOpen: true,
  output: true,
} satisfies Record<keyof TfjsImportOptions, true>) as readonly (keyof TfjsImportOptions)[];

/**
 * A TensorFlow.js model as a network: a layers model by its layers, a graph model by its operators.
 * @throws UnsupportedError that lists every layer which cannot be converted; FormatError for damage
 */
export async function importTfjs(source: ByteSource, options: TfjsImportOptions): Promise<ImportedNetwork> {
  refuseUnknownOptions("importTfjs", options, tfjsOptionNames);
  const name = options.name ?? "unnamed";
  const { model, manifest } = await readModel(source, `weights "${name}"`);
  const topology = model["modelTopology"];
  const imported = isGraphTopology(topology)
    ? await importGraphModel(
        { topology, signature: model["signature"] },
        await storedTensors(manifest, name, options.external),
        { ...options, name },
      )
    : importKeras(topology, await openTfjs(source, name, options.external), options);
  return { ...imported, notes: [...(imported.notes ?? []), ...storedNotes(manifest)] };
}

/** What the tensors are stored as, where that is less than float32. */
function storedNotes(manifest: readonly unknown[]): string[] {
  const tensors = manifest.flatMap((group) =>
    isObject(group) && Array.isArray(group["weights"]) ? group["weights"] : [],
  );
  const kinds = tensors.flatMap((entry: unknown) => {
    const quantization = isObject(entry) ? entry["quantization"] : undefined;
    return isObject(quantization) ? [String(quantization["dtype"])] : [];
  });
  return Array.from(new Set(kinds), (kind) => {
    const count = kinds.filter((other) => other === kind).length;
    return storedPrecisionNote(count, tensors.length, kind);
  });
}

async function openShards(paths: readonly string[], file: string, external?: ExternalData): Promise<ByteSource> {
  const sources: ByteSource[] = [];
  for (const path of paths) {
    if (!isSafeRelativePath(path)) {
      throw new FormatError(`${file}: the shard "${path}" would lie outside the model's folder.`);
    }
    if (external === undefined) {
      throw new UnsupportedError(
        `${file}: the weights lie in "${path}" beside the model, and nothing here can open it.`,
      );
    }
    sources.push(await external(path));
  }
  return sources.length === 0 ? bytesSource(new Uint8Array(0)) : joined(sources);
}

function tensorOf(entry: unknown, file: string, source: ByteSource, offset: number): StoredTensor {
  if (!isObject(entry) || !isText(entry["name"]) || !isText(entry["dtype"]) || !Array.isArray(entry["shape"])) {
    throw new FormatError(`${file}: a tensor of "weightsManifest" needs "name", "shape" and "dtype".`);
  }
  const { name, shape, dtype: dtypeName } = entry as { name: string; shape: unknown[]; dtype: string };
  const what = `${file}: tensor "${name}"`;
  const sizes = shape.map((size) => (typeof size === "number" ? size : Number.NaN));
  checkedElementCount(sizes, what);
  const { quantization } = entry as { quantization?: unknown };
  const stored = isObject(quantization) ? quantization["dtype"] : dtypeName;
  const dtype = isText(stored) && Object.hasOwn(dtypes, stored) ? dtypes[stored] : undefined;
  if (dtype === undefined) throw new UnsupportedError(`${what} holds ${String(stored)}, which is not supported.`);
  const place = { name, dtype, shape: sizes, source, offset };
  if (!isObject(quantization) || dtype === "f16") return place;
  const { scale, min } = quantization;
  if ((dtype !== "u8" && dtype !== "u16") || typeof scale !== "number" || typeof min !== "number") {
    throw new FormatError(`${what}: its quantisation needs uint8 or uint16, "scale" and "min".`);
  }
  return { ...place, isQuantized: true, quantization: { scale, offset: min } };
}
