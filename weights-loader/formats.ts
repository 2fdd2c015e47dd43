import { FormatError } from "../engine/basics/errors.ts";
import type { Preprocessing } from "../engine/graph/definition.ts";
import type { ExternalData } from "./bytes/external-data.ts";
import type { ByteSource } from "./bytes/source.ts";
import { caffeOptionNames, importCaffe } from "./caffe/import.ts";
import { openCaffe } from "./caffe/model.ts";
import { ProtoReader } from "./containers/protobuf.ts";
import { looksLikeTar } from "./containers/tar.ts";
import { looksLikeZip, readZip, type ZipEntry } from "./containers/zip.ts";
import type { ImportedNetwork } from "./graphs/imported-network.ts";
import { atSize, type InputShapeOptions } from "./graphs/input-shape.ts";
import { metadataKeys, networkOf } from "./graphs/network-metadata.ts";
import { withOriginalPreprocessing } from "./keras/applications.ts";
import { isKerasArchive, openKeras, openKerasArchive } from "./keras/file.ts";
import { hasUserBlock, looksLikeHdf5, type OpenHdf5 } from "./keras/hdf5.ts";
import { importKerasFile, kerasOptionNames } from "./keras/import.ts";
import { looksLikeNpy, openNpy, openNpz } from "./numpy/file.ts";
import { importOnnx, onnxOptionNames } from "./onnx/import.ts";
import { openOnnx } from "./onnx/model.ts";
import { looksLikeSafetensors, openSafetensors } from "./safetensors/file.ts";
import { importTfjs, looksLikeTfjs, openTfjs, tfjsOptionNames } from "./tensorflow/tfjs.ts";
import type { WeightFile } from "./tensors/weight-file.ts";
import { looksLikeLegacyTorch, openTorchLegacy, openTorchZip, torchZipPickle } from "./torch/file.ts";
import { openTorchTar } from "./torch/tar-file.ts";

/** How to open a weight file. */
export interface OpenOptions {
  /** How messages call the file; default "unnamed". */
  readonly name?: string;
  /** Opens the files of ONNX external data and TensorFlow.js shards; without it such files are refused. */
  readonly external?: ExternalData;
  /** Reads HDF5, for the files of Keras; without it such files are refused. */
  readonly hdf5?: OpenHdf5;
  /** Which dict of tensors counts, where a PyTorch checkpoint has several. */
  readonly stateDict?: string;
}

/** What a file that describes its network leaves open. */
export interface DescriptionOptions extends OpenOptions, InputShapeOptions {
  /** What the weights expect of photos. */
  readonly preprocessing?: Preprocessing;
  /** The text of a .caffemodel's .prototxt. */
  readonly prototxt?: string;
  /** Which output counts, where there are several. */
  readonly output?: string;
}

/** The first look at a file: its start is there, the rest is read by whoever asks. */
interface Peek {
  readonly source: ByteSource;
  readonly start: Uint8Array;
  readonly name: string;
  /** Its entries, where it is a zip archive. */
  zip(): Promise<ReadonlyMap<string, ZipEntry> | undefined>;
  /** Fields at the outermost level as "number:wire type", the second of a kind with "again", where it can be protobuf. */
  protobuf(): Promise<ReadonlySet<string>>;
}

/** A format of weight files: how it is told, opened and, where it describes its network, imported. */
interface Format {
  readonly looksLike: (peek: Peek) => boolean | Promise<boolean>;
  readonly open: (peek: Peek, options: OpenOptions) => Promise<WeightFile>;
  /** Whether the file describes its network. */
  readonly describesNetwork: (file: Pick<WeightFile, "format" | "metadata">) => boolean;
  /** The network that a file describes. */
  readonly import?: (source: ByteSource, file: WeightFile, options: DescriptionOptions) => Promise<ImportedNetwork>;
}

/** The formats, in the order in which they are told apart. */
type FormatName =
  | "safetensors"
  | "torchLegacy"
  | "torchTar"
  | "torchZip"
  | "keras"
  | "npz"
  | "npy"
  | "tfjs"
  | "onnx"
  | "caffe"
  | "kerasBehindUserBlock";

const carriesNetwork: Format["describesNetwork"] = ({ metadata }) => metadata[metadataKeys.network] !== undefined;
const weightsAlone = { describesNetwork: () => false } as const;

