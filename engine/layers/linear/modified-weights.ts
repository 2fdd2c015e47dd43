import { hasRuleLibrary } from "../../basics/features.ts";
import type { Kernels } from "../../memory/kernels.ts";
import type { Modification } from "../../rules/rules.ts";

/** A key that is equal for equal modifications. */
export function modificationKey(modification: Modification): string {
  return modification.kind === "signed" ? `${modification.positive},${modification.negative}` : modification.kind;
}

/** True for the modification that changes nothing. */
export function isUnmodified(modification: Modification): boolean {
  return modification.kind === "signed" && modification.positive === 1 && modification.negative === 1;
}

/** True for the modification that takes negative weights for 0. */
export function isPositivePart(modification: Modification): boolean {
  return modification.kind === "signed" && modification.positive === 1 && modification.negative === 0;
}

/** Writes modified copies of `length` floats. */
export function writeModified(
  kernels: Kernels,
  out: number,
  from: number,
  length: number,
  modification: Modification,
): void {
  const { split } = kernels;
  if (modification.kind === "signed") {
    split("scaleSigned", length, out, from, modification.positive, modification.negative);
  } else if (hasRuleLibrary) {
    if (modification.kind === "squared") split("square", length, out, from);
    else split("fill", length, out, 1);
  }
}

/** Modified copies of a vector in kernel memory, each made once. */
export class ModifiedVectors {
  readonly #kernels: Kernels;
  readonly #plain: number;
  readonly #length: number;
  readonly #copies = new Map<string, number>();

  /** @param plain address of the vector, 0 when there is none */
  constructor(kernels: Kernels, plain: number, length: number) {
    this.#kernels = kernels;
    this.#plain = plain;
    this.#length = length;
  }

  /** Address of the modified vector; 0 without a vector or without a modification. */
  address(modification: Modification | undefined): number {
    if (modification === undefined || this.#plain === 0) return 0;
    if (isUnmodified(modification)) return this.#plain;
    const key = modificationKey(modification);
    let copy = this.#copies.get(key);
    if (copy === undefined) {
      copy = this.#kernels.arena.allocate(4 * this.#length);
      writeModified(this.#kernels, copy, this.#plain, this.#length, modification);
      this.#copies.set(key, copy);
    }
    return copy;
  }
}
