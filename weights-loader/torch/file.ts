import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { type ByteSource, readRange } from "../bytes/source.ts";
import { readTar } from "../containers/tar.ts";
import type { ZipEntry } from "../containers/zip.ts";
import { dtypeBytes } from "../tensors/dtype.ts";
import { storedWeights } from "../tensors/stored-weights.ts";
import type { WeightFile } from "../tensors/weight-file.ts";
import { readPickle } from "./pickle.ts";
import { PickleTruncated } from "./pickle-bytes.ts";
import type { PickleHooks, PickleValue } from "./pickle-value.ts";
import {
  dtypeOfStorageClass,
  findStateDict,
  itemsOf,
  type StateDict,
  sizeOf,
  stateDictHooks,
  storedTensors,
  type TorchStorage,
  wrap,
} from "./state-dict.ts";

/** Longest pickle that is read; a state dict of 50,000 tensors stays below it. */
const maximumPickleBytes = 16 << 20;
/** torch/serialization.py, MAGIC_NUMBER and PROTOCOL_VERSION. */
const legacyMagic = 0x1950a86a20f9469cfc6cn;
const legacyProtocol = 1001;
/** A pickled `legacyMagic`: PROTO 2, LONG1 of 10 bytes, the number, STOP. */
const legacyStart = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/** True when the file starts as `torch.save` before 1.6 (or with `_use_new_zipfile_serialization=False`) writes it. */
export function looksLikeLegacyTorch(start: Uint8Array): boolean {
  return legacyStart.every((byte, i) => start[i] === byte);
}

type Locate = (storage: TorchStorage) => { offset: number; bytes: number };

function finish(
  name: string,
  format: string,
  source: ByteSource,
  { key, tensors }: StateDict,
  locate: Locate,
): WeightFile {
  const stored = storedTensors({ key, tensors }, source, locate, dtypeBytes, `weights "${name}"`);
  return storedWeights({ name, format, metadata: key === "" ? {} : { stateDict: key } }, stored);
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
 * Reads pickles that follow each other from `begin` on, where their lengths are not known: the window grows until they fit.
 * @param end first byte that cannot belong to them
 */
async function readPickles(
  source: ByteSource,
  begin: number,
  end: number,
  hooks: readonly PickleHooks[],
  what: string,
): Promise<{ values: PickleValue[]; end: number }> {
  for (let window = 1 << 16; ; window *= 8) {
    const length = Math.min(window, end - begin, maximumPickleBytes);
    const bytes = await readRange(source, begin, length, what);
    try {
      const values: PickleValue[] = [];
      let at = 0;
      for (const hook of hooks) {
        const pickle = readPickle(bytes, at, hook, what);
        values.push(pickle.value);
        at = pickle.end;
      }
      return { values, end: begin + at };
    } catch (error) {
      if (error instanceof PickleTruncated && length === window && length < maximumPickleBytes) continue;
      throw error;
    }
  }
}

async function readInt64(source: ByteSource, offset: number, what: string): Promise<number> {
  const bytes = await readRange(source, offset, 8, what);
  const value = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true));
  if (!Number.isSafeInteger(value) || value < 0)
    throw new FormatError(`${what}: a size of ${value} at byte ${offset}.`);
  return value;
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

function checkLittleEndian(system: PickleValue | undefined, file: string): void {
  if (typeof system === "object" && system?.kind === "dict" && system.entries.get("little_endian") === false) {
    throw new UnsupportedError(`${file}: written on a big-endian machine; only little-endian files are read.`);
  }
}

/**
 * Opens PyTorch's first format (2016 and 2017): a tar of `sys_info`, `storages`, `tensors` and `pickle`, in which pickles and
 * raw data alternate. Source: torch/serialization.py, `legacy_load`.
 */
