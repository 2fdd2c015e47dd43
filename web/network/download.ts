import { FormatError } from "../../engine/basics/errors.ts";
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

const cacheName = "srmap-weights-v1";
const attempts = 4;

/**
 * Downloads a file, or takes it from the cache. A connection that breaks is taken up where it ended, where the server answers ranges.
 * @throws Error that names address and answer, FormatError when the checksum differs, AbortError
 */
export async function download(url: string, options: DownloadOptions = {}): Promise<Download> {
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
  const blob = await fetchWhole(url, options);
  if (!(await hasChecksum(blob, options.sha256))) {
    throw new FormatError(
      `${url}: the file has another SHA-256 than ${options.sha256}. It is damaged or was replaced; nothing was kept.`,
    );
  }
  let notKept: string | undefined;
  try {
    await cache?.put(url, new Response(blob));
  } catch (error) {
    notKept = String(error); // storage is full or forbidden: the photo can still be explained
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

async function fetchWhole(url: string, { onProgress, isAborted = () => false }: DownloadOptions): Promise<Blob> {
  let pieces: BlobPart[] = [];
  let done = 0;
  let tag: string | null = null;
  const controller = new AbortController();
  for (let attempt = 1; ; attempt++) {
    try {
      const headers: Record<string, string> =
        done > 0 && tag !== null ? { range: `bytes=${done}-`, "if-range": tag } : {};
      const response = await fetch(url, { headers, signal: controller.signal });
      if (response.status !== 206) {
        if (!response.ok)
          throw new ServerAnswer(`${url}: the server answered ${response.status} ${response.statusText}.`);
        pieces = [];
        done = 0;
      }
      tag = response.headers.get("etag");
      const length = Number(response.headers.get("content-length") ?? Number.NaN);
      const isEncoded = response.headers.get("content-encoding") !== null; // then the length is that of the encoded bytes
      const total = Number.isFinite(length) && !isEncoded ? done + length : undefined;
      if (response.body === null) throw new Error("the answer has no body");
      const reader = response.body.getReader();
      for (;;) {
        if (isAborted()) {
          controller.abort();
          throw new AbortError(`${url}: the download was aborted.`);
        }
        const { done: isEnd, value } = await reader.read();
        if (isEnd) break;
        pieces.push(value);
        done += value.byteLength;
        onProgress?.(done, total);
      }
      if (total !== undefined && done !== total)
        throw new Error(`the connection ended after ${done} of ${total} bytes`);
      return new Blob(pieces);
    } catch (error) {
      if (error instanceof AbortError || error instanceof ServerAnswer) throw error;
      if (attempt === attempts) {
        throw new Error(
          `${url}: could not be downloaded (${error instanceof Error ? error.message : String(error)}; ${attempts} attempts). Check the connection, and that the server allows this page (CORS).`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** attempt));
    }
  }
}

/** The server answered, but not with the file: asking again would not help. */
class ServerAnswer extends Error {}
