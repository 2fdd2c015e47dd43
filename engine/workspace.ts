import type { Arena } from "./arena.ts";

/** Scratch memory that the layers of a network share, since they run one after another. It is as large as the largest wish. */
export class Workspace {
  readonly #arena: Arena;
  #bytes = 1024;
  #reserved = 0;
  #address = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Asks for at least `bytes`; called while layers are built. */
  reserve(bytes: number): void {
    this.#bytes = Math.max(this.#bytes, bytes);
  }

  /** Where it lies; reserved when first asked for, so that all wishes are known by then. */
  get address(): number {
    if (this.#reserved < this.#bytes) {
      this.#address = this.#arena.allocate(this.#bytes);
      this.#reserved = this.#bytes;
    }
    return this.#address;
  }
}
