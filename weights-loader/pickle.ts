import { FormatError, UnsupportedError } from "../engine/errors.ts";

/** A Python value as data. `object` is whatever the hooks made: to the pickle machine it is opaque. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | { readonly kind: "list" | "tuple"; readonly items: PickleValue[] }
  | { readonly kind: "dict"; readonly entries: Map<PickleValue, PickleValue> }
  | { readonly kind: "global"; readonly name: string }
  | { readonly kind: "object"; readonly value: unknown };

/** What the few permitted names mean. No hook may run anything that the pickle brings along: there is nothing to run. */
export interface PickleHooks {
  /** Whether `module.name` may occur. */
  permits(name: string): boolean;
  /** The result of calling a permitted global. */
  call(name: string, args: readonly PickleValue[]): PickleValue;
  /** The object that a persistent id stands for. */
  persistentLoad(id: PickleValue): PickleValue;
}

/** The pickle goes on after the bytes at hand. */
export class PickleTruncated extends FormatError {}

/** Objects that one pickle may build; a state dict of 50,000 tensors needs a million. Bounds memory, whatever the bytes say. */
const maximumObjects = 1_000_000;
/** Longest integer, in bytes; PyTorch's magic number has 10. */
const maximumLongBytes = 32;

const mark: unique symbol = Symbol("mark");

/**
 * Reads one pickle (protocols 2 to 5, and the opcodes of older ones that PyTorch wrote) into plain data. It is a reader, not an
 * interpreter: a global is a name, calls reach only the hooks, and every opcode that would build other objects is refused.
 * Source: CPython Lib/pickletools.py.
 * @param what names the pickle in messages
 * @returns the value, and the offset of the first byte behind the pickle
 * @throws PickleTruncated at the end of the bytes; UnsupportedError for a global that is not permitted; FormatError otherwise
 */
