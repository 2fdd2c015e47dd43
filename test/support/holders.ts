import type { BytesLike } from "../../engine/basics/bytes.ts";

/** The same bytes in everything that a caller may hold them in; each in memory of its own. */
export function holders(bytes: Uint8Array): Record<string, () => BytesLike> {
  const at = (offset: number): Uint8Array => {
    const memory = new Uint8Array(bytes.length + offset + 5).fill(0xff);
    memory.set(bytes, offset);
    return memory.subarray(offset, offset + bytes.length);
  };
  return {
    "a Buffer": () => Buffer.from(bytes),
    "a Buffer inside another": () => Buffer.from(at(3).buffer, 3, bytes.length),
    "a Uint8Array at an odd offset": () => at(1),
    "a Uint8ClampedArray": () => new Uint8ClampedArray(at(0)),
    "a DataView at an odd offset": () => new DataView(at(7).buffer, 7, bytes.length),
    "an ArrayBuffer": () => Uint8Array.from(bytes).buffer,
    "a SharedArrayBuffer": () => {
      const shared = new SharedArrayBuffer(bytes.length);
      new Uint8Array(shared).set(bytes);
      return shared;
    },
  };
}
