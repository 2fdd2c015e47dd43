// A thread that reads HDF5 by the library in the package h5wasm. Started by reader.ts, which ends it when it takes too long: the library
// is C, and a damaged file can make it run wild.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import {
  allocate,
  allowMemory,
  forgetTold,
  hasTold,
  type Library,
  limitsOf,
  loadLibrary,
  Refused,
  reason,
} from "./library.ts";
import { list } from "./listing.ts";
import type { Hdf5Answer, Hdf5Request } from "./protocol.ts";
import { loaded, step, waiting } from "./steps.ts";

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
    library = await loadLibrary();
    loaded();
  }
  const descriptor = openSync(filePath, "r");
  const size = Math.min(byteLength, fstatSync(descriptor).size - offset);
  const limits = limitsOf(size);
  allowMemory(limits.memory);
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

function read(file: bigint, path: string, firstRow: number, rowCount: number): Hdf5Answer {
  if (library === undefined) throw new Refused("broken", "no file was opened");
  const h5 = library;
  const about = h5.get_dataset_metadata(file, path);
  const shape = (about.shape ?? []).map(Number);
  const counts = shape.length === 0 ? [] : [rowCount, ...shape.slice(1)];
  const length = counts.reduce((product, count) => product * count, about.size);
  const place = allocate(h5, length);
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
  forgetTold();
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
    return { refusal: { reason: kind, message: hasTold() ? reason() : message } };
  }
}

parentPort?.on("message", async (request: Hdf5Request) => {
  const given = await answer(request);
  step();
  parentPort?.postMessage(given, "bytes" in given ? [given.bytes.buffer as ArrayBuffer] : []);
});
