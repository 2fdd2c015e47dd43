import * as assert from "uvu/assert";
import type { Kernels } from "../../engine/memory/kernels.ts";

const fenceBytes = 64;
const pattern = 0xa5;

/** A buffer in kernel memory with canaries on both sides. */
export interface Fenced {
  readonly address: number;
  /** Copy of the bytes now there. */
  bytes(): Uint8Array;
  /** Copy as float32. */
  f32(): Float32Array;
  /** Copy as float64. */
  f64(): Float64Array;
  /** Asserts that both canaries are untouched. */
  check(what: string): void;
}

/** Places data into kernel memory between canaries. */
export function fenced({ arena }: Kernels, data: ArrayBufferView): Fenced {
  const length = data.byteLength;
  const base = arena.allocate(fenceBytes + length + fenceBytes);
  const address = base + fenceBytes;
  const all = (): Uint8Array => new Uint8Array(arena.memory.buffer, base, fenceBytes + length + fenceBytes);
  all().fill(pattern);
  all().set(new Uint8Array(data.buffer, data.byteOffset, length), fenceBytes);
  const bytes = (): Uint8Array => all().slice(fenceBytes, fenceBytes + length);
  return {
    address,
    bytes,
    f32: () => new Float32Array(bytes().buffer),
    f64: () => new Float64Array(bytes().buffer),
    check(what) {
      const now = all();
      const isIntact = [...now.subarray(0, fenceBytes), ...now.subarray(fenceBytes + length)].every(
        (b) => b === pattern,
      );
      assert.ok(isIntact, `${what}: wrote outside its buffer`);
    },
  };
}
