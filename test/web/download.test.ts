import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import { download } from "../../web/network/download.ts";
import { serve } from "../support/serve.ts";
import { suite } from "../support/suite.ts";

const file = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251);
const sha256 = createHash("sha256").update(file).digest("hex");

/** A server whose connection breaks in the middle of the first `breaks` answers, after `piece` bytes, and what was asked of it. */
async function breaking(
  breaks: number,
  tag: string | undefined,
  piece: number,
  work: (url: string, asked: (string | undefined)[]) => Promise<void>,
): Promise<void> {
  const asked: (string | undefined)[] = [];
  const server = await serve((request, response) => {
    asked.push(request.headers.range);
    const isRest = request.headers.range !== undefined && request.headers["if-range"] === tag;
    const from = isRest ? Number(/\d+/.exec(request.headers.range ?? "")?.[0]) : 0;
    response.writeHead(isRest ? 206 : 200, {
      "content-length": file.length - from,
      ...(tag === undefined ? {} : { etag: tag }),
    });
    if (asked.length > breaks) response.end(file.subarray(from));
    else response.write(file.subarray(from, from + piece), () => setTimeout(() => response.destroy(), 50));
  });
  try {
    await work(server.url, asked);
  } finally {
    await server.close();
  }
}

const bytesOf = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());

suite("download", (test) => {
  test("a connection that breaks is taken up where it ended", () =>
    breaking(1, '"v1"', 100_000, async (url, asked) => {
      const seen: [number, number | undefined][] = [];
      const { blob, from } = await download(url, { sha256, onProgress: (done, total) => seen.push([done, total]) });
      assert.equal(await bytesOf(blob), file);
      assert.is(from, "network");
      assert.is(asked[0], undefined);
      assert.match(asked[1] ?? "", /^bytes=[1-9]\d*-$/);
      assert.equal(seen.at(-1), [300_000, 300_000]);
    }));

  test("where the server names no version, it is fetched again from the start", () =>
    breaking(1, undefined, 100_000, async (url, asked) => {
      assert.equal(await bytesOf((await download(url)).blob), file);
      assert.equal(asked, [undefined, undefined]);
    }));

  test("a network that stays away gets a sentence after four attempts", () =>
    breaking(99, '"v1"', 10_000, async (url, asked) => {
      const message = await download(url).then(
        () => "none",
        (error: unknown) => String(error),
      );
      assert.is(
        message.replace(/\(.*; /, "(…; "),
        `Error: ${url}: could not be downloaded (…; 4 attempts). Check the connection, and that the server allows this page (CORS).`,
      );
      assert.is(asked.length, 4);
    }));

  test("another file is refused by its checksum, an absent one with the server's answer", () =>
    breaking(0, undefined, 0, async (url) => {
      const wrong = "0".repeat(64);
      const message = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : "");
      assert.is(
        await download(url, { sha256: wrong }).then(() => "none", message),
        `FormatError: ${url}: the file has another SHA-256 than ${wrong}. It is damaged or was replaced; nothing was kept.`,
      );
      const absent = await serve((_, response) => response.writeHead(404).end());
      try {
        assert.is(
          await download(absent.url).then(() => "none", message),
          `Error: ${absent.url}: the server answered 404 Not Found.`,
        );
      } finally {
        await absent.close();
      }
    }));

  test("it ends when it is called off", () =>
    breaking(0, undefined, 0, async (url) => {
      let calls = 0;
      const message = await download(url, { isAborted: () => ++calls > 1 }).then(
        () => "none",
        (error: unknown) => (error instanceof Error ? error.name : ""),
      );
      assert.is(message, "AbortError");
    }));
});
