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
