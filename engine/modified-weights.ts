import type { Kernels } from "./kernels.ts";
import type { Modification } from "./rules.ts";

/** A key that is equal for equal modifications. */
export function modificationKey(modification: Modification): string {
  return modification.kind === "signed" ? `${modification.positive},${modification.negative}` : modification.kind;
}

/** True for the modification that changes nothing. */
export function isUnmodified(modification: Modification): boolean {
  return modification.kind === "signed" && modification.positive === 1 && modification.negative === 1;
}

/** Writes modified copies of `length` floats. */
export function writeModified(
  kernels: Kernels,
  out: number,
  from: number,
  length: number,
  modification: Modification,
): void {
  const { call } = kernels;
  if (modification.kind === "signed") {
    call.scaleSigned(out, from, modification.positive, modification.negative, 0, length);
  } else if (modification.kind === "squared") {
    call.square(out, from, 0, length);
  } else {
    call.fill(out, 1, 0, length);
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