const importCarried: Format["import"] = async (_source, file, options) => {
  const { preprocessing } = options;
  const network = networkOf(file);
  if (network === undefined) throw new FormatError(`weights "${file.name}": the file carries no network.`);
  const carried = atSize(network, options);
  return { definition: preprocessing === undefined ? carried : { ...carried, preprocessing }, weights: file };
};

const zipHolds =
  (holds: (entries: ReadonlyMap<string, ZipEntry>) => boolean): Format["looksLike"] =>
  async (peek) => {
    const entries = await peek.zip();
    return entries !== undefined && holds(entries);
  };

/** Those of the options that a format takes. */
function only<Name extends keyof DescriptionOptions>(
  options: DescriptionOptions,
  names: readonly Name[],
): Pick<DescriptionOptions, Name> {
  const given = names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  return Object.fromEntries(given) as Pick<DescriptionOptions, Name>; // each is there under its own name
}

const keras: Format = {
  looksLike: async (peek) => looksLikeHdf5(peek.start) || zipHolds(isKerasArchive)(peek),
  open: async (peek, { hdf5 }) => {
    const entries = await peek.zip();
    const { weights } =
      entries === undefined
        ? await openKeras(peek.source, peek.name, hdf5)
        : await openKerasArchive(peek.source, peek.name, entries, hdf5);
    return withOriginalPreprocessing(weights);
  },
  describesNetwork: ({ format }) => format === "keras", // not "keras-weights"
  import: (source, _file, options) => importKerasFile(source, only(options, kerasOptionNames)),
};

/** A GraphDef has nodes (1) and versions (4) as messages, where a Caffe network has one name and integers. */
const isTensorFlowGraph = (fields: ReadonlySet<string>): boolean => fields.has("1:2 again") || fields.has("4:2");

const formats = {
  safetensors: {
    looksLike: ({ start, source }) => looksLikeSafetensors(start, source.byteLength),
    open: ({ source, name }) => openSafetensors(source, name),
    describesNetwork: carriesNetwork,
    import: importCarried,
  },
  torchLegacy: {
    looksLike: ({ start }) => looksLikeLegacyTorch(start),
    open: ({ source, name }, { stateDict }) => openTorchLegacy(source, name, stateDict),
    ...weightsAlone,
  },
  torchTar: {
    looksLike: ({ start }) => looksLikeTar(start),
    open: ({ source, name }, { stateDict }) => openTorchTar(source, name, stateDict),
    ...weightsAlone,
  },
  torchZip: {
    looksLike: zipHolds((entries) => torchZipPickle(entries) !== undefined),
    open: async ({ source, name, zip }, { stateDict }) => {
      const entries = (await zip()) ?? new Map();
      return openTorchZip(source, name, entries, torchZipPickle(entries) ?? "", stateDict);
    },
    ...weightsAlone,
  },
  keras,
  npz: {
    looksLike: zipHolds((entries) => Array.from(entries.keys()).some((entry) => entry.endsWith(".npy"))),
    open: async ({ source, name, zip }) => openNpz(source, name, (await zip()) ?? new Map()),
    ...weightsAlone,
  },
  npy: {
    looksLike: ({ start }) => looksLikeNpy(start),
    open: ({ source, name }) => openNpy(source, name),
    ...weightsAlone,
  },
  tfjs: {
    looksLike: ({ start }) => looksLikeTfjs(start),
    open: ({ source, name }, { external }) => openTfjs(source, name, external),
    describesNetwork: () => true,
    import: (source, _file, options) => importTfjs(source, only(options, tfjsOptionNames)),
  },
  onnx: {
    // A version number (1), and a graph (7) or operator sets (8).
    looksLike: async ({ protobuf }) => {
      const seen = await protobuf();
      return seen.has("1:0") && (seen.has("7:2") || seen.has("8:2"));
    },
    open: ({ source, name }, { external }) => openOnnx(source, name, external),
    describesNetwork: () => true,
    import: (source, _file, options) => importOnnx(source, only(options, onnxOptionNames)),
  },
  caffe: {
    // One name (1), as text, and layers of the first (2) or second kind (100): Core ML and TensorFlow have other things there.
    looksLike: async ({ protobuf }) => {
      const seen = await protobuf();
      return !seen.has("1:0") && !isTensorFlowGraph(seen) && (seen.has("2:2") || seen.has("100:2"));
    },
    open: ({ source, name }) => openCaffe(source, name),
    describesNetwork: () => true,
    import: (source, _file, options) => importCaffe(source, only(options, caffeOptionNames)),
  },
  kerasBehindUserBlock: { ...keras, looksLike: ({ source }) => hasUserBlock(source) },
} as const satisfies Record<FormatName, Format>;

