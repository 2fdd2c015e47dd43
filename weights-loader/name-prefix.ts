import { FormatError } from "../engine/basics/errors.ts";
import type { WeightFile } from "./tensors/weight-file.ts";
import { isWeight } from "./tensors/weight-file.ts";

/** A file whose tensors have lost a prefix of their names, and what was left out. */
export interface Unprefixed {
  readonly file: WeightFile;
  readonly prefix: string;
  /** Weights without that prefix. */
  readonly leftOut: number;
}

/**
 * The tensors that a network needs, where a wrapper put something before their names: `module.` (DataParallel, averaged models),
 * `_orig_mod.` (torch.compile), `model.` (Lightning), or whatever else. Undefined where the names are the network's own, or none of them
 * occurs.
 * @param names the network's own
 * @param wish the prefix that counts, without the point, where several do
 * @throws FormatError that lists the prefixes, when there are several
 */
export function withoutPrefix(file: WeightFile, names: readonly string[], wish?: string): Unprefixed | undefined {
  const [first] = names;
  if (first === undefined || file.tensors.has(first)) return undefined;
  const prefixes = Array.from(file.tensors.keys())
    .filter((name) => name.endsWith(`.${first}`))
    .map((name) => name.slice(0, name.length - first.length))
    .filter((prefix) => names.every((name) => file.tensors.has(prefix + name)));
  const chosen = wish === undefined ? prefixes : prefixes.filter((prefix) => prefix === `${wish}.`);
  const [prefix, second] = chosen;
  if (prefix === undefined) return undefined;
  if (second !== undefined) {
    const list = chosen.map((one) => `"${one.slice(0, -1)}"`).join(", ");
    throw new FormatError(
      `weights "${file.name}": the network's tensors are there several times, behind ${list}. Name the one that counts: --state-dict ${prefix.slice(0, -1)}.`,
    );
  }
  const kept = Array.from(file.tensors.values()).filter(({ name }) => name.startsWith(prefix));
  const tensors = new Map(
    kept.map((tensor) => [tensor.name.slice(prefix.length), { ...tensor, name: tensor.name.slice(prefix.length) }]),
  );
  const { locate } = file;
  const leftOut = Array.from(file.tensors.values()).filter(
    (tensor) => !tensor.name.startsWith(prefix) && isWeight(tensor),
  ).length;
  return {
    prefix,
    leftOut,
    file: {
      ...file,
      tensors,
      readRows: (name, ...rest) => file.readRows(prefix + name, ...rest),
      read: (name) => file.read(prefix + name),
      ...(locate === undefined ? {} : { locate: (name: string) => locate(prefix + name) }),
    },
  };
}
