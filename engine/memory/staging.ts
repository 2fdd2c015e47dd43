import type { Kernels } from "./kernels.ts";

/**
 * Copies rows into kernel memory in pieces and hands each piece on: the way parameters enter, so that no tensor is in memory twice.
 */
export class Staging {
  readonly #kernels: Kernels;
  readonly #address: number;
  readonly #length: number;

  /**
   * @param longestRow elements of the longest row that will pass
   * @param isSmall half a megabyte instead of four
   */
  constructor(kernels: Kernels, longestRow: number, isSmall: boolean) {
    this.#kernels = kernels;
    this.#length = Math.max(isSmall ? 1 << 17 : 1 << 20, longestRow);
    this.#address = kernels.arena.allocate(4 * this.#length);
  }

  /** Calls `accept(address, first, count)` for each piece of whole rows. */
  pass(
    rows: Float32Array,
    rowLength: number,
    firstRow: number,
    accept: (address: number, first: number, count: number) => void,
  ): void {
    const perPiece = Math.max(1, Math.floor(this.#length / rowLength));
    const count = rows.length / rowLength;
    for (let row = 0; row < count; row += perPiece) {
      const piece = rows.subarray(row * rowLength, Math.min(row + perPiece, count) * rowLength);
      this.#kernels.arena.f32(this.#address, piece.length).set(piece);
      accept(this.#address, firstRow + row, piece.length / rowLength);
    }
  }
}