export function readPickle(
  bytes: Uint8Array,
  begin: number,
  hooks: PickleHooks,
  what: string,
): { value: PickleValue; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const latin1 = new TextDecoder("latin1");
  const stack: (PickleValue | typeof mark)[] = [];
  const memo = new Map<number, PickleValue>();
  let at = begin;
  let objects = 0;

  const broken = (why: string): FormatError =>
    new FormatError(`${what}: ${why} (pickle, byte ${at - begin}). The file is damaged: get a fresh copy.`);
  const take = (length: number): number => {
    if (length > bytes.length - at)
      throw new PickleTruncated(`${what}: the pickle ends early (after ${bytes.length} bytes).`);
    at += length;
    return at - length;
  };
  const count = <T>(made: T): T => {
    if (++objects > maximumObjects) throw broken(`more than ${maximumObjects} objects`);
    return made;
  };
  const push = (value: PickleValue): void => {
    stack.push(value);
  };
  const pop = (): PickleValue => {
    const value = stack.pop();
    if (value === undefined || value === mark) throw broken("a value is missing on the stack");
    return value;
  };
  const popToMark = (): PickleValue[] => {
    const from = stack.lastIndexOf(mark);
    if (from < 0) throw broken("a mark is missing on the stack");
    const items = stack.splice(from + 1) as PickleValue[]; // everything above the last mark is a value
    stack.pop();
    return items;
  };
  const top = (): PickleValue => {
    const value = pop();
    stack.push(value);
    return value;
  };
  const text = (length: number, decoder: TextDecoder): string => {
    const from = take(length);
    try {
      return decoder.decode(bytes.subarray(from, from + length));
    } catch {
      throw broken("text is not UTF-8");
    }
  };
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    if (end < 0) throw new PickleTruncated(`${what}: the pickle ends early (after ${bytes.length} bytes).`);
    const words = text(end - at, utf8);
    at++;
    return words;
  };
  const long = (length: number): number | bigint => {
    if (length < 0 || length > maximumLongBytes) throw broken(`an integer of ${length} bytes`);
    const from = take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[from + i]!);
    if (length > 0) value = BigInt.asIntN(8 * length, value);
    return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  };
  const list = (items: PickleValue[], kind: "list" | "tuple"): PickleValue => count({ kind, items });
  const global = (name: string): PickleValue => {
    if (!hooks.permits(name)) {
      throw new UnsupportedError(
        `${what}: the pickle names "${name}", which a state dict does not need; nothing of it was run. Save the weights alone: torch.save(model.state_dict(), "weights.pth").`,
      );
    }
    return count({ kind: "global", name });
  };
  const remember = (index: number): void => {
    memo.set(index, count(top()));
  };
  const recall = (index: number): void => {
    const value = memo.get(index);
    if (value === undefined) throw broken(`memo ${index} is empty`);
    push(value);
  };
  const append = (target: PickleValue, items: readonly PickleValue[]): void => {
    if (typeof target !== "object" || target?.kind !== "list") throw broken("append to something that is no list");
    for (const item of items) target.items.push(item);
  };
  const setItems = (target: PickleValue, items: readonly PickleValue[]): void => {
    if (typeof target !== "object" || target?.kind !== "dict")
      throw broken("an item is set on something that is no dict");
    if (items.length % 2 !== 0) throw broken("a key without a value");
    for (let i = 0; i < items.length; i += 2) target.entries.set(items[i] ?? null, count(items[i + 1] ?? null));
  };

  for (;;) {
    const opcode = bytes[take(1)]!;
    switch (String.fromCharCode(opcode)) {
      case "\x80": {
        const protocol = bytes[take(1)]!;
        if (protocol > 5)
          throw new UnsupportedError(`${what}: pickle protocol ${protocol}; protocols up to 5 are read.`);
        break;
      }
      case "\x95": // FRAME: a length that only helps buffered readers
        take(8);
        break;
      case ".":
        return { value: pop(), end: at };
      case "(":
        stack.push(mark);
        break;
      case "0":
        if (stack.pop() === undefined) throw broken("nothing to pop");
        break;
      case "1":
        popToMark();
        break;
      case "2":
        push(top());
        break;
      case "N":
        push(null);
        break;
      case "\x88":
        push(true);
        break;
      case "\x89":
        push(false);
        break;
      case "I": {
        const words = line();
        if (!/^-?\d{1,15}$/.test(words)) throw broken(`"${words.slice(0, 40)}" is no integer`);
        push(words === "00" || words === "01" ? words === "01" : Number(words)); // protocol 1 writes booleans so
        break;
      }
      case "J":
        push(view.getInt32(take(4), true));
        break;
      case "K":
        push(bytes[take(1)]!);
        break;
      case "M":
        push(view.getUint16(take(2), true));
        break;
      case "\x8a":
        push(count(long(bytes[take(1)]!)));
        break;
      case "\x8b":
        push(count(long(view.getInt32(take(4), true))));
        break;
      case "G":
        push(view.getFloat64(take(8), false));
        break;
      case "X":
        push(count(text(view.getUint32(take(4), true), utf8)));
        break;
      case "\x8c":
        push(count(text(bytes[take(1)]!, utf8)));
        break;
      case "T": // Python 2's str; PyTorch put names into it
        push(count(text(view.getUint32(take(4), true), latin1)));
        break;
      case "U":
        push(count(text(bytes[take(1)]!, latin1)));
        break;
      case "}":
        push(count({ kind: "dict", entries: new Map() }));
        break;
      case "]":
        push(list([], "list"));
        break;
      case ")":
        push(list([], "tuple"));
        break;
      case "t":
        push(list(popToMark(), "tuple"));
        break;
      case "l":
        push(list(popToMark(), "list"));
        break;
      case "\x85":
        push(list([pop()], "tuple"));
        break;
      case "\x86": {
        const b = pop();
        push(list([pop(), b], "tuple"));
        break;
      }
      case "\x87": {
        const c = pop();
        const b = pop();
        push(list([pop(), b, c], "tuple"));
        break;
      }
      case "a": {
        const item = pop();
        append(top(), [item]);
        break;
      }
      case "e": {
        const items = popToMark();
        append(top(), items);
        break;
      }
      case "s": {
        const value = pop();
        const key = pop();
        setItems(top(), [key, value]);
        break;
      }
      case "u": {
        const items = popToMark();
        setItems(top(), items);
        break;
      }
      case "q":
        remember(bytes[take(1)]!);
        break;
      case "r":
        remember(view.getUint32(take(4), true));
        break;
      case "\x94":
        remember(memo.size);
        break;
      case "h":
        recall(bytes[take(1)]!);
        break;
      case "j":
        recall(view.getUint32(take(4), true));
        break;
      case "c": {
        const module = line();
        push(global(`${module}.${line()}`));
        break;
      }
      case "\x93": {
        const name = pop();
        const module = pop();
        if (typeof name !== "string" || typeof module !== "string") throw broken("a global without a name");
        push(global(`${module}.${name}`));
        break;
      }
      case "R": {
        const args = pop();
        const callee = pop();
        if (typeof callee !== "object" || callee?.kind !== "global")
          throw broken("a call of something that is no global");
        if (typeof args !== "object" || args?.kind !== "tuple") throw broken("a call without arguments");
        push(count(hooks.call(callee.name, args.items)));
        break;
      }
      case "b": {
        pop();
        const target = top(); // the state of an OrderedDict is PyTorch's `_metadata`: versions of modules, no weights
        if (typeof target !== "object" || target?.kind !== "dict") {
          throw broken("state is set on something that is no OrderedDict");
        }
        break;
      }
      case "Q":
        push(count(hooks.persistentLoad(pop())));
        break;
      default:
        throw new UnsupportedError(
          `${what}: pickle opcode 0x${opcode.toString(16)} at byte ${at - 1 - begin} does not occur in state dicts. Save the weights alone: torch.save(model.state_dict(), "weights.pth").`,
        );
    }
  }
}
