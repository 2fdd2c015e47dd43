import { allocatePerThread, type Kernels, type PerThread } from "./kernels.ts";

/**
 * Scratch memory that the layers of a network share, since they run one after another; each thread has its own. It is as large as
 * the largest wish.
 */
export class Workspace {
  readonly #kernels: Kernels;
  #bytes = 1024;
  #memory: PerThread | undefined;

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  /** Asks for at least `bytes` per thread; called while layers are built. */
  reserve(bytes: number): void {
    this.#bytes = Math.max(this.#bytes, bytes);
  }

  /** Reserves it, once all layers have asked. */
  settle(): void {
    this.#memory = allocatePerThread(this.#kernels, this.#bytes);
  }

  /**
   * @throws Error while layers are being built
   */
  get memory(): PerThread {
    if (this.#memory === undefined) throw new Error("workspace: asked for before it was settled.");
    return this.#memory;
  }
}