/** Bytes that tell every format apart (tar's mark ends at 263). */
const startBytes = 512;

async function peekAt(source: ByteSource, name: string): Promise<Peek> {
  const start = await source.read(0, Math.min(startBytes, source.byteLength));
  let zip: Promise<ReadonlyMap<string, ZipEntry>> | undefined;
  let protobuf: Promise<ReadonlySet<string>> | undefined;
  return {
    source,
    start,
    name,
    zip: async () => {
      if (!looksLikeZip(start)) return undefined;
      zip ??= readZip(source, `weights "${name}"`);
      return zip;
    },
    protobuf: () => {
      protobuf ??= outerFields(source);
      return protobuf;
    },
  };
}

/** Both protobuf formats have a handful of fields at the outermost level. */
async function outerFields(source: ByteSource): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  const isNoise = "not a model";
  try {
    await new ProtoReader(source, isNoise).fields({ offset: 0, length: source.byteLength }, ({ number, wire }) => {
      const field = `${number}:${wire}`;
      seen.add(seen.has(field) ? `${field} again` : field);
      if (seen.size > 128) throw new FormatError(isNoise); // noise that happens to parse
    });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error; // a damaged model is told by what came before the damage
  }
  return seen;
}

/** A weight file, and its format's row of the table. */
export interface OpenedFormat {
  readonly file: WeightFile;
  readonly format: Pick<Format, "describesNetwork" | "import">;
}

/**
 * Opens a weight file, its format told from its bytes (never from its name). Only headers are read.
 * @throws FormatError when the bytes are of no known format, or contradict themselves
 */
export async function openFormat(source: ByteSource, options: OpenOptions = {}): Promise<OpenedFormat> {
  const peek = await peekAt(source, options.name ?? "unnamed");
  for (const format of Object.values<Format>(formats)) {
    if (await format.looksLike(peek)) return { file: await format.open(peek, options), format };
  }
  throw unknownFormat(peek, await peek.protobuf());
}

/** True for a file that describes its network. */
export function describesNetwork(file: Pick<WeightFile, "format" | "metadata">): boolean {
  if (carriesNetwork(file)) return true;
  const row = Object.entries<Format>(formats).find(([name]) => name === file.format);
  return row?.[1].describesNetwork(file) === true;
}

/** What the bytes look like instead, because a web page or a pointer saved under a weight file's name is common. */
function unknownFormat({ start, source, name }: Peek, protobuf: ReadonlySet<string>): FormatError {
  const file = `weights "${name}"`;
  if (source.byteLength === 0) return new FormatError(`${file}: the file is empty.`);
  if (looksLikeZip(start)) {
    return new FormatError(
      `${file}: a zip archive without weights: no data.pkl (PyTorch), no .npy (NumPy) and no model.weights.h5 (Keras) in it.`,
    );
  }
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
  if (start[0] === 0x1f && start[1] === 0x8b) {
    return new FormatError(
      `${file}: the file is packed by gzip. Unpack it first: gunzip, or tar -xzf where a .tar.gz was renamed.`,
    );
  }
  // SavedModel: a version (1) and graphs (2). Core ML: a version, a description (2) and one field from 200 on. GraphDef: many nodes (1).
  const isCoreMl = protobuf.has("1:0") && Array.from(protobuf).some((field) => Number.parseInt(field, 10) >= 200);
  if (isCoreMl) {
    return new FormatError(`${file}: a Core ML model, which is not read. Export the network it was made from to ONNX.`);
  }
  if (protobuf.has("1:0") && protobuf.has("2:2")) {
    return new FormatError(
      `${file}: a TensorFlow SavedModel, which is not read. Convert it: python -m tf2onnx.convert --saved-model FOLDER --output network.onnx.`,
    );
  }
  if (isTensorFlowGraph(protobuf)) {
    return new FormatError(
      `${file}: a TensorFlow graph, which is not read. Convert it: python -m tf2onnx.convert --graphdef FILE --output network.onnx --inputs ... --outputs ....`,
    );
  }
  const bytes = Array.from(start.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return new FormatError(
    `${file}: not a weight file of a known format (safetensors, PyTorch, ONNX, Caffe, NumPy, TensorFlow.js, Keras). It starts with ${bytes}.`,
  );
}
