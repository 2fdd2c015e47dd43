import { hasStreaming } from "../basics/features.ts";
import type { Arena } from "./arena.ts";

/** A user's place in a region; others' things lie there, too, when he is not at work. */
export interface Place {
  readonly address: number;
}

/** Memory that several users take in turn: as large as the largest wish, taken when it is first needed. */
export class Region {
  readonly #arena: Arena;
  readonly #isTransient: boolean;
  #wishedBytes = 0;
  #bytes = 0;
  #address: number | undefined;

  /** @param isTransient as large as its user's wish alone, until `forget` */
  constructor(arena: Arena, isTransient: boolean) {
    this.#arena = arena;
    this.#isTransient = isTransient;
  }

  /** Asks for at least `bytes`; asking the place for its address throws an Error where more were asked for than was taken. */
  reserve(bytes: number): Place {
    this.#wishedBytes = Math.max(this.#wishedBytes, bytes);
    const addressFor = (): number => this.#addressFor(bytes);
    return {
      get address() {
        return addressFor();
      },
    };
  }

  #addressFor(bytes: number): number {
    if (this.#address === undefined) {
      this.#bytes = this.#isTransient ? bytes : this.#wishedBytes;
      this.#address = this.#arena.allocate(this.#bytes);
    }
    if (bytes > this.#bytes) throw new Error("region: asked for more than was taken.");
    return this.#address;
  }

  /** Ends it for now: somebody else gives the memory back. */
  forget(): void {
    this.#address = undefined;
  }
}

/** Memory that one layer after the other needs while it runs, forward or backward. */
export class PassMemory {
  /** It is taken for every pass and given back after it, so that it is as large as one layer's needs; else it stays. */
  readonly isTransient: boolean;
  readonly #arena: Arena;
  readonly #regions: Region[] = [];

  constructor(arena: Arena, isTransient: boolean) {
    this.#arena = arena;
    this.isTransient = isTransient;
  }

  /** A region of it. */
  region(): Region {
    const region = new Region(this.#arena, this.isTransient);
    this.#regions.push(region);
    return region;
  }

  /** Runs one layer's pass. Where the memory is transient, all that the pass allocates ends with it. */
  during<T>(pass: () => T): T {
    if (!hasStreaming || !this.isTransient) return pass();
    const mark = this.#arena.mark();
    try {
      return pass();
    } finally {
      for (const region of this.#regions) region.forget();
      this.#arena.release(mark);
    }
  }
}
