import type { Inflated, InflateRequest } from "./inflate.ts";

/** Inflates a zlib stream by the runtime's own DecompressionStream, never past what is asked for. */
export async function inflateByStream({ stream, maxBytes }: InflateRequest): Promise<Inflated> {
  const { readable, writable } = new DecompressionStream("deflate");
  const writer = writable.getWriter();
  // Errors of the writing side come out of the reading side, too.
  writer.write(stream.slice()).catch(() => {});
  writer.close().catch(() => {});
  const reader = readable.getReader();
  const bytes = new Uint8Array(maxBytes);
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || value === undefined) return bytes.subarray(0, length);
      if (length + value.byteLength > maxBytes) {
        await reader.cancel().catch(() => {});
        return "too long";
      }
      bytes.set(value, length);
      length += value.byteLength;
    }
  } catch {
    // A stream without its end fails here after its last byte: that loses no pixel where all are there.
    return length === maxBytes ? bytes : "damaged";
  }
}
