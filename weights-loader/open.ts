import { FormatError } from "../engine/basics/errors.ts";
import type { ExternalData } from "./bytes/external-data.ts";
import type { ByteSource } from "./bytes/source.ts";
import { openCaffe } from "./caffe/model.ts";
import { ProtoReader } from "./containers/protobuf.ts";
import { looksLikeTar } from "./containers/tar.ts";
import { looksLikeZip, readZip } from "./containers/zip.ts";
import { isKerasArchive, openKeras, openKerasArchive } from "./keras/file.ts";
import { hasUserBlock, looksLikeHdf5, type OpenHdf5 } from "./keras/hdf5.ts";
import { looksLikeTfjs, openTfjs } from "./keras/tfjs.ts";
import { looksLikeNpy, openNpy, openNpz } from "./numpy/file.ts";
import { openOnnx } from "./onnx/model.ts";
import { looksLikeSafetensors, openSafetensors } from "./safetensors/file.ts";
import type { WeightFile } from "./tensors/weight-file.ts";
import { looksLikeLegacyTorch, openTorchLegacy, openTorchTar, openTorchZip, torchZipPickle } from "./torch/file.ts";

/** How to open a weight file. */
export interface OpenOptions {
  /** How messages call the file; default "unnamed". */
  readonly name?: string;
  /** Opens the files of ONNX external data and TensorFlow.js shards; without it such files are refused. */
  readonly external?: ExternalData;
  /** Reads HDF5, for the files of Keras; without it such files are refused. */
  readonly hdf5?: OpenHdf5;
}

/** Bytes that tell every format apart (tar's mark ends at 263). */
const startBytes = 512;

/**
 * Opens a weight file, its format told from its bytes (never from its name): safetensors, PyTorch (zip, legacy,
 * tar), ONNX, Caffe, NumPy, TensorFlow.js, Keras. Only headers are read.
 * @throws FormatError when the bytes are of no known format, or contradict themselves
 */
export async function openWeights(source: ByteSource, options: OpenOptions = {}): Promise<WeightFile> {
  const name = options.name ?? "unnamed";
  const start = await source.read(0, Math.min(startBytes, source.byteLength));
  if (looksLikeSafetensors(start, source.byteLength)) return openSafetensors(source, name);
  if (looksLikeLegacyTorch(start)) return openTorchLegacy(source, name);
  if (looksLikeTar(start)) return openTorchTar(source, name);
  if (looksLikeZip(start)) {
    const entries = await readZip(source, `weights "${name}"`);
    const pickle = torchZipPickle(entries);
    if (pickle !== undefined) return openTorchZip(source, name, entries, pickle);
    if (isKerasArchive(entries)) return (await openKerasArchive(source, name, entries, options.hdf5)).weights;
    if (Array.from(entries.keys()).some((entry) => entry.endsWith(".npy"))) return openNpz(source, name, entries);
    throw new FormatError(
      `weights "${name}": a zip archive without weights: no data.pkl (PyTorch), no .npy (NumPy) and no model.weights.h5 (Keras) in it.`,
    );
  }
  if (looksLikeHdf5(start)) return (await openKeras(source, name, options.hdf5)).weights;
  if (looksLikeNpy(start)) return openNpy(source, name);
  if (looksLikeTfjs(start)) return openTfjs(source, name, options.external);
  const protobuf = await protobufFormat(source);
  if (protobuf === "onnx") return openOnnx(source, name, options.external);
  if (protobuf === "caffe") return openCaffe(source, name);
  if (await hasUserBlock(source)) return (await openKeras(source, name, options.hdf5)).weights;
  throw unknownFormat(start, source.byteLength, name);
}

/**
 * Which of the two protobuf formats a file is: an ONNX model has a version number (1), a graph (7) and operator sets (8), a
 * Caffe network has a name (1) and layers (2 or 100). Both are a handful of fields at the outermost level.
 */
export async function protobufFormat(source: ByteSource): Promise<"onnx" | "caffe" | undefined> {
  const seen = new Set<string>();
  const isNoise = "not a model";
  try {
    await new ProtoReader(source, isNoise).fields({ offset: 0, length: source.byteLength }, ({ number, wire }) => {
      seen.add(`${number}:${wire}`);
      if (seen.size > 64) throw new FormatError(isNoise); // noise that happens to parse
    });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error; // a damaged model is told by what came before the damage
  }
  if (seen.has("1:0") && (seen.has("7:2") || seen.has("8:2"))) return "onnx";
  return seen.has("2:2") || seen.has("100:2") ? "caffe" : undefined;
}

/** What the bytes look like instead, because a web page or a pointer saved under a weight file's name is common. */
function unknownFormat(start: Uint8Array, byteLength: number, name: string): FormatError {
  const file = `weights "${name}"`;
  if (byteLength === 0) return new FormatError(`${file}: the file is empty.`);
  const text = new TextDecoder("latin1").decode(start).trimStart().toLowerCase();
  if (text.startsWith("version https://git-lfs")) {
    return new FormatError(
      `${file}: this is a Git LFS pointer, not the weights themselves. Fetch them with "git lfs pull".`,
    );
  }
  if (text.startsWith("<!doctype") || text.startsWith("<html")) {
    return new FormatError(
      `${file}: this is a web page, not a weight file. Download the file itself, not the page that shows it.`,
    );
  }
  const bytes = Array.from(start.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new FormatError(
    `${file}: not a weight file of a known format (safetensors, PyTorch, ONNX, Caffe, NumPy, TensorFlow.js, Keras). It starts with ${bytes}.`,
  );
}
