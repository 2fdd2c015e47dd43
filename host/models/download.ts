import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { refuseUnknownOptions } from "../../engine/basics/errors.ts";
import { type RegisteredWeights, registeredWeights } from "../../weights-loader/registry.ts";
import { fetchFailure } from "../files/fetch-failure.ts";
import { sha256File } from "../files/sha256.ts";
import { cachedWeights, cacheFolder } from "./cache.ts";

/** How to fetch weights. */
export interface FetchOptions {
  /** Default `cacheFolder()`. */
  readonly folder?: string;
  /** A mirror: the file's whole URL, or, ending in `/`, the folder that has it under its own name. */
  readonly url?: string;
  /** Called with the bytes that are there and, where it is known, the whole. */
  readonly onProgress?: (doneBytes: number, totalBytes: number | undefined) => void;
  /** Milliseconds without a byte after which the connection is given up and resumed. Default 30,000. */
  readonly stallMs?: number;
  /** Attempts in all; each continues where the one before ended. Default 5. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
}

const fetchOptionNames = Object.keys({
  folder: true,
  url: true,
  onProgress: true,
  stallMs: true,
  attempts: true,
  signal: true,
} satisfies Record<keyof FetchOptions, true>);

/** Weights that were fetched, or were there already. */
export interface FetchedWeights {
  readonly path: string;
  readonly byteLength: number;
  readonly sha256: string;
  /** True when nothing was downloaded. */
  readonly wasCached: boolean;
}

/** A download that did not succeed; nothing was left in the place of the file. */
export class FetchError extends Error {
  override readonly name = "FetchError";
}

/** A failure that another attempt may mend; what has arrived so far stays in the partial file. */
class Interrupted extends Error {}

/** A failure that every attempt would meet. */
class Refused extends Error {}

/** What people can do without a download that works. */
function byHand(url: string, path: string, sha256: string): string {
  const hash = sha256.length < 64 ? `begins with ${sha256}` : sha256;
  return `By hand: download ${url} where that works, put it there as ${path} (SHA-256 ${hash}), and fetch again, which checks it; or name a mirror (url).`;
}

/**
 * Fetches the official weights of a network into the cache folder. A download that breaks off is resumed, its partial file
 * (`.part`) is kept for the next call; the file gets its name only after length and SHA-256 were right.
 * @throws RangeError for a network without registered weights or an address that is not of the web, FetchError when the file could
 * not be had
 */
export async function fetchModel(model: string, options: FetchOptions = {}): Promise<FetchedWeights> {
  refuseUnknownOptions("fetchModel", options, fetchOptionNames);
  const weights = registeredWeights(model);
  if (options.url !== undefined) checkUrl(options.url);
  const folder = options.folder ?? cacheFolder();
  const path = await cachedWeights(model, folder);
  if (path !== undefined) {
    const sha256 = await sha256File(path);
    if (sha256.startsWith(weights.sha256)) {
      return { path, byteLength: (await stat(path)).size, sha256, wasCached: true };
    }
    await rm(path); // damaged on the disk since it was fetched
  }
  return fetchWeights(weights, folder, options);
}

/** Fetches a file as `fetchModel` does, whatever the registry says. */
export async function fetchWeights(
  weights: Pick<RegisteredWeights, "file" | "url" | "byteLength" | "sha256">,
  folder: string,
  options: FetchOptions = {},
): Promise<FetchedWeights> {
  refuseUnknownOptions("fetchWeights", options, fetchOptionNames);
  const url = options.url === undefined ? weights.url : mirrored(options.url, weights.file);
  const path = join(folder, weights.file);
  const part = `${path}.part`;
  await mkdir(folder, { recursive: true });
  const attempts = options.attempts ?? 5;
  for (let attempt = 1; ; attempt++) {
    try {
      await download(url, part, weights.byteLength, options);
      break;
    } catch (error) {
      const mend = byHand(url, path, weights.sha256);
      if (error instanceof Refused) throw new FetchError(`${url}: ${error.message}. ${mend}`);
      if (!(error instanceof Interrupted)) throw error;
      if (attempt >= attempts) {
        const done = await sizeOf(part);
        const kept = done === 0 ? "" : ` ${done} bytes are kept in ${part}; fetching again continues there.`;
        throw new FetchError(`${url}: ${error.message} (${attempts} attempts).${kept} ${mend}`);
      }
    }
  }
  const sha256 = await sha256File(part);
  const byteLength = await sizeOf(part);
  if (!sha256.startsWith(weights.sha256)) {
    await rm(part);
    throw new FetchError(
      `${url}: SHA-256 must ${weights.sha256.length < 64 ? "start with" : "be"} ${weights.sha256}, got ${sha256} (${byteLength} bytes). The download was deleted: the server has another file, or something on the way changed it.`,
    );
  }
  await rename(part, path);
  return { path, byteLength, sha256, wasCached: false };
}

/**
 * Refuses what no attempt can fetch.
 * @throws RangeError for anything but http and https
 */
export function checkUrl(url: string): void {
  if (!/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) {
    throw new RangeError(`url "${url}": must be a whole address that starts with http:// or https://.`);
  }
}

function mirrored(url: string, file: string): string {
  return url.endsWith("/") ? url + file : url;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** One attempt: continues the partial file where the server can, else starts again. */
async function download(url: string, part: string, expected: number | undefined, options: FetchOptions): Promise<void> {
  const have = await sizeOf(part);
  if (expected !== undefined && have === expected) return;
  if (expected !== undefined && have > expected) await rm(part);
  const from = expected !== undefined && have > expected ? 0 : have;
  const stall = new AbortController();
  const stallMs = options.stallMs ?? 30_000;
  let timer = setTimeout(() => stall.abort(), stallMs);
  const signal = options.signal === undefined ? stall.signal : AbortSignal.any([stall.signal, options.signal]);
  let isTooLong = false;
  const arrived: { bytes: number | undefined } = { bytes: undefined };
  try {
    const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
    const response = await fetch(url, { headers, signal });
    const start = startOf(response, from);
    if (start === undefined) {
      await rm(part, { force: true }); // the server has less than we do: another file
      throw new Interrupted("the server refused to continue the partial download");
    }
    const total = start.total ?? expected;
    if (expected !== undefined && total !== undefined && total !== expected) {
      throw new Refused(`the file must have ${expected} bytes, the server announces ${total}`);
    }
    let done = start.from;
    arrived.bytes = done;
    const count = async function* (pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces) {
        clearTimeout(timer);
        timer = setTimeout(() => stall.abort(), stallMs);
        done += piece.length;
        arrived.bytes = done;
        if (expected !== undefined && done > expected) {
          isTooLong = true;
          throw new Refused(`the file must have ${expected} bytes, the server sends more`);
        }
        options.onProgress?.(done, total);
        yield piece;
      }
    };
    const body = response.body as AsyncIterable<Uint8Array> | null; // Node's web streams are iterable
    if (body === null) throw new Interrupted("the server sent nothing");
    await pipeline(count(body), createWriteStream(part, { flags: start.from > 0 ? "a" : "w" }));
    if (total !== undefined && done < total)
      throw new Interrupted(`the connection ended after ${done} of ${total} bytes`);
  } catch (error) {
    if (isTooLong) await rm(part, { force: true });
    if (error instanceof Refused || error instanceof Interrupted) throw error;
    if (options.signal?.aborted === true)
      throw new FetchError(`${url}: cancelled; what has arrived is kept in ${part}.`);
    if (stall.signal.aborted) throw new Interrupted(`no byte came for ${stallMs} ms`);
    if (isDiskError(error)) throw error;
    const { bytes } = arrived;
    const reason = fetchFailure(error);
    const what = bytes === undefined ? "the server cannot be reached" : `the connection ended after ${bytes} bytes`;
    throw new Interrupted(reason === "" ? what : `${what} (${reason})`);
  } finally {
    clearTimeout(timer);
  }
}

const answerOf = ({ status, statusText }: Response): string => `${status} ${statusText}`.trimEnd();

/** Where the answer starts and how long the whole is; undefined when the partial file cannot be continued. */
function startOf(response: Response, from: number): { from: number; total: number | undefined } | undefined {
  if (response.status === 416) return undefined;
  if (response.status >= 500) throw new Interrupted(`the server answered ${answerOf(response)}`);
  if (response.status !== 200 && response.status !== 206) {
    throw new Refused(`the server answered ${answerOf(response)}`);
  }
  if (response.status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
    if (range === null || Number(range[1]) !== from) return undefined;
    return { from, total: range[2] === "*" ? undefined : Number(range[2]) };
  }
  const length = response.headers.get("content-length");
  const isEncoded = response.headers.get("content-encoding") !== null; // then the length counts encoded bytes
  return { from: 0, total: length === null || isEncoded ? undefined : Number(length) };
}

/** A full or read-only disk is not mended by trying again. */
function isDiskError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return ["ENOSPC", "EACCES", "EROFS", "EISDIR", "EPERM", "EDQUOT"].includes(code);
}
