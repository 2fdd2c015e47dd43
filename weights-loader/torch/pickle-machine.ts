import { UnsupportedError } from "../../engine/basics/errors.ts";
import { type PickleBytes, pickleBytes } from "./pickle-bytes.ts";
import type { PickleHooks, PickleValue } from "./pickle-value.ts";

/** Objects that one pickle may build; a state dict of 50,000 tensors needs a million. Bounds memory, whatever the bytes say. */
const maximumObjects = 1_000_000;

const mark: unique symbol = Symbol("mark");

/** What the hooks made takes items and state, too: both are dropped. */
const isOpaque = (target: PickleValue): boolean => typeof target === "object" && target?.kind === "object";

/** The stack and the memo that opcodes work on; it checks what they take and counts what they make. */
export class PickleMachine {
  readonly read: PickleBytes;
  readonly hooks: PickleHooks;
  readonly what: string;
  readonly #stack: (PickleValue | typeof mark)[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #objects = 0;

  constructor(bytes: Uint8Array, begin: number, hooks: PickleHooks, what: string) {
    this.read = pickleBytes(bytes, begin, what);
    this.hooks = hooks;
    this.what = what;
  }

  /** A value that was made, counted. */
  count<T>(made: T): T {
    if (++this.#objects > maximumObjects) throw this.read.broken(`more than ${maximumObjects} objects`);
    return made;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) throw this.read.broken("a value is missing on the stack");
    return value;
  }

  top(): PickleValue {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  /** Drops what lies on top, be it a mark. */
  drop(): void {
    if (this.#stack.pop() === undefined) throw this.read.broken("nothing to pop");
  }

  pushMark(): void {
    this.#stack.push(mark);
  }

  popToMark(): PickleValue[] {
    const from = this.#stack.lastIndexOf(mark);
    if (from < 0) throw this.read.broken("a mark is missing on the stack");
    const items = this.#stack.splice(from + 1) as PickleValue[]; // everything above the last mark is a value
    this.#stack.pop();
    return items;
  }

  pushList(items: PickleValue[], kind: "list" | "tuple"): void {
    this.push(this.count({ kind, items }));
  }

  pushGlobal(name: string): void {
    if (!this.hooks.permits(name)) {
      throw new UnsupportedError(
        `${this.what}: the pickle names "${name}", which a state dict does not need; nothing of it was run. Save the weights alone: torch.save(model.state_dict(), "weights.pth").`,
      );
    }
    this.push(this.count({ kind: "global", name }));
  }

  /** The name of the class or function on top of the stack. */
  popGlobal(otherwise: string): string {
    const callee = this.pop();
    if (typeof callee !== "object" || callee?.kind !== "global") throw this.read.broken(otherwise);
    return callee.name;
  }

  /** Keeps the value on top, by default in the next place. */
  remember(index: number = this.#memo.size): void {
    this.#memo.set(index, this.count(this.top()));
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.read.broken(`memo ${index} is empty`);
    this.push(value);
  }

  append(items: readonly PickleValue[]): void {
    const target = this.top();
    if (isOpaque(target)) return;
    if (typeof target !== "object" || target?.kind !== "list")
      throw this.read.broken("append to something that is no list");
    for (const item of items) target.items.push(item);
  }

  /** @param items key, value, key, value */
  setItems(items: readonly PickleValue[]): void {
    const target = this.top();
    if (isOpaque(target)) return;
    if (typeof target !== "object" || target?.kind !== "dict")
      throw this.read.broken("an item is set on something that is no dict");
    if (items.length % 2 !== 0) throw this.read.broken("a key without a value");
    for (let i = 0; i < items.length; i += 2) target.entries.set(items[i] ?? null, this.count(items[i + 1] ?? null));
  }
}
