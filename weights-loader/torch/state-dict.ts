import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { ByteSource } from "../bytes/source.ts";
import type { Dtype } from "../tensors/dtype.ts";
import type { StoredTensor } from "../tensors/weight-file.ts";
import type { PickleHooks, PickleValue } from "./pickle.ts";

/** A run of elements that several tensors may share; where it lies is known once the file's layout is read. */
export interface TorchStorage {
  readonly is: "storage";
  readonly key: string;
  readonly dtype: Dtype;
  /** Elements in it. */
  readonly count: number;
  /** First element within the storage called `key`; not 0 for the views of the legacy format. */
  readonly firstElement: number;
}

/** A tensor as PyTorch pickles it: a strided view of a storage. */
export interface TorchTensor {
  readonly is: "tensor";
  readonly storage: TorchStorage;
  readonly firstElement: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The storage classes of PyTorch's pickles and what they hold. */
const storageDtypes: Readonly<Record<string, Dtype>> = {
  DoubleStorage: "f64",
  FloatStorage: "f32",
  HalfStorage: "f16",
  BFloat16Storage: "bf16",
  LongStorage: "i64",
  IntStorage: "i32",
  ShortStorage: "i16",
  CharStorage: "i8",
  ByteStorage: "u8",
  BoolStorage: "bool",
};

const callables = [
  "collections.OrderedDict",
  "torch._utils._rebuild_tensor",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_parameter",
];

/** Element type of `torch.FloatStorage`, `torch.cuda.FloatStorage` and their kind, or undefined for other names. */
function storageDtype(name: string): Dtype | undefined {
  const kind = /^torch\.(?:cuda\.)?(\w+)$/.exec(name)?.[1];
  return kind !== undefined && Object.hasOwn(storageDtypes, kind) ? storageDtypes[kind] : undefined;
}

/** The element type that a storage class names. */
export function dtypeOfStorageClass(value: PickleValue | undefined, what: string): Dtype {
  const name = typeof value === "object" && value?.kind === "global" ? value.name : "";
  const dtype = storageDtype(name);
  if (dtype === undefined) throw new FormatError(`${what}: a storage of unknown type "${name}".`);
  return dtype;
}

/** The items of a Python tuple or list. */
export function itemsOf(value: PickleValue | undefined, what: string): readonly PickleValue[] {
  if (typeof value === "object" && (value?.kind === "tuple" || value?.kind === "list")) return value.items;
  throw new FormatError(`${what}: a tuple was expected in the pickle.`);
}

/** A non-negative integer below 2^53. */
export function sizeOf(value: PickleValue | undefined, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new FormatError(`${what}: a non-negative integer was expected in the pickle, got ${String(value)}.`);
}

function sizesOf(value: PickleValue | undefined, what: string): number[] {
  return itemsOf(value, what).map((size) => sizeOf(size, what));
}

/** A tensor or storage as a pickle value that the pickle machine passes around unseen. */
export function wrap(value: TorchTensor | TorchStorage): PickleValue {
  return { kind: "object", value };
}

/** What `wrap` wrapped (nothing else makes objects), or undefined for other values. */
function unwrap(value: PickleValue | undefined): TorchTensor | TorchStorage | undefined {
  return typeof value === "object" && value?.kind === "object"
    ? (value.value as TorchTensor | TorchStorage)
    : undefined;
}

function asTensor(value: PickleValue | undefined): TorchTensor | undefined {
  const inner = unwrap(value);
  return inner?.is === "tensor" ? inner : undefined;
}

function asStorage(value: PickleValue | undefined, what: string): TorchStorage {
  const inner = unwrap(value);
  if (inner?.is !== "storage") throw new FormatError(`${what}: a tensor without storage in the pickle.`);
  return inner;
}

/**
 * The names that a state dict needs, and what they do: nothing but putting sizes and names together.
 * @param persistentLoad what the format's persistent ids stand for
 */
export function stateDictHooks(what: string, persistentLoad: (id: PickleValue) => PickleValue): PickleHooks {
  return {
    permits: (name) => callables.includes(name) || storageDtype(name) !== undefined,
    persistentLoad,
    call: (name, args) => {
      switch (name) {
        case "collections.OrderedDict": {
          const entries = new Map<PickleValue, PickleValue>();
          for (const pair of args.length === 0 ? [] : itemsOf(args[0], what)) {
            const [key = null, value = null] = itemsOf(pair, what);
            entries.set(key, value);
          }
          return { kind: "dict", entries };
        }
        case "torch._utils._rebuild_tensor":
        case "torch._utils._rebuild_tensor_v2": {
          const shape = sizesOf(args[2], what);
          const strides = sizesOf(args[3], what);
          if (shape.length !== strides.length) throw new FormatError(`${what}: a tensor with more sizes than strides.`);
          return wrap({
            is: "tensor",
            storage: asStorage(args[0], what),
            firstElement: sizeOf(args[1], what),
            shape,
            strides,
          });
        }
        case "torch._utils._rebuild_parameter":
          if (asTensor(args[0]) === undefined) throw new FormatError(`${what}: a parameter without a tensor.`);
          return args[0] ?? null;
        default:
          throw new UnsupportedError(`${what}: the pickle calls "${name}", which is a type of storage.`);
      }
    },
  };
}

/** The tensors that a dict holds directly under text keys. */
function tensorsIn(value: PickleValue): Map<string, TorchTensor> {
  const found = new Map<string, TorchTensor>();
  if (typeof value === "object" && value?.kind === "dict") {
    for (const [key, item] of value.entries) {
      const tensor = asTensor(item);
      if (tensor !== undefined && typeof key === "string") found.set(key, tensor);
    }
  }
  return found;
}

/** The state dict of a checkpoint. */
export interface StateDict {
  /** The key it lies under, or "" when it is the whole file. */
  readonly key: string;
  readonly tensors: ReadonlyMap<string, TorchTensor>;
}

/**
 * Finds the state dict: the file's value itself, or the one dict of tensors that it holds.
 * @throws FormatError when there is none, or more than one to choose from
 */
export function findStateDict(value: PickleValue, what: string, _wish?: string): StateDict {
  const candidates: StateDict[] = [];
  const whole = tensorsIn(value);
  if (whole.size > 0) candidates.push({ key: "", tensors: whole });
  if (typeof value === "object" && value?.kind === "dict") {
    for (const [key, item] of value.entries) {
      const inner = tensorsIn(item);
      if (inner.size > 0) candidates.push({ key: String(typeof key === "string" ? key : "?"), tensors: inner });
    }
  }
  const [only, second] = candidates;
  if (only === undefined) {
    throw new FormatError(
      `${what}: no state dict in it (a dict of tensors by name, or one such dict in a checkpoint). Save the weights alone: torch.save(model.state_dict(), "weights.pth").`,
    );
  }
  if (second !== undefined) {
    const names = candidates.map(
      ({ key, tensors: { size } }) => `${key === "" ? "the file itself" : `"${key}"`} (${size})`,
    );
    throw new FormatError(
      `${what}: several dicts of tensors to choose from: ${names.join(", ")}. Save the one that counts alone: torch.save(checkpoint["name"], "weights.pth").`,
    );
  }
  return only;
}

/**
 * The tensors of a state dict with the places of their data.
 * @param locate byte offset of a storage and the bytes that are there
 * @throws FormatError when a view leaves its storage
 */
export function storedTensors(
  { tensors: named }: StateDict,
  source: ByteSource,
  locate: (storage: TorchStorage) => { offset: number; bytes: number },
  bytesOf: Readonly<Record<Dtype, number>>,
  what: string,
): StoredTensor[] {
  return Array.from(named, ([name, { storage, firstElement, shape, strides }]) => {
    const { dtype, count } = storage;
    const tensor = `${what}: tensor "${name}"`;
    const { offset, bytes } = locate(storage);
    if (!(storage.firstElement + count <= bytes / bytesOf[dtype])) {
      throw new FormatError(
        `${tensor}: its storage "${storage.key}" claims ${count} elements of ${dtype} from element ${storage.firstElement} on, but only ${bytes} bytes are stored.`,
      );
    }
    const isEmpty = shape.includes(0);
    const last = firstElement + shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] ?? 0), 0);
    if (!isEmpty && !(last < count)) {
      throw new FormatError(
        `${tensor}: shape [${shape.join(",")}] with strides [${strides.join(",")}] from element ${firstElement} on leaves its storage of ${count} elements.`,
      );
    }
    const first = isEmpty ? 0 : storage.firstElement + firstElement;
    return { name, dtype, shape, strides, source, offset: offset + first * bytesOf[dtype] };
  });
}
