import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname, join } from "node:path";

/** A server of one test. */
export interface TestServer {
  /** `http://localhost:PORT/` */
  readonly url: string;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
};

/** Serves requests on a free port of this machine. */
export async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<TestServer> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number }; // it listens on a port
  return {
    url: `http://localhost:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Serves files, to tests alone: addresses are not checked.
 * @param places where addresses lie, the first that begins them: an address's beginning, and the file or (ending in "/") the folder
 */
export function serveFiles(
  places: readonly (readonly [address: string, path: string])[],
  headers: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  return serve((request, response) => {
    const path = decodeURIComponent((request.url ?? "/").replace(/[?#].*$/, "")).replace(/\/$/, "/index.html");
    const [address = "", place = ""] = places.find(([start]) => path.startsWith(start)) ?? [];
    try {
      const bytes = readFileSync(place.endsWith("/") ? join(place, path.slice(address.length)) : place);
      const type = types[extname(path)] ?? "application/octet-stream";
      response.writeHead(200, { ...headers, "content-type": type, "content-length": bytes.length }).end(bytes);
    } catch {
      response.writeHead(404, headers).end();
    }
  });
}
