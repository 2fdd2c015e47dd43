import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { type ByteSource, readRange } from "../bytes/source.ts";
import type { ZipEntry } from "../containers/zip.ts";
import { dtypeBytes } from "../tensors/dtype.ts";
import type { WeightFile } from "../tensors/weight-file.ts";
import { readPickle } from "./pickle.ts";
import type { PickleValue } from "./pickle-value.ts";
import { checkLittleEndian, finish, maximumPickleBytes, readInt64, readPickles } from "./pickles-in-file.ts";
import {
  dtypeOfStorageClass,
  findStateDict,
  itemsOf,
  sizeOf,
  stateDictHooks,
  type TorchStorage,
  wrap,
} from "./state-dict.ts";

/** torch/serialization.py, MAGIC_NUMBER and PROTOCOL_VERSION. */
const legacyMagic = 0x1950a86a20f9469cfc6cn;
const legacyProtocol = 1001;
/** A pickled `legacyMagic`: PROTO 2, LONG1 of 10 bytes, the number, STOP. */
const legacyStart = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/** True when the file starts as `torch.save` before 1.6 (or with `_use_new_zipfile_serialization=False`) writes it. */
export function looksLikeLegacyTorch(start: Uint8Array): boolean {
  return legacyStart.every((byte, i) => start[i] === byte);
}

/** `('storage', class, key, location, count)` as a storage; the legacy format's sixth item is a view into it. */
function storageFromId(id: PickleValue, what: string): TorchStorage {
  const [word, storageClass, key, , count, view] = itemsOf(id, what);
  if (word !== "storage" || typeof key !== "string") {
    throw new UnsupportedError(
      `${what}: the pickle refers to a "${String(word)}"; only storages belong to a state dict.`,
    );
  }
  const dtype = dtypeOfStorageClass(storageClass, what);
  if (view === undefined || view === null)
    return { is: "storage", key, dtype, count: sizeOf(count, what), firstElement: 0 };
  const [, first, viewCount] = itemsOf(view, what);
  return { is: "storage", key, dtype, count: sizeOf(viewCount, what), firstElement: sizeOf(first, what) };
}

/** Name of the pickle inside PyTorch's zip archives, or undefined for other archives. */
export function torchZipPickle(entries: ReadonlyMap<string, ZipEntry>): string | undefined {
  return Array.from(entries.keys()).find((name) => /^[^/]+\/data\.pkl$/.test(name));
}

/**
 * Opens the zip that `torch.save` writes since 1.6: `<name>/data.pkl` and the storages' bytes in `<name>/data/<key>`.
 * Nothing in the pickle is run: it may only name what a state dict is made of. Views, strides and shared storages are honoured.
 */
export async function openTorchZip(
  source: ByteSource,
  name: string,
  entries: ReadonlyMap<string, ZipEntry>,
  pickleName: string,
  wish?: string,
): Promise<WeightFile> {
  const file = `weights "${name}"`;
  const folder = pickleName.slice(0, pickleName.indexOf("/"));
  const entry = (path: string): ZipEntry => {
    const found = entries.get(`${folder}/${path}`);
    if (found === undefined) throw new FormatError(`${file}: the archive has no "${folder}/${path}".`);
    if (found.method !== 0)
      throw new UnsupportedError(`${file}: "${folder}/${path}" is compressed; PyTorch stores it.`);
    return found;
  };
  if (entries.has(`${folder}/constants.pkl`)) {
    throw new UnsupportedError(
      `${file}: this is a TorchScript program. Save its weights alone: torch.save(model.state_dict(), "weights.pth").`,
    );
  }
  const read = async (path: string): Promise<Uint8Array> => {
    const { offset, bytes } = entry(path);
    if (bytes > maximumPickleBytes) {
      throw new FormatError(`${file}: "${path}" has ${bytes} bytes, more than any state dict (${maximumPickleBytes}).`);
    }
    return readRange(source, offset, bytes, `${file}: "${path}"`);
  };
  if (entries.has(`${folder}/byteorder`)) {
    const order = new TextDecoder().decode(await read("byteorder"));
    if (order !== "little")
      throw new UnsupportedError(`${file}: byte order "${order}"; only little-endian files are read.`);
  }
  const hooks = stateDictHooks(file, (id) => wrap(storageFromId(id, file)));
  const { value } = readPickle(await read("data.pkl"), 0, hooks, file);
  return finish(name, "torch-zip", source, findStateDict(value, file, wish), ({ key }) => entry(`data/${key}`));
}

/**
 * Opens what `torch.save` wrote before 1.6: five pickles (magic number, protocol, system, object, storage keys), then per key
 * an int64 element count and the raw elements.
 */
export async function openTorchLegacy(source: ByteSource, name: string, wish?: string): Promise<WeightFile> {
  const file = `weights "${name}"`;
  const storages = new Map<string, TorchStorage>();
  const hooks = stateDictHooks(file, (id) => {
    const storage = storageFromId(id, file);
    const known = storages.get(storage.key);
    if (known !== undefined && known.dtype !== storage.dtype) {
      throw new FormatError(`${file}: storage "${storage.key}" is both ${known.dtype} and ${storage.dtype}.`);
    }
    storages.set(storage.key, storage);
    return wrap(storage);
  });
  const five = [hooks, hooks, hooks, hooks, hooks];
  const { values, end } = await readPickles(source, 0, source.byteLength, five, file);
  const [magic, protocol, system, value = null, keys] = values;
  if (magic !== legacyMagic) throw new FormatError(`${file}: no PyTorch magic number.`);
  if (protocol !== legacyProtocol) {
    throw new UnsupportedError(`${file}: PyTorch protocol ${String(protocol)}; ${legacyProtocol} is read.`);
  }
  checkLittleEndian(system, file);
  const places = new Map<string, { offset: number; bytes: number }>();
  let at = end;
  for (const key of itemsOf(keys, file)) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (storage === undefined) throw new FormatError(`${file}: storage "${String(key)}" belongs to no tensor.`);
    const bytes =
      (await readInt64(source, at, `${file}: size of storage "${storage.key}"`)) * dtypeBytes[storage.dtype];
    at += 8;
    if (bytes > source.byteLength - at) {
      throw new FormatError(
        `${file}: storage "${storage.key}" would take ${bytes} bytes, but ${source.byteLength - at} follow. It is truncated or damaged: get a fresh copy.`,
      );
    }
    places.set(storage.key, { offset: at, bytes });
    at += bytes;
  }
  return finish(name, "torch-legacy", source, findStateDict(value, file, wish), ({ key }) => {
    const place = places.get(key);
    if (place === undefined) throw new FormatError(`${file}: the data of storage "${key}" is missing.`);
    return place;
  });
}
