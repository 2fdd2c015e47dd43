import { fetchFailure } from "../files/fetch-failure.ts";
import { maxPhotoBytes, tooLarge } from "./limits.ts";

const mend = "Check the address, try again later, or download the photo yourself and give its file.";

/**
 * Downloads a photo into memory, as much as any photo may have.
 * @param stallMs a server that sends nothing for this long has gone
 * @throws RangeError in a sentence for people: what the server answered, that it cannot be reached, stalls, ends early or sends too much
 */
export async function downloadPhoto(url: string, stallMs: number = 30_000): Promise<Uint8Array> {
  const control = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => control.abort(), stallMs);
  };
  const parts: Uint8Array[] = [];
  let bytes: number | undefined;
  wait();
  try {
    const response = await fetch(url, { signal: control.signal });
    if (!response.ok)
      throw new RangeError(`the server answered ${`${response.status} ${response.statusText}`.trimEnd()}. ${mend}`);
    const promised = Number(response.headers.get("content-length") ?? 0);
    if (promised > maxPhotoBytes) throw tooLarge(promised);
    bytes = 0;
    for await (const part of response.body ?? []) {
      wait();
      bytes += part.length;
      if (bytes > maxPhotoBytes) throw tooLarge(bytes);
      parts.push(part);
    }
    return new Uint8Array(Buffer.concat(parts));
  } catch (error) {
    if (error instanceof RangeError) throw error;
    if (control.signal.aborted) throw new RangeError(`the server sent nothing for ${stallMs / 1000} seconds. ${mend}`);
    const reason = fetchFailure(error);
    const what = bytes === undefined ? "the server cannot be reached" : `the connection ended after ${bytes} bytes`;
    throw new RangeError(`${what}${reason === "" ? "" : ` (${reason})`}. ${mend}`);
  } finally {
    clearTimeout(timer);
    control.abort();
  }
}
