import { UnsupportedError } from "../../engine/basics/errors.ts";
import { pickleBytes } from "./pickle-bytes.ts";

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
  /** An object of a permitted class, made without a call; opaque to the pickle machine. */
  make(name: string): PickleValue;
  /** The object that a persistent id stands for. */
  persistentLoad(id: PickleValue): PickleValue;
}

/** Objects that one pickle may build; a state dict of 50,000 tensors needs a million. Bounds memory, whatever the bytes say. */
const maximumObjects = 1_000_000;

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
  const read = pickleBytes(bytes, begin, what);
  const { broken } = read;
  const stack: (PickleValue | typeof mark)[] = [];
  const memo = new Map<number, PickleValue>();
  let objects = 0;

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
  /** What the hooks made takes items and state, too: both are dropped. */
  const isOpaque = (target: PickleValue): boolean => typeof target === "object" && target?.kind === "object";
  const append = (target: PickleValue, items: readonly PickleValue[]): void => {
    if (isOpaque(target)) return;
    if (typeof target !== "object" || target?.kind !== "list") throw broken("append to something that is no list");
    for (const item of items) target.items.push(item);
  };
  const setItems = (target: PickleValue, items: readonly PickleValue[]): void => {
    if (isOpaque(target)) return;
    if (typeof target !== "object" || target?.kind !== "dict")
      throw broken("an item is set on something that is no dict");
    if (items.length % 2 !== 0) throw broken("a key without a value");
    for (let i = 0; i < items.length; i += 2) target.entries.set(items[i] ?? null, count(items[i + 1] ?? null));
  };

  for (;;) {
    const opcode = read.u8();
    switch (String.fromCharCode(opcode)) {
      case "\x80": {
        const protocol = read.u8();
        if (protocol > 5)
          throw new UnsupportedError(`${what}: pickle protocol ${protocol}; protocols up to 5 are read.`);
        break;
      }
      case "\x95": // FRAME: a length that only helps buffered readers
        read.skip(8);
        break;
      case ".":
        return { value: pop(), end: read.position() };
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
        const words = read.line();
        if (!/^-?\d{1,15}$/.test(words)) throw broken(`"${words.slice(0, 40)}" is no integer`);
        push(words === "00" || words === "01" ? words === "01" : Number(words)); // protocol 1 writes booleans so
        break;
      }
      case "J":
        push(read.i32());
        break;
      case "K":
        push(read.u8());
        break;
      case "M":
        push(read.u16());
        break;
      case "\x8a":
        push(count(read.long(read.u8())));
        break;
      case "\x8b":
        push(count(read.long(read.i32())));
        break;
      case "G":
        push(read.f64());
        break;
      case "X":
        push(count(read.utf8(read.u32())));
        break;
      case "\x8c":
        push(count(read.utf8(read.u8())));
        break;
      case "T": // Python 2's str; PyTorch put names into it
        push(count(read.latin1(read.u32())));
        break;
      case "U":
        push(count(read.latin1(read.u8())));
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
        remember(read.u8());
        break;
      case "r":
        remember(read.u32());
        break;
      case "\x94":
        remember(memo.size);
        break;
      case "h":
        recall(read.u8());
        break;
      case "j":
        recall(read.u32());
        break;
      case "c": {
        const module = read.line();
        push(global(`${module}.${read.line()}`));
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
      case "\x81":
      case "\x92": {
        if (opcode === 0x92) pop(); // keywords
        pop(); // arguments: nothing is made of them
        const callee = pop();
        if (typeof callee !== "object" || callee?.kind !== "global")
          throw broken("an object of something that is no class");
        push(count(hooks.make(callee.name)));
        break;
      }
      case "\x8f":
        push(list([], "list")); // sets hold no weights; their items count as a list's
        break;
      case "\x90": {
        const items = popToMark();
        append(top(), items);
        break;
      }
      case "\x91":
        push(list(popToMark(), "list"));
        break;
      case "B":
        push(count(read.latin1(read.u32())));
        break;
      case "C":
        push(count(read.latin1(read.u8())));
        break;
      case "b": {
        pop();
        const target = top(); // the state of an OrderedDict is PyTorch's `_metadata`: versions of modules, no weights
        if (typeof target !== "object" || (target?.kind !== "dict" && target?.kind !== "object")) {
          throw broken("state is set on something that is no OrderedDict");
        }
        break;
      }
      case "Q":
        push(count(hooks.persistentLoad(pop())));
        break;
      default:
        throw new UnsupportedError(
          `${what}: pickle opcode 0x${opcode.toString(16)} at byte ${read.position() - 1 - begin} does not occur in state dicts. Save the weights alone: torch.save(model.state_dict(), "weights.pth").`,
        );
    }
  }
}
