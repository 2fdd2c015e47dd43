import { FormatError, refuseUnknownOptions } from "../../engine/basics/errors.ts";
import { AbortError } from "../../workers/explainer/errors.ts";

/** How a file is downloaded. */
export interface DownloadOptions {
  /** Called with the bytes that are there and, where the server says it, those that will be. */
  readonly onProgress?: (done: number, total: number | undefined) => void;
  readonly isAborted?: () => boolean;
  /** Keeps the file in the browser's Cache storage. Default true; where there is none (plain http, file:) nothing is kept. */
  readonly cache?: boolean;
  /** SHA-256 that the file must have, in hexadecimal. */
  readonly sha256?: string;
}

/** A downloaded file. */
export interface Download {
  /** The browser may hold it on disk: read it in ranges. */
  readonly blob: Blob;
  /** Where it came from, and what became of keeping it. */
  readonly from: "network" | "cache";
  /** Why the file could not be kept for the next visit, if it was to be. */
  readonly notKept: string | undefined;
}

const optionNames = Object.keys({
  onProgress: true,
  isAborted: true,
  cache: true,
  sha256: true,
} satisfies Record<keyof DownloadOptions, true>);

const cacheName = "srmap-weights-v1";
const attempts = 4;

/**
 * Downloads a file, or takes it from the cache. A connection that breaks is taken up where it ended, where the server answers ranges.
 * @throws Error that names address and answer, FormatError when the checksum differs, AbortError, TypeError for an option that does not exist
 */
export async function download(url: string, options: DownloadOptions = {}): Promise<Download> {
  refuseUnknownOptions("download", options, optionNames);
  const cache = options.cache === false ? undefined : await openCache();
  const kept = await cache?.match(url);
  if (kept !== undefined) {
    const blob = await kept.blob();
    if (await hasChecksum(blob, options.sha256)) {
      options.onProgress?.(blob.size, blob.size);
      return { blob, from: "cache", notKept: undefined };
    }
    await cache?.delete(url); // an older file of that address
  }
  const tries = { left: attempts };
  const { blob, notKept } = await keptOrWhole(url, cache, () => piecesOf(url, tries, options));
  if (!(await hasChecksum(blob, options.sha256))) {
    await cache?.delete(url);
    throw new FormatError(
      `${url}: the file has another SHA-256 than ${options.sha256}. It is damaged or was replaced; nothing was kept.`,
    );
  }
  return { blob, from: "network", notKept };
}

/** Forgets every file that `download` has kept. */
export async function forgetDownloads(): Promise<void> {
  if (typeof caches !== "undefined") await caches.delete(cacheName);
}

async function openCache(): Promise<Cache | undefined> {
  try {
    return typeof caches === "undefined" ? undefined : await caches.open(cacheName);
  } catch {
    return undefined; // forbidden by the user's settings
  }
}

async function hasChecksum(blob: Blob, sha256: string | undefined): Promise<boolean> {
  if (sha256 === undefined) return true;
  if (typeof crypto === "undefined" || crypto.subtle === undefined) {
    throw new Error(
      "sha256: this page is not a secure context, in which alone browsers compute checksums. Serve it by https or from localhost.",
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") === sha256.toLowerCase();
}

type Pieces = AsyncGenerator<Uint8Array<ArrayBuffer>, void>;

/** Writes the pieces to the cache as they come, so that none stays in memory; where that is refused, fetches them again for memory. */
async function keptOrWhole(
  url: string,
  cache: Cache | undefined,
  fetchPieces: () => Pieces,
): Promise<{ blob: Blob; notKept: string | undefined }> {
  let notKept: string | undefined;
  for (;;) {
    const { stream, failure } = streamOf(fetchPieces());
    try {
      if (cache === undefined || notKept !== undefined) return { blob: await new Response(stream).blob(), notKept };
      await cache.put(url, new Response(stream));
      const kept = await cache.match(url);
      if (kept !== undefined) return { blob: await kept.blob(), notKept };
      notKept = "it is not there after it was written";
    } catch (error) {
      const reason = failure();
      if (reason instanceof StartAgain) continue;
      if (reason !== undefined || notKept !== undefined || cache === undefined) throw reason ?? error;
      notKept = String(error); // storage is full or forbidden: the photo can still be explained
    }
  }
}

/** Pieces as a stream, and what ended it early. */
function streamOf(pieces: Pieces): { stream: ReadableStream<Uint8Array<ArrayBuffer>>; failure: () => unknown } {
  let reason: unknown;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        reason = error;
        controller.error(error);
      }
    },
    cancel: async () => void (await pieces.return()),
  });
  return { stream, failure: () => reason };
}

/** A file's bytes in order, over several connections where one breaks and the server answers ranges. */
async function* piecesOf(url: string, tries: { left: number }, options: DownloadOptions): Pieces {
  const state: Connection = { done: 0, tag: null };
  const controller = new AbortController();
  try {
    for (;;) {
      try {
        yield* restOf(url, state, options, controller.signal);
        return;
      } catch (error) {
        if (error instanceof AbortError || error instanceof ServerAnswer || error instanceof StartAgain) throw error;
        tries.left -= 1;
        if (tries.left === 0) {
          throw new Error(
            `${url}: could not be downloaded (${error instanceof Error ? error.message : String(error)}; ${attempts} attempts). Check the connection, and that the server allows this page (CORS).`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** (attempts - tries.left)));
        if (state.done > 0 && state.tag === null) throw new StartAgain();
      }
    }
  } finally {
    controller.abort(); // whoever wanted the pieces may have gone
  }
}

/** How far a file is. */
interface Connection {
  done: number;
  /** The file's version, by which the server takes it up again. */
  tag: string | null;
}

/** One answer: the bytes that are missing. */
async function* restOf(
  url: string,
  state: Connection,
  { onProgress, isAborted = () => false }: DownloadOptions,
  signal: AbortSignal,
): Pieces {
  const headers: Record<string, string> =
    state.done > 0 && state.tag !== null ? { range: `bytes=${state.done}-`, "if-range": state.tag } : {};
  const response = await fetch(url, { headers, signal });
  if (response.status !== 206) {
    if (!response.ok) throw new ServerAnswer(`${url}: the server answered ${response.status} ${response.statusText}.`);
    if (state.done > 0) throw new StartAgain();
  }
  state.tag = response.headers.get("etag");
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const isEncoded = response.headers.get("content-encoding") !== null; // then the length is that of the encoded bytes
  const total = Number.isFinite(length) && !isEncoded ? state.done + length : undefined;
  if (response.body === null) throw new Error("the answer has no body");
  const reader = response.body.getReader();
  for (;;) {
    if (isAborted()) throw new AbortError(`${url}: the download was aborted.`);
    const { done: isEnd, value } = await reader.read();
    if (isEnd) break;
    state.done += value.byteLength;
    onProgress?.(state.done, total);
    yield value;
  }
  if (total !== undefined && state.done !== total)
    throw new Error(`the connection ended after ${state.done} of ${total} bytes`);
}

/** The server answered, but not with the file: asking again would not help. */
class ServerAnswer extends Error {}

/** The connection broke, and the server cannot take it up where it ended. */
class StartAgain extends Error {}
