import type { Tensor } from "../../engine/basics/tensor.ts";
import type { Pixels } from "../../engine/picture/image.ts";
import type { LoadOptions } from "../network/load.ts";

/** Arguments of `loadNetwork` that can be posted to a worker. */
export interface NetworkFile extends Omit<LoadOptions, "kernels" | "onNote"> {
  readonly model?: string;
  /** Path of the weight file. */
  readonly weights?: string;
}

/** A photo on its way to the worker. */
export type PostedPhoto =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "pixels"; readonly input: Pixels | Tensor };
