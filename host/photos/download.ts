import { maxPhotoBytes, tooLarge } from "./limits.ts";

// A server that sends nothing for this long has gone.
const stallMs = 30_000;

/**
 * Downloads a photo into memory, as much as any photo may have.
 * @throws RangeError in a sentence for people: what the server answered, that it cannot be reached, stalls or sends too much
 */
export async function downloadPhoto(url: string): Promise<Uint8Array> {
  const control = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => control.abort(), stallMs);
  };
  wait();
  try {
    const response = await fetch(url, { signal: control.signal });
    if (!response.ok)
      throw new RangeError(`the server answered ${response.status} ${response.statusText}.`.replace(" .", "."));
    const promised = Number(response.headers.get("content-length") ?? 0);
    if (promised > maxPhotoBytes) throw tooLarge(promised);
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of response.body ?? []) {
      wait();
      bytes += part.length;
      if (bytes > maxPhotoBytes) throw tooLarge(bytes);
      parts.push(part);
    }
    return new Uint8Array(Buffer.concat(parts));
  } catch (error) {
    if (error instanceof RangeError) throw error;
    if (control.signal.aborted) throw new RangeError(`the server sent nothing for ${stallMs / 1000} seconds.`);
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
    throw new RangeError(`the server cannot be reached${cause === "" ? "" : ` (${cause})`}.`);
  } finally {
    clearTimeout(timer);
    control.abort();
  }
}
