import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { PickleMachine } from "./pickle-machine.ts";
import type { PickleValue } from "./pickle-value.ts";

/** What an opcode does to the machine, which has read the opcode and nothing after it. */
type Opcode = (machine: PickleMachine) => void;

/** A tuple of the uppermost values, the deepest first. */
function tupleOf(length: number): Opcode {
  return (machine) => {
    const items: PickleValue[] = [];
    for (let i = 0; i < length; i++) items.unshift(machine.pop());
    machine.pushList(items, "tuple");
  };
}

/** What is made by `value`, counted. */
function made(value: (machine: PickleMachine) => PickleValue): Opcode {
  return (machine) => machine.push(machine.count(value(machine)));
}

const utf8 = (length: "u8" | "u32"): Opcode => made(({ read }) => read.utf8(read[length]()));
const latin1 = (length: "u8" | "u32"): Opcode => made(({ read }) => read.latin1(read[length]()));

const appendMarked: Opcode = (machine) => {
  const items = machine.popToMark();
  machine.append(items);
};

const numbers: Readonly<Record<string, Opcode>> = {
  I: (machine) => {
    const words = machine.read.line();
    if (!/^-?\d{1,15}$/.test(words)) throw machine.read.broken(`"${words.slice(0, 40)}" is no integer`);
    machine.push(words === "00" || words === "01" ? words === "01" : Number(words)); // protocol 1 writes booleans so
  },
  J: (machine) => machine.push(machine.read.i32()),
  K: (machine) => machine.push(machine.read.u8()),
  M: (machine) => machine.push(machine.read.u16()),
  "\x8a": made(({ read }) => read.long(read.u8())),
  "\x8b": made(({ read }) => read.long(read.i32())),
  G: (machine) => machine.push(machine.read.f64()),
};

const texts: Readonly<Record<string, Opcode>> = {
  X: utf8("u32"),
  "\x8c": utf8("u8"),
  T: latin1("u32"), // Python 2's str; PyTorch put names into it
  U: latin1("u8"),
  B: latin1("u32"),
  C: latin1("u8"),
};

const collections: Readonly<Record<string, Opcode>> = {
  "}": made(() => ({ kind: "dict", entries: new Map() })),
  "]": (machine) => machine.pushList([], "list"),
  ")": tupleOf(0),
  t: (machine) => machine.pushList(machine.popToMark(), "tuple"),
  l: (machine) => machine.pushList(machine.popToMark(), "list"),
  "\x85": tupleOf(1),
  "\x86": tupleOf(2),
  "\x87": tupleOf(3),
  a: (machine) => {
    const item = machine.pop();
    machine.append([item]);
  },
  e: appendMarked,
  s: (machine) => {
    const value = machine.pop();
    const key = machine.pop();
    machine.setItems([key, value]);
  },
  u: (machine) => {
    const items = machine.popToMark();
    machine.setItems(items);
  },
  // Sets hold no weights; their items count as a list's.
  "\x8f": (machine) => machine.pushList([], "list"),
  "\x90": appendMarked,
  "\x91": (machine) => machine.pushList(machine.popToMark(), "list"),
};

/** @param hasKeywords protocol 4's form for classes that are made with keywords */
function makeObject(hasKeywords: boolean): Opcode {
  return (machine) => {
    if (hasKeywords) machine.pop();
    machine.pop(); // arguments: nothing is made of them
    const name = machine.popGlobal("an object of something that is no class");
    machine.push(machine.count(machine.hooks.make(name)));
  };
}

const objects: Readonly<Record<string, Opcode>> = {
  c: (machine) => {
    const module = machine.read.line();
    machine.pushGlobal(`${module}.${machine.read.line()}`);
  },
  "\x93": (machine) => {
    const name = machine.pop();
    const module = machine.pop();
    if (typeof name !== "string" || typeof module !== "string") throw machine.read.broken("a global without a name");
    machine.pushGlobal(`${module}.${name}`);
  },
  R: (machine) => {
    const args = machine.pop();
    const name = machine.popGlobal("a call of something that is no global");
    if (typeof args !== "object" || args?.kind !== "tuple") throw machine.read.broken("a call without arguments");
    machine.push(machine.count(machine.hooks.call(name, args.items)));
  },
  "\x81": makeObject(false),
  "\x92": makeObject(true),
  b: (machine) => {
    machine.pop();
    const target = machine.top(); // the state of an OrderedDict is PyTorch's `_metadata`: versions of modules, no weights
    if (typeof target !== "object" || (target?.kind !== "dict" && target?.kind !== "object")) {
      throw machine.read.broken("state is set on something that is no OrderedDict");
    }
  },
  Q: (machine) => machine.push(machine.count(machine.hooks.persistentLoad(machine.pop()))),
};

const theStack: Readonly<Record<string, Opcode>> = {
  "\x80": ({ read, what }) => {
    const protocol = read.u8();
    if (protocol > 5) throw new UnsupportedError(`${what}: pickle protocol ${protocol}; protocols up to 5 are read.`);
  },
  "\x95": ({ read }) => read.skip(8), // FRAME: a length that only helps buffered readers
  "(": (machine) => machine.pushMark(),
  "0": (machine) => machine.drop(),
  "1": (machine) => void machine.popToMark(),
  "2": (machine) => machine.push(machine.top()),
  N: (machine) => machine.push(null),
  "\x88": (machine) => machine.push(true),
  "\x89": (machine) => machine.push(false),
  q: (machine) => machine.remember(machine.read.u8()),
  r: (machine) => machine.remember(machine.read.u32()),
  "\x94": (machine) => machine.remember(),
  h: (machine) => machine.recall(machine.read.u8()),
  j: (machine) => machine.recall(machine.read.u32()),
};

/** What every permitted opcode but STOP does, by its byte. Source: CPython Lib/pickletools.py. */
export const opcodes: ReadonlyMap<number, Opcode> = new Map(
  [theStack, numbers, texts, collections, objects]
    .flatMap((table) => Object.entries(table))
    .map(([letter, run]) => [letter.charCodeAt(0), run]),
);
