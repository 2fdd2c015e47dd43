import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as assert from "uvu/assert";
import { openWeights, urlSource } from "../../weights-loader/index.ts";
import { assertReadsAs, expectedTensors, fixtureBytes, rejection } from "../support/fixtures.ts";
import { suite } from "../support/suite.ts";

const content = Buffer.from(fixtureBytes("small-f32.safetensors"));

type Handler = (request: IncomingMessage, response: ServerResponse, call: number) => void;

async function serving(handler: Handler, body: (url: string) => Promise<void>): Promise<string[]> {
  const ranges: string[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range ?? "all");
    handler(request, response, ranges.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}/w`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
  return ranges;
}

function ranged(tag: (call: number) => string, shift = 0): Handler {
  return ({ headers }, response, call) => {
    const [, from = "0", to = "0"] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
    const range = `bytes ${Number(from) + shift}-${Number(to) + shift}/${content.length}`;
    response.writeHead(206, { "content-range": range, etag: tag(call) });
    response.end(content.subarray(Number(from), Number(to) + 1));
  };
}

suite("URL source", (test) => {
  test("weights are read in ranges", async () => {
    const ranges = await serving(
      ranged(() => '"a"'),
      async (url) => {
        const weights = await openWeights(await urlSource(url, fetch), { name: "remote" });
        await assertReadsAs(weights, expectedTensors("small-f32.safetensors"));
      },
    );
    assert.not(ranges.includes("all"));
    assert.is(ranges[0], "bytes=0-0");
  });

  test("a server without ranges, an error, another range and another file are refused", async () => {
    await serving(
      (_, response) => response.end(content),
      async (url) => {
        assert.is(
          await rejection(urlSource(url, fetch)),
          `UnsupportedError: ${url}: the server does not answer range requests. Download the file first.`,
        );
      },
    );
    await serving(
      (_, response) => response.writeHead(403).end(),
      async (url) => {
        assert.is(await rejection(urlSource(url, fetch)), `FormatError: ${url}: the server answered 403 Forbidden.`);
      },
    );
    await serving(
      ranged(() => '"a"', 1),
      async (url) => {
        assert.is(
          await rejection(urlSource(url, fetch)),
          `FormatError: ${url}: asked for bytes=0-0, the server answered "bytes 1-1/${content.length}".`,
        );
      },
    );
    await serving(
      ranged((call) => `"${call}"`),
      async (url) => {
        const source = await urlSource(url, fetch);
        assert.is(
          await rejection(source.read(0, 8)),
          `FormatError: ${url}: the file changed on the server while it was read. Open it again.`,
        );
      },
    );
  });
});
