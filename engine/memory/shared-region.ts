import type { Arena } from "./arena.ts";

/** Memory that several users take in turn: as large as the largest wish, reserved when it is first needed. */
export class Region {
  readonly #arena: Arena;
  #bytes = 0;
  #address: number | undefined;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /**
   * Asks for at least `bytes`.
   * @throws Error for a larger wish after the memory was reserved
   */
  reserve(bytes: number): void {
    if (this.#address !== undefined && bytes > this.#bytes)
      throw new Error("region: asked for more than was reserved.");
    this.#bytes = Math.max(this.#bytes, bytes);
  }

  /** Where it lies. */
  get address(): number {
    this.#address ??= this.#arena.allocate(this.#bytes);
    return this.#address;
  }
}