export async function openTorchTar(source: ByteSource, name: string, wish?: string): Promise<WeightFile> {
  const file = `weights "${name}"`;
  const members = await readTar(source, file);
  const member = (path: string): { begin: number; end: number } => {
    const found = members.get(path);
    if (found === undefined) {
      const [first, ...others] = members.keys();
      const inside =
        first === undefined ? "nothing" : `"${first}"${others.length === 0 ? "" : ` and ${others.length} more`}`;
      throw new FormatError(
        `${file}: a tar archive of ${inside}, not one of PyTorch's: it has no "${path}". Unpack it first (tar -xf FILE), and name the weight file in it.`,
      );
    }
    return { begin: found.offset, end: found.offset + found.bytes };
  };
  const refuseId = (): PickleValue => {
    throw new FormatError(`${file}: a persistent id outside the state dict.`);
  };
  const base = stateDictHooks(file, refuseId);
  // Tensors name their class here; it says nothing that the storage does not say.
  const plain: PickleHooks = {
    ...base,
    permits: (word) => base.permits(word) || /^torch\.(cuda\.)?\w+Tensor$/.test(word),
  };

  const systemMember = member("sys_info");
  const system = await readPickles(source, systemMember.begin, systemMember.end, [plain], file);
  checkLittleEndian(system.values[0], file);

  const storages = new Map<number, TorchStorage>();
  const places = new Map<string, { offset: number; bytes: number }>();
  {
    const { begin, end } = member("storages");
    const head = await readPickles(source, begin, end, [plain], file);
    let at = head.end;
    for (let left = sizeOf(head.values[0], file); left > 0; left--) {
      const { values, end: next } = await readPickles(source, at, end, [plain], file);
      const [id, , storageClass] = itemsOf(values[0], file);
      const dtype = dtypeOfStorageClass(storageClass, file);
      const key = sizeOf(id, file);
      const count = await readInt64(source, next, `${file}: size of storage ${key}`);
      const bytes = count * dtypeBytes[dtype];
      if (bytes > end - next - 8) throw new FormatError(`${file}: storage ${key} leaves the tar member "storages".`);
      storages.set(key, { is: "storage", key: String(key), dtype, count, firstElement: 0 });
      places.set(String(key), { offset: next + 8, bytes });
      at = next + 8 + bytes;
    }
    const views = await readPickles(source, at, end, [plain], file);
    for (const view of itemsOf(views.values[0], file)) {
      const [target, root, first, count] = itemsOf(view, file).map((number) => sizeOf(number, file));
      const whole = storages.get(root ?? -1);
      if (whole === undefined || target === undefined) throw new FormatError(`${file}: a view of an unknown storage.`);
      storages.set(target, { ...whole, firstElement: first ?? 0, count: count ?? 0 });
    }
  }

  const tensors = new Map<number, PickleValue>();
  {
    const { begin, end } = member("tensors");
    const head = await readPickles(source, begin, end, [plain], file);
    let at = head.end;
    for (let left = sizeOf(head.values[0], file); left > 0; left--) {
      const { values, end: next } = await readPickles(source, at, end, [plain], file);
      const [id, storageId] = itemsOf(values[0], file).map((item) => (typeof item === "number" ? item : -1));
      const storage = storages.get(storageId ?? -1);
      if (storage === undefined || id === undefined) throw new FormatError(`${file}: a tensor of an unknown storage.`);
      const rankBytes = await readRange(source, next, 4, `${file}: rank of a tensor`);
      const rank = new DataView(rankBytes.buffer, rankBytes.byteOffset, 4).getInt32(0, true);
      if (rank < 0 || rank > 64) throw new FormatError(`${file}: a tensor with ${rank} axes.`);
      const numbers: number[] = [];
      for (let i = 0; i < 2 * rank + 1; i++) {
        numbers.push(await readInt64(source, next + 8 + 8 * i, `${file}: sizes of a tensor`));
      }
      const shape = numbers.slice(0, rank);
      const strides = numbers.slice(rank, 2 * rank);
      tensors.set(id, wrap({ is: "tensor", storage, shape, strides, firstElement: numbers[2 * rank] ?? 0 }));
      at = next + 8 + 8 * numbers.length;
    }
  }

  const pickle = member("pickle");
  const hooks = stateDictHooks(file, (id) => {
    const tensor = tensors.get(Number(typeof id === "string" || typeof id === "number" ? id : Number.NaN));
    if (tensor === undefined) throw new FormatError(`${file}: the pickle refers to an unknown tensor.`);
    return tensor;
  });
  const { values } = await readPickles(source, pickle.begin, pickle.end, [hooks], file);
  return finish(name, "torch-tar", source, findStateDict(values[0] ?? null, file, wish), ({ key }) => {
    return places.get(key) ?? { offset: 0, bytes: 0 };
  });
}
