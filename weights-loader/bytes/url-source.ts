import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { type ByteSource, checkRange } from "./source.ts";

/** The part of the Fetch standard that reading ranges needs; the host hands its own `fetch` in. */
export type FetchRange = (
  url: string,
  init: { headers: Record<string, string> },
) => Promise<{
  readonly status: number;
  readonly statusText: string;
  readonly headers: { get(name: string): string | null };
  arrayBuffer(): Promise<ArrayBuffer>;
  readonly body?: { cancel(): Promise<void> } | null;
}>;

/**
 * A source over a URL whose server answers range requests: headers and tensors are fetched when they are read, the file never as
 * a whole. Every answer must be of the same file: the entity tag, where the server gives one, must not change.
 * @throws UnsupportedError when the server does not answer ranges, FormatError when it answers with something else
 */
export async function urlSource(url: string, fetch: FetchRange): Promise<ByteSource> {
  let tag: string | null | undefined;
  const request = async (from: number, length: number): Promise<{ bytes: Uint8Array; total: number }> => {
    const range = `bytes=${from}-${from + length - 1}`;
    const response = await fetch(url, { headers: { range } });
    if (response.status !== 206) {
      await response.body?.cancel(); // a whole file may be on its way
      if (response.status === 200) {
        throw new UnsupportedError(`${url}: the server does not answer range requests. Download the file first.`);
      }
      throw new FormatError(`${url}: the server answered ${response.status} ${response.statusText}.`);
    }
    const stated = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
    const total = Number(stated?.[3] ?? Number.NaN);
    if (Number(stated?.[1]) !== from || !Number.isSafeInteger(total)) {
      await response.body?.cancel();
      throw new FormatError(
        `${url}: asked for ${range}, the server answered "${response.headers.get("content-range") ?? ""}".`,
      );
    }
    const ownTag = response.headers.get("etag");
    if (tag !== undefined && ownTag !== tag) {
      await response.body?.cancel();
      throw new FormatError(`${url}: the file changed on the server while it was read. Open it again.`);
    }
    tag = ownTag;
    return { bytes: new Uint8Array(await response.arrayBuffer()), total };
  };
  const { total: byteLength } = await request(0, 1);
  return {
    byteLength,
    read: async (offset, length) => {
      checkRange(offset, length, byteLength);
      if (length === 0) return new Uint8Array(0);
      const { bytes, total } = await request(offset, length);
      if (bytes.byteLength !== length || total !== byteLength) {
        throw new FormatError(
          `${url}: asked for ${length} bytes from ${offset} on, the server sent ${bytes.byteLength}.`,
        );
      }
      return bytes;
    },
  };
}
