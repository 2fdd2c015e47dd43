import { didYouMean, FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, formatShape } from "../../engine/basics/tensor.ts";
import { isObject } from "../bytes/json.ts";
import { type ByteSource, partOf, readRange } from "../bytes/source.ts";
import { inflatedSource } from "../containers/inflate.ts";
import { looksLikeZip, readZip, type ZipEntry } from "../containers/zip.ts";
import { dtypeBytes, isFloat, toFloat32 } from "../tensors/dtype.ts";
import { checkedElementCount, rowCountOf, type TensorInfo, type WeightFile } from "../tensors/weight-file.ts";
import type { Hdf5File, OpenHdf5 } from "./hdf5.ts";
import { kerasTensors, type NamedDataset } from "./layout.ts";

/** Largest topology that is read, as for TensorFlow.js; those of large networks have some hundred kB. */
const maximumTopologyBytes = 64 << 20;
/** Largest block that the HDF5 library is asked for at a time; it lies in its memory and is copied from there. */
const blockBytes = 4 << 20;

/** A file of Keras's: its weights as `<layer>/<part>` and, unless it holds weights alone, its topology. */
export interface KerasFile {
  readonly weights: WeightFile;
  readonly topology?: unknown;
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
  const topology = config === undefined ? undefined : parseTopology(config, `${file}: its model_config`);
  const tensors = kerasTensors(root, topology, file);
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
  const topology = parseTopology(await entryText(source, config, file), `${file}: its config.json`);
  const hdf5 = await open(data.offset, data.bytes);
  const version = await archiveVersion(source, entries.get("metadata.json"), file);
  return kerasFile(name, hdf5, data.bytes, kerasTensors(hdf5.root, topology, file), topology, version);
}

async function entryText(source: ByteSource, entry: ZipEntry, file: string): Promise<string> {
  const what = `${file}: ${entry.name}`;
  const bytes = entry.method === 0 ? partOf(source, entry.offset, entry.bytes) : inflatedSource(source, entry, what);
  return new TextDecoder().decode(await readRange(bytes, 0, entry.bytes, what));
}

/** Largest metadata.json that is read; Keras writes some 60 bytes. */
const maximumMetadataBytes = 1 << 16;

type KerasTensors = ReadonlyMap<string, TensorInfo & NamedDataset>;

/** The tensors by name. @throws FormatError for two of one name, and for more elements than the file has bytes */
function checkedTensors(name: string, byteLength: number, datasets: readonly NamedDataset[]): KerasTensors {
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
  return tensors;
}

/** Reads rows of the tensors, by blocks, so that a tensor is not in memory twice. */
function rowReader(name: string, hdf5: Hdf5File, tensors: KerasTensors): WeightFile["readRows"] {
  return async (tensorName, firstRow, rowCount) => {
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
}

/** The version of Keras that wrote an archive: what some activations mean depends on it. */
async function archiveVersion(
  source: ByteSource,
  entry: ZipEntry | undefined,
  file: string,
): Promise<string | undefined> {
  if (entry === undefined || entry.bytes > maximumMetadataBytes) return undefined;
  const metadata = parseTopology(await entryText(source, entry, file), `${file}: its metadata.json`);
  const version = isObject(metadata) ? metadata["keras_version"] : undefined;
  return typeof version === "string" ? version : undefined;
}

function parseTopology(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FormatError(`${what} is not JSON. The file is damaged: get a fresh copy.`);
  }
}

function kerasFile(
  name: string,
  hdf5: Hdf5File,
  byteLength: number,
  datasets: readonly NamedDataset[],
  topology: unknown,
  archive?: string,
): KerasFile {
  const tensors = checkedTensors(name, byteLength, datasets);
  const readRows = rowReader(name, hdf5, tensors);
  const [stated] = (hdf5.root.groups.get("model_weights") ?? hdf5.root).attributes.get("keras_version") ?? [];
  const version = stated ?? archive;
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
