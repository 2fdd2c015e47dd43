import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { extname } from "node:path";
import { pipeline } from "node:stream/promises";
import { refuseUnknownOptions } from "../../engine/basics/errors.ts";
import { pageFiles } from "./files.ts";

/** A page that is being served. */
export interface ServedPage {
  /** Where it is, `http://localhost:4600/`. */
  readonly url: string;
  close(): Promise<void>;
}

/** How the page is served. */
export interface ServeOptions {
  /** Port on this machine; 0, the default, for any that is free. */
  readonly port?: number;
  /** Without it the page is not cross-origin isolated and has one thread; for tests of that. Default true. */
  readonly isIsolated?: boolean;
}

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

// Isolation gives the page threads (SharedArrayBuffer); the policy is that of the page's own <meta>.
const isolation = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  files: ReadonlyMap<string, string>,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const end = (status: number, text: string): void => {
    response.writeHead(status, { ...headers, "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
  };
  if (request.method !== "GET" && request.method !== "HEAD") return end(405, "only GET");
  let path: string;
  try {
    path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname).slice(1);
  } catch {
    return end(400, "the address is not understood");
  }
  const file = files.get(path === "" ? "index.html" : path); // the list is all there is: no address can lead elsewhere
  if (file === undefined) return end(404, "no such file");
  try {
    const { size } = await stat(file);
    response.writeHead(200, {
      ...headers,
      "content-type": types[extname(file)] ?? "application/octet-stream",
      "content-length": size,
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    });
    if (request.method === "HEAD") response.end();
    else await pipeline(createReadStream(file), response);
  } catch {
    if (response.headersSent) response.destroy();
    else end(404, "no such file");
  }
}

/**
 * Serves the page to this machine alone.
 * @throws Error of the system when the port is taken
 */
export async function servePage(options: ServeOptions = {}): Promise<ServedPage> {
  refuseUnknownOptions("servePage", options, ["port", "isIsolated"]);
  const { port = 0, isIsolated = true } = options;
  const files = pageFiles();
  const headers = isIsolated ? isolation : {};
  const server: Server = createServer((request, response) => void answer(request, response, files, headers));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  const taken = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://localhost:${taken}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
