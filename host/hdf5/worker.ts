// A thread that reads HDF5 by the library in the package h5wasm. Started by hdf5.ts, which ends it when it takes too long: the library
// is C, and a damaged file can make it run wild.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { type Hdf5Dataset, type Hdf5Group, isWantedAttribute } from "../../weights-loader/keras/hdf5.ts";
import type { Dtype } from "../../weights-loader/tensors/dtype.ts";
import { type Hdf5Answer, type Hdf5Refusal, type Hdf5Request, type Hdf5ThreadData, progressWord } from "./protocol.ts";

class Refused extends Error {
  readonly reason: Hdf5Refusal["reason"];
  constructor(reason: Hdf5Refusal["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What a file of some size may claim, in bytes. A damaged file can ask for all that there is; a small one has no use for much. */
interface Limits {
  /** The library's memory. Blocks of 4 MiB need some 30 MB. */
  readonly memory: number;
  /** A piece of a dataset that is stored in pieces, which is unpacked as a whole. h5py makes them 1 MiB at most; deflate packs 1032 to 1. */
  readonly chunk: number;
  /** Text of all attributes together: it is not packed, but one text can be named many times. */
  readonly text: number;
}

function limitsOf(size: number): Limits {
  return {
    memory: Math.min(256 << 20, (64 << 20) + 8 * size),
    chunk: Math.min(64 << 20, (2 << 20) + 1032 * size),
    text: Math.min(64 << 20, (1 << 20) + 2 * size),
  };
}
/** Groups and datasets in a file; ResNet-152 has about 2,000. */
const maximumObjects = 100_000;
/** Groups inside groups; Keras nests six deep. */
const maximumDepth = 32;
/** HDF5's classes of elements, H5T_class_t of its H5Tpublic.h. */
const kinds = [
  "integer",
  "float",
  "time",
  "string",
  "bitfield",
  "opaque",
  "compound",
  "reference",
  "enum",
  "list",
  "array",
];

const { progress } = workerData as Hdf5ThreadData; // written by hdf5.ts

/** Counts a step of work. */
function step(): void {
  Atomics.add(progress, progressWord.steps, 1);
}

/** Runs what is not the library's work. */
function waiting<T>(work: () => T): T {
  Atomics.store(progress, progressWord.isWaiting, 1);
  try {
    return work();
  } finally {
    step();
    Atomics.store(progress, progressWord.isWaiting, 0);
  }
}

/** The library's memory for all files that were opened, which share it. */
let maximumMemory = limitsOf(0).memory;

const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (this: WebAssembly.Memory, pages: number): number {
  if (this.buffer.byteLength + pages * 65536 > maximumMemory) throw new RangeError("memory limit");
  return grow.call(this, pages);
};

// The library tells its errors to the console, from the outermost call to the innermost.
let told: string[] = [];
console.error = (...words: unknown[]): void => {
  if (told.length < 200) told.push(words.join(" "));
};

/** The innermost error that the library told, in its own words. */
function reason(): string {
  const last = told.filter((line) => /^\s*#\d+:/.test(line)).at(-1) ?? "";
  told = [];
  const words = /\): (.*)$/.exec(last)?.[1] ?? "";
  return words === "" ? "it gives no reason" : words.slice(0, 200);
}

type Library = Awaited<typeof import("h5wasm")["ready"]>;
type Metadata = ReturnType<Library["get_dataset_metadata"]>;

async function load(): Promise<Library> {
  try {
    return await (await import("h5wasm")).ready;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
    throw new Refused(isMissing ? "missing" : "broken", error instanceof Error ? error.message : String(error));
  }
}

let library: Library | undefined;
let opened = 0;
/** Reads of the disk for the request at hand. */
let reads = 0;

/** Reads that one request may take. Objects and pieces of data take more than 16 bytes each and are read once. */
function readsPerFile(size: number): number {
  return 1000 + Math.min(1_000_000, size / 16);
}

/** Opens a part of the file as a file of the library's own file system, which has nothing else in it: links lead nowhere. */
async function open(filePath: string, offset: number, byteLength: number): Promise<Hdf5Answer> {
  if (library === undefined) {
    library = await load(); // hdf5.ts started the thread as waiting
    Atomics.store(progress, progressWord.isWaiting, 0);
  }
  const descriptor = openSync(filePath, "r");
  const size = Math.min(byteLength, fstatSync(descriptor).size - offset);
  const limits = limitsOf(size);
  maximumMemory = Math.max(maximumMemory, limits.memory);
  const name = `weights-${++opened}.h5`;
  // The declared type leaves the class of errors out.
  const FS = library.FS as typeof library.FS & { readonly ErrnoError: new (errno: number) => Error };
  FS.createDataFile("/", name, new Uint8Array(0), true, false, false);
  // The node of an empty file, with its size and its reading replaced: as createLazyFile of the same library does.
  const file = FS.lookupPath(`/${name}`, {}).node as { stream_ops?: Record<string, unknown> };
  Object.defineProperty(file, "usedBytes", { get: () => size });
  file.stream_ops = {
    ...file.stream_ops,
    read: (_stream: unknown, target: Uint8Array, at: number, length: number, position: number): number => {
      // Counted, since a tree that leads back into itself is read for ever. EIO ends the library's work in good order.
      if (++reads > readsPerFile(size)) throw new FS.ErrnoError(29);
      const wanted = Math.max(0, Math.min(length, size - position));
      return wanted === 0 ? 0 : waiting(() => readSync(descriptor, target, at, wanted, offset + position));
    },
  };
  const id = library.open(`/${name}`, library.H5F_ACC_RDONLY, false, -1, -1);
  if (id < 0n) {
    closeSync(descriptor);
    throw new Refused("damaged", reason());
  }
  return { file: id, root: list(library, id, limits) };
}

/** @param attributesOf reads the attributes of a path; `dtype` may state the type that the values had */
function datasetOf(
  h5: Library,
  file: bigint,
  path: string,
  attributesOf: (path: string) => ReadonlyMap<string, string[]>,
  limits: Limits,
): Hdf5Dataset {
  const about = h5.get_dataset_metadata(file, path);
  if (about.virtual_sources !== undefined) {
    throw new Refused("unsupported", `"${path}" is put together from other files. Copy the data into the file`);
  }
  const chunkBytes = (about.chunks ?? []).reduce((product, count) => product * Number(count), about.size);
  if (about.chunks !== null && !(chunkBytes <= limits.chunk)) {
    throw new Refused(
      "unsupported",
      `"${path}" is stored in pieces of ${chunkBytes} bytes; of a file of this size at most ${limits.chunk} are read. Store it in smaller ones`,
    );
  }
  const [kept] = attributesOf(path).get("dtype") ?? [];
  return { path, ...elementsOf(about, kept), shape: (about.shape ?? []).map(Number) };
}

/** Everything in a file, groups, datasets and the attributes that matter. */
function list(h5: Library, file: bigint, limits: Limits): Hdf5Group {
  let objects = 0;
  let textBytes = 0;

  const attributesOf = (path: string): Map<string, string[]> => {
    const attributes = new Map<string, string[]>();
    for (const name of h5.get_attribute_names(file, path)) {
      step();
      if (!isWantedAttribute(name)) continue;
      const about = h5.get_attribute_metadata(file, path, name);
      if (about.shape === null || about.total_size === 0) {
        attributes.set(name, []);
        continue;
      }
      if (kinds[about.type] !== "string") {
        throw new Refused("damaged", `the attribute "${name}" of "${path}" is no text`);
      }
      textBytes += about.size * about.total_size;
      if (!(textBytes <= limits.text)) {
        throw new Refused("damaged", `its attributes claim more than ${limits.text} bytes of text`);
      }
      const texts = textAttribute(h5, file, path, name, about);
      textBytes += texts.reduce((sum, text) => sum + text.length, 0);
      attributes.set(name, texts);
    }
    return attributes;
  };

  const group = (path: string, depth: number): Hdf5Group => {
    if (depth > maximumDepth) throw new Refused("damaged", `its groups are nested more than ${maximumDepth} deep`);
    const groups = new Map<string, Hdf5Group>();
    const datasets = new Map<string, Hdf5Dataset>();
    for (const name of h5.get_names(file, path, false)) {
      step();
      if (++objects > maximumObjects) throw new Refused("damaged", `it has more than ${maximumObjects} objects`);
      const inner = `${path === "/" ? "" : path}/${name}`;
      if (h5.get_external_link(file, inner).filename !== undefined) {
        throw new Refused("unsupported", `"${inner}" is a link to another file. Copy the data into the file`);
      }
      if (h5.get_symbolic_link(file, inner) !== null) {
        throw new Refused("unsupported", `"${inner}" is a soft link. Copy the data into its place`);
      }
      const type = h5.get_type(file, inner);
      if (type === h5.H5G_GROUP) groups.set(name, group(inner, depth + 1));
      else if (type === h5.H5G_DATASET) datasets.set(name, datasetOf(h5, file, inner, attributesOf, limits));
    }
    return { attributes: attributesOf(path), groups, datasets };
  };

  const root = group("/", 0);
  told = [];
  return root;
}

function textAttribute(h5: Library, file: bigint, path: string, name: string, about: Metadata): string[] {
  const length = about.size * about.total_size;
  const place = h5._malloc(length);
  if (place === 0) throw new Refused("damaged", `the attribute "${name}" of "${path}" is too large`);
  try {
    h5.HEAPU8.fill(0, place, place + length);
    if (h5.get_attribute_data(file, path, name, BigInt(place)) < 0) throw new Refused("damaged", reason());
    if (!about.vlen) {
      return Array.from({ length: about.total_size }, (_, i) => {
        const bytes = h5.HEAPU8.slice(place + i * about.size, place + (i + 1) * about.size);
        const end = bytes.indexOf(0);
        return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
      });
    }
    const pointers = new Uint32Array(h5.HEAPU8.slice(place, place + length).buffer);
    return Array.from(pointers, (pointer) => (pointer === 0 ? "" : h5.UTF8ToString(pointer)));
  } finally {
    h5._free(place); // variable text is left where it is: the thread and its memory go with the file
  }
}

/** The elements as the loader calls them. @param kept Keras keeps bfloat16 as two opaque bytes and says so beside them. */
function elementsOf(about: Metadata, kept: string | undefined): Pick<Hdf5Dataset, "dtype" | "elements"> {
  const { size, signed } = about;
  const kind = kinds[about.type] ?? "unknown elements";
  let dtype: string | undefined;
  if (kind === "float" && [2, 4, 8].includes(size)) dtype = `f${8 * size}`;
  if (kind === "integer" && [1, 2, 4, 8].includes(size)) dtype = `${signed ? "i" : "u"}${8 * size}`;
  if (kind === "opaque" && size === 2 && kept === "bfloat16") dtype = "bf16";
  if (kind === "enum" && size === 1) dtype = "bool"; // h5py's booleans
  return { dtype: dtype as Dtype | undefined, elements: dtype ?? `${kind} of ${size} bytes` }; // the names above are Dtype's
}

function read(file: bigint, path: string, firstRow: number, rowCount: number): Hdf5Answer {
  if (library === undefined) throw new Refused("broken", "no file was opened");
  const h5 = library;
  const about = h5.get_dataset_metadata(file, path);
  const shape = (about.shape ?? []).map(Number);
  const counts = shape.length === 0 ? [] : [rowCount, ...shape.slice(1)];
  const length = counts.reduce((product, count) => product * count, about.size);
  const place = length <= maximumMemory ? h5._malloc(length) : 0;
  if (place === 0) throw new Refused("damaged", `a row of "${path}" has ${length} bytes, which is too much`);
  try {
    const offsets = shape.map((_, axis) => (axis === 0 ? BigInt(firstRow) : 0n));
    const status =
      shape.length === 0
        ? h5.get_dataset_data(file, path, null, null, null, BigInt(place))
        : h5.get_dataset_data(
            file,
            path,
            counts.map(BigInt),
            offsets,
            shape.map(() => 1n),
            BigInt(place),
          );
    if (status < 0) throw new Refused("damaged", reason());
    return { bytes: h5.HEAPU8.slice(place, place + length) };
  } finally {
    h5._free(place);
  }
}

async function answer(request: Hdf5Request): Promise<Hdf5Answer> {
  told = [];
  reads = 0;
  try {
    return request.kind === "open"
      ? await open(request.filePath, request.offset, request.byteLength)
      : read(request.file, request.path, request.firstRow, request.rowCount);
  } catch (error) {
    if (error instanceof Refused) return { refusal: { reason: error.reason, message: error.message } };
    const message = error instanceof Error ? error.message : String(error);
    // h5wasm's own complaint that the library refused something. All else is a trap, or was thrown through the library's frames, whose
    // memory is then in no known state any more.
    const kind = message.startsWith("error - ") ? "damaged" : "broken";
    return { refusal: { reason: kind, message: told.length > 0 ? reason() : message } };
  }
}

parentPort?.on("message", async (request: Hdf5Request) => {
  const given = await answer(request);
  step();
  parentPort?.postMessage(given, "bytes" in given ? [given.bytes.buffer as ArrayBuffer] : []);
});
