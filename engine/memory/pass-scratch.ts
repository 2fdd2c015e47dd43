import { mustHave } from "../basics/must-have.ts";
import type { Shape } from "../basics/tensor.ts";
import type { Pads } from "../graph/definition.ts";
import { type FeatureMap, featureMapAt, featureMapBytes } from "./feature-map.ts";

/** Finds a piece of scratch memory among the addresses that a run gets. */
export type Slot<Piece = number> = (addresses: readonly number[]) => Piece;

/** Collects, while a pass is prepared, the scratch memory that it will get when it runs. */
export class Scratch {
  readonly #bytes: number[] = [];

  /** Sizes of all pieces, in the order in which a run gets their addresses. */
  get bytes(): readonly number[] {
    return this.#bytes;
  }

  /** @throws Error, when the slot is asked with fewer addresses than pieces were reserved */
  reserve(bytes: number): Slot {
    const slot = this.#bytes.push(bytes) - 1;
    return (addresses) => mustHave(addresses[slot], "address of scratch memory");
  }

  /** Reserves an image of this shape. */
  reserveImage(shape: Shape, border: Pads, padding = 0): Slot<FeatureMap> {
    const address = this.reserve(featureMapBytes(shape, border) + 4 * padding);
    return (addresses) => featureMapAt(address(addresses), shape, border);
  }
}
