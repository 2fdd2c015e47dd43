import { FormatError } from "../../engine/basics/errors.ts";
import { type ByteSource, readRange } from "../bytes/source.ts";
import { readTar } from "../containers/tar.ts";
import { dtypeBytes } from "../tensors/dtype.ts";
import type { WeightFile } from "../tensors/weight-file.ts";
import type { PickleHooks, PickleValue } from "./pickle-value.ts";
import { checkLittleEndian, finish, readInt64, readPickles } from "./pickles-in-file.ts";
import {
  dtypeOfStorageClass,
  findStateDict,
  itemsOf,
  sizeOf,
  stateDictHooks,
  type TorchStorage,
  wrap,
} from "./state-dict.ts";

/** A member of the tar, and how its pickles are read. */
interface TarPart {
  readonly source: ByteSource;
  readonly begin: number;
  readonly end: number;
  /** What is read, for messages. */
  readonly file: string;
  /** For pickles in which tensors are numbers. */
  readonly hooks: PickleHooks;
}

/** The storages by the numbers that stand for them, and where the bytes of each lie, by key. */
interface TarStorages {
  readonly storages: Map<number, TorchStorage>;
  readonly places: Map<string, { offset: number; bytes: number }>;
}

/** Member `storages`: how many, then for each its pickled number and class, its size and its bytes; then views of them. */
async function readTarStorages({ source, begin, end, file, hooks }: TarPart): Promise<TarStorages> {
  const storages = new Map<number, TorchStorage>();
  const places = new Map<string, { offset: number; bytes: number }>();
  const head = await readPickles(source, begin, end, [hooks], file);
  let at = head.end;
  for (let left = sizeOf(head.values[0], file); left > 0; left--) {
    const { values, end: next } = await readPickles(source, at, end, [hooks], file);
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
  const views = await readPickles(source, at, end, [hooks], file);
  for (const view of itemsOf(views.values[0], file)) {
    const [target, root, first, count] = itemsOf(view, file).map((number) => sizeOf(number, file));
    const whole = storages.get(root ?? -1);
    if (whole === undefined || target === undefined) throw new FormatError(`${file}: a view of an unknown storage.`);
    storages.set(target, { ...whole, firstElement: first ?? 0, count: count ?? 0 });
  }
  return { storages, places };
}

/** Member `tensors`: how many, then for each its pickled number and storage, its rank, sizes, strides and first element. */
async function readTarTensors(
  { source, begin, end, file, hooks }: TarPart,
  storages: ReadonlyMap<number, TorchStorage>,
): Promise<Map<number, PickleValue>> {
  const tensors = new Map<number, PickleValue>();
  const head = await readPickles(source, begin, end, [hooks], file);
  let at = head.end;
  for (let left = sizeOf(head.values[0], file); left > 0; left--) {
    const { values, end: next } = await readPickles(source, at, end, [hooks], file);
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
  return tensors;
}

/** The member that one of PyTorch's archives must have. */
function memberOf(
  members: ReadonlyMap<string, { readonly offset: number; readonly bytes: number }>,
  path: string,
  file: string,
): { begin: number; end: number } {
  const found = members.get(path);
  if (found !== undefined) return { begin: found.offset, end: found.offset + found.bytes };
  const [first, ...others] = members.keys();
  const inside =
    first === undefined ? "nothing" : `"${first}"${others.length === 0 ? "" : ` and ${others.length} more`}`;
  throw new FormatError(
    `${file}: a tar archive of ${inside}, not one of PyTorch's: it has no "${path}". Unpack it first (tar -xf FILE), and name the weight file in it.`,
  );
}

/**
 * Opens PyTorch's first format (2016 and 2017): a tar of `sys_info`, `storages`, `tensors` and `pickle`, in which pickles and
 * raw data alternate. Source: torch/serialization.py, `legacy_load`.
 */
export async function openTorchTar(source: ByteSource, name: string, wish?: string): Promise<WeightFile> {
  const file = `weights "${name}"`;
  const members = await readTar(source, file);
  const refuseId = (): PickleValue => {
    throw new FormatError(`${file}: a persistent id outside the state dict.`);
  };
  const base = stateDictHooks(file, refuseId);
  // Tensors name their class here; it says nothing that the storage does not say.
  const plain: PickleHooks = {
    ...base,
    permits: (word) => base.permits(word) || /^torch\.(cuda\.)?\w+Tensor$/.test(word),
  };
  const part = (path: string): TarPart => ({ source, ...memberOf(members, path, file), file, hooks: plain });

  const systemPart = part("sys_info");
  const system = await readPickles(source, systemPart.begin, systemPart.end, [plain], file);
  checkLittleEndian(system.values[0], file);
  const { storages, places } = await readTarStorages(part("storages"));
  const tensors = await readTarTensors(part("tensors"), storages);

  const pickle = part("pickle");
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
