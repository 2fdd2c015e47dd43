import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { ByteSource } from "../bytes/source.ts";
import { type Dtype, dtypeBytes } from "../tensors/dtype.ts";
import type { StoredTensor } from "../tensors/weight-file.ts";
import type { PickleHooks, PickleValue } from "./pickle-value.ts";

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
  "collections.defaultdict",
  "torch._tensor._rebuild_from_type_v2",
  "torch._utils._rebuild_parameter_with_state",
  "torch._utils._rebuild_tensor_v3",
  "torch._utils._rebuild_tensor",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_parameter",
];

/** Something of a checkpoint that is no weight: it is known to be harmless, and nothing is made of it. */
interface Inert {
  readonly is: "inert";
  readonly name: string;
}

/**
 * What training puts beside the weights: numbers and arrays of NumPy, sizes, devices, element types, paths, settings. Named one by one,
 * since everything else may be code.
 */
const inertNames = [
  /^torch\.(Size|device|bool|half|bfloat16|(float|int|uint|complex)\d+(_\w+)?)$/,
  /^numpy\.(dtype|ndarray|dtypes\.\w+|_?core\.multiarray\.(scalar|_reconstruct)|_core\.multiarray\.(scalar|_reconstruct))$/,
  /^(builtins|__builtin__)\.(set|frozenset|list|dict|tuple|int|float|str|bool|complex|bytes|bytearray|slice|range|object)$/,
  /^collections\.(Counter|deque)$/,
  /^(argparse\.Namespace|types\.SimpleNamespace|_codecs\.encode|copy_?reg\._reconstructor)$/,
  /^pathlib(\._local)?\.\w*Path$/,
  /^datetime\.(date|datetime|timedelta|timezone)$/,
  /^(pytorch_lightning|lightning_fabric|lightning\.(fabric|pytorch))(\.\w+)*\.AttributeDict$/,
];

function isInert(name: string): boolean {
  return inertNames.some((pattern) => pattern.test(name));
}

