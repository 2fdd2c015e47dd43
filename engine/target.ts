import { didYouMean } from "./errors.ts";
import type { Tensor } from "./tensor.ts";

/** What is explained: the most probable class, a class by its index, or a class by its name. */
export type Target = "top1" | number | string;

/** Index of the largest value, the first one on ties. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Class name of an index; `class 7` where the network has no names. */
export function labelOf(labels: readonly string[] | undefined, index: number): string {
  return labels?.[index] ?? `class ${index}`;
}

/**
 * Index of the class that a target means. Names are compared without regard to case, `_` and blanks being the same.
 * @throws RangeError for an index outside the classes or a name that no class, or more than one, has
 */
export function resolveTarget(target: Target, logits: Tensor, labels: readonly string[] | undefined): number {
  if (target === "top1") return argmax(logits.data);
  const classes = logits.data.length;
  const asNumber = typeof target === "string" && /^\d+$/.test(target) ? Number(target) : target;
  if (typeof asNumber === "number") {
    if (!Number.isSafeInteger(asNumber) || asNumber < 0 || asNumber >= classes) {
      throw new RangeError(
        `target ${asNumber}: must be a class index from 0 to ${classes - 1}, "top1" or a class name.`,
      );
    }
    return asNumber;
  }
  const plain = (name: string): string => name.toLowerCase().replaceAll("_", " ").trim();
  const found: number[] = [];
  labels?.forEach((label, index) => {
    if (index < classes && plain(label) === plain(asNumber)) found.push(index);
  });
  const [index] = found;
  if (index === undefined) {
    throw new RangeError(
      `target "${asNumber}": no class has this name.${didYouMean(asNumber, labels ?? [])} Give a class index from 0 to ${classes - 1}, "top1" or a class name.`,
    );
  }
  if (found.length > 1) {
    throw new RangeError(`target "${asNumber}": the classes ${found.join(" and ")} have this name. Give the index.`);
  }
  return index;
}
