import type { Shape } from "../basics/tensor.ts";
import type { Pads } from "../graph/definition.ts";
import { type Activation, activationAt, activationBytes } from "./feature-map.ts";

/** Hands out scratch memory by size while planning and by address while running. */
export class Scratch {
  readonly bytes: number[] = [];
  addresses: readonly number[] = [];

  /** Reserves memory; the result gives its address at run time. */
  reserve(bytes: number): () => number {
    const slot = this.bytes.push(bytes) - 1;
    return () => this.addresses[slot] ?? 0;
  }

  /** Reserves an image of this shape. */
  reserveImage(shape: Shape, border: Pads, padding = 0): () => Activation {
    const address = this.reserve(activationBytes(shape, border) + 4 * padding);
    return () => activationAt(address(), shape, border);
  }
}