/** Element type of `torch.FloatStorage`, `torch.cuda.FloatStorage` and their kind, or undefined for other names. */
function storageDtype(name: string): Dtype | undefined {
  if (/^torch\.storage\.(_?Untyped|UntypedStorage)/.test(name)) return "u8"; // bytes, whatever the tensor makes of them
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
export function wrap(value: TorchTensor | TorchStorage | Inert): PickleValue {
  return { kind: "object", value };
}

/** What `wrap` wrapped (nothing else makes objects), or undefined for other values. */
function unwrap(value: PickleValue | undefined): TorchTensor | TorchStorage | Inert | undefined {
  return typeof value === "object" && value?.kind === "object"
    ? (value.value as TorchTensor | TorchStorage | Inert)
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
  const call = (name: string, args: readonly PickleValue[]): PickleValue => {
    switch (name) {
      case "collections.OrderedDict":
        return { kind: "dict", entries: pairsOf(args[0], what) };
      case "collections.defaultdict": // the first argument is what makes values: a name, and not called
        return { kind: "dict", entries: pairsOf(args[1], what) };
      case "torch._utils._rebuild_tensor":
      case "torch._utils._rebuild_tensor_v2":
      case "torch._utils._rebuild_tensor_v3":
        return rebuiltTensor(args, name.endsWith("3"), what);
      case "torch._utils._rebuild_parameter":
      case "torch._utils._rebuild_parameter_with_state":
        if (asTensor(args[0]) === undefined) throw new FormatError(`${what}: a parameter without a tensor.`);
        return args[0] ?? null;
      case "torch._tensor._rebuild_from_type_v2": {
        const [maker] = args; // a tensor with attributes: how it is made, its class, the arguments, the attributes
        if (typeof maker !== "object" || maker?.kind !== "global" || !maker.name.startsWith("torch._utils._rebuild_")) {
          throw new FormatError(`${what}: a tensor with attributes that nothing makes.`);
        }
        return call(maker.name, itemsOf(args[2], what));
      }
      default:
        if (isInert(name)) return wrap({ is: "inert", name });
        throw new UnsupportedError(`${what}: the pickle calls "${name}", which is a type of storage.`);
    }
  };
  return {
    permits: (name) => callables.includes(name) || storageDtype(name) !== undefined || isInert(name),
    make: (name) => wrap({ is: "inert", name }),
    persistentLoad,
    call,
  };
}

/** A list of pairs, or no argument, as a dict's entries. */
function pairsOf(pairs: PickleValue | undefined, what: string): Map<PickleValue, PickleValue> {
  const entries = new Map<PickleValue, PickleValue>();
  for (const pair of pairs === undefined ? [] : itemsOf(pairs, what)) {
    const [key = null, value = null] = itemsOf(pair, what);
    entries.set(key, value);
  }
  return entries;
}

/** PyTorch's names of element types that its third way of writing tensors gives apart from the storage. */
const tensorDtypes: Readonly<Record<string, Dtype>> = {
  "torch.uint16": "u16",
  "torch.uint32": "u32",
  "torch.uint64": "u64",
};

/** (storage, first element, sizes, strides, ...); in the third form bytes, and the element type as seventh. */
function rebuiltTensor(args: readonly PickleValue[], hasType: boolean, what: string): PickleValue {
  const shape = sizesOf(args[2], what);
  const strides = sizesOf(args[3], what);
  if (shape.length !== strides.length) throw new FormatError(`${what}: a tensor with more sizes than strides.`);
  const bytes = asStorage(args[0], what);
  const type = args[6];
  const name = typeof type === "object" && type?.kind === "global" ? type.name : "";
  const dtype = hasType ? tensorDtypes[name] : bytes.dtype;
  if (dtype === undefined || !Object.hasOwn(dtypeBytes, dtype)) return wrap({ is: "inert", name }); // an element type of no weights
  const storage = hasType ? { ...bytes, dtype, count: Math.floor(bytes.count / dtypeBytes[dtype]) } : bytes;
  return wrap({ is: "tensor", storage, firstElement: sizeOf(args[1], what), shape, strides });
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

/** Dicts in dicts, at most: `checkpoint["model"]["state_dict"]`. */
const deepest = 4;
/** What training keeps beside the weights may look like weights. */
const besides = /(^|\.)(optim|sched|scaler|rng|callback|loop|hyper_param|hparam)/i;

/** All dicts of tensors, by the keys that lead there. */
function candidatesIn(value: PickleValue, key: string, depth: number): StateDict[] {
  if (typeof value !== "object" || value?.kind !== "dict" || depth > deepest) return [];
  const own = tensorsIn(value);
  const inner = Array.from(value.entries).flatMap(([name, item]) =>
    typeof name === "string" ? candidatesIn(item, key === "" ? name : `${key}.${name}`, depth + 1) : [],
  );
  return own.size > 0 ? [{ key, tensors: own }, ...inner] : inner;
}

/**
 * Finds the state dict: the file's value itself, or the one dict of tensors in it. Optimisers, schedulers and loose tensors beside a
 * dict (an epoch, a state of random numbers) are no choice.
 * @param wish the keys that lead to it, joined by points, where there is a choice
 * @throws FormatError when there is none, or more than one to choose from
 */
export function findStateDict(value: PickleValue, what: string, wish?: string): StateDict {
  const all = candidatesIn(value, "", 0);
  const wished = all.find(({ key }) => key === wish);
  if (wished !== undefined) return wished;
  const weights = all.filter(({ key }) => !besides.test(key));
  const isLoose = ({ key, tensors }: StateDict): boolean =>
    key === "" && weights.length > 1 && Array.from(tensors.keys()).every((name) => !name.includes("."));
  const candidates = weights.filter((candidate) => !isLoose(candidate));
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
    const first = candidates.find(({ key }) => key !== "")?.key ?? "";
    throw new FormatError(
      `${what}: several dicts of tensors to choose from: ${names.join(", ")}. Name the one that counts: --state-dict ${first}.`,
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
