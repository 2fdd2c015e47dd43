import { refuseUnknownOptions } from "../engine/basics/errors.ts";
import type { Tensor } from "../engine/basics/tensor.ts";
import type { NetworkDefinition } from "../engine/graph/definition.ts";
import type { Pixels } from "../engine/picture/image.ts";

/** Who decodes files: `exact`, srmap itself, the same pixels as everywhere; `browser`, faster for large photos, its own pixels. */
export type PhotoDecoder = "exact" | "browser";

/** A network for a page. */
export interface WebNetwork {
  /** Where the weights are: an address, a file, a file's handle (of the private file system, or chosen), or bytes. */
  readonly weights: string | URL | Blob | FileSystemFileHandle | Uint8Array | ArrayBuffer;
  /** The network they belong to, by name or as data, where the file does not describe it. */
  readonly model?: string | NetworkDefinition;
  /** How photos are prepared, by name, where neither says it. */
  readonly preprocess?: string;
  /** Names of the classes. */
  readonly labels?: readonly string[];
  /** Keeps what an address gave in the browser's Cache storage, so that a second visit loads nothing. Default true. */
  readonly cache?: boolean;
  /**
   * Leaves the weights where they are kept (a file, the Cache storage, the page's private file system, bytes) and reads each layer's whenever it
   * runs: slower, in a fraction of the memory, with the bytes of algorithm "direct". VGG-16 in int8 takes 128 MB, scripts included.
   */
  readonly lowMemory?: boolean;
  /** SHA-256 of the file in hexadecimal; what differs is refused. */
  readonly sha256?: string;
  /** The kernels, as `loadKernels` takes them: an address or a compiled module. */
  readonly kernels?: string | URL | WebAssembly.Module;
  readonly kernelsShared?: string | URL | WebAssembly.Module;
}

const networkNames = Object.keys({
  weights: true,
  model: true,
  preprocess: true,
  labels: true,
  cache: true,
  lowMemory: true,
  sha256: true,
  kernels: true,
  kernelsShared: true,
} satisfies Record<keyof WebNetwork, true>);

/** @throws TypeError for an option that does not exist. @param what begins the message */
export function checkWebNetwork(what: string, network: WebNetwork): void {
  refuseUnknownOptions(what, network, networkNames);
}

/** A photo on its way to the worker. */
export type PostedPhoto =
  | { readonly kind: "file"; readonly blob: Blob; readonly decoder: PhotoDecoder }
  | { readonly kind: "bitmap"; readonly bitmap: ImageBitmap | VideoFrame }
  | { readonly kind: "pixels"; readonly input: Pixels | Tensor };
