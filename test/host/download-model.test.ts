import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { cachedWeights, cacheFolder, fetchModel, fetchWeights } from "../../host/node.ts";
import { registeredWeights } from "../../weights-loader/index.ts";
import { rejection } from "../support/fixtures.ts";
import { freePort } from "../support/free-port.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

const random = rng(11);
const content = Buffer.from(Uint8Array.from({ length: 200_000 }, () => random.integer(0, 255)));
const sha256 = createHash("sha256").update(content).digest("hex");

type Handler = (request: IncomingMessage, response: ServerResponse, call: number) => void;

/** Serves `handler` while `body` runs, with an empty folder. */
async function serving(handler: Handler, body: (url: string, folder: string) => Promise<void>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "srmap-fetch-"));
  const ranges: string[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range ?? "all");
    handler(request, response, ranges.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}/weights.bin`, folder);
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
  return ranges;
}

/** Answers as a file server does, with ranges. */
const honest: Handler = ({ headers }, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
  const range = { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` };
  response.writeHead(from > 0 ? 206 : 200, { "content-length": content.length - from, ...(from > 0 ? range : {}) });
  response.end(content.subarray(from));
};

/** Sends the first half and cuts the line. */
const half: Handler = (_, response) => {
  response.writeHead(200, { "content-length": content.length });
  response.write(content.subarray(0, content.length / 2), () => setTimeout(() => response.destroy(), 50));
};

const weights = (url: string) => ({ file: "weights.bin", url, byteLength: content.length, sha256 });

/** What every failure of the network ends with. */
const byHand = (url: string, folder: string): string =>
  `By hand: download ${url} where that works, put it there as ${join(folder, "weights.bin")} (SHA-256 ${sha256}), and fetch again, which checks it; or name a mirror (url).`;

function assertFetched(folder: string): void {
  assert.ok(readFileSync(join(folder, "weights.bin")).equals(content));
  assert.not(existsSync(join(folder, "weights.bin.part")));
}

function assertNothing(folder: string): void {
  assert.not(existsSync(join(folder, "weights.bin")));
  assert.not(existsSync(join(folder, "weights.bin.part")));
}

suite("fetching weights", (test) => {
  test("a file arrives, with progress", async () => {
    const progress: number[] = [];
    const ranges = await serving(honest, async (url, folder) => {
      const fetched = await fetchWeights(weights(url), folder, { onProgress: (done) => progress.push(done) });
      assert.equal(fetched, {
        path: join(folder, "weights.bin"),
        byteLength: content.length,
        sha256,
        wasCached: false,
      });
      assertFetched(folder);
    });
    assert.equal(ranges, ["all"]);
    assert.is(progress.at(-1), content.length);
  });

  test("a download that breaks off at half is resumed there", async () => {
    const ranges = await serving(
      (request, response, call) => (call === 1 ? half : honest)(request, response, call),
      async (url, folder) => {
        await fetchWeights(weights(url), folder);
        assertFetched(folder);
      },
    );
    // The line may be cut before all of the half has arrived.
    const from = Number(/^bytes=(\d+)-$/.exec(ranges[1] ?? "")?.[1]);
    assert.ok(ranges.length === 2 && from > 0 && from <= content.length / 2, ranges.join(" "));
  });

  test("a download of an earlier call is resumed, too", async () => {
    const ranges = await serving(honest, async (url, folder) => {
      writeFileSync(join(folder, "weights.bin.part"), content.subarray(0, 1000));
      await fetchWeights(weights(url), folder);
      assertFetched(folder);
    });
    assert.equal(ranges, ["bytes=1000-"]);
  });

  test("a server without ranges sends all again", async () => {
    await serving(
      (_, response) => response.end(content),
      async (url, folder) => {
        writeFileSync(join(folder, "weights.bin.part"), content.subarray(0, 1000));
        await fetchWeights(weights(url), folder);
        assertFetched(folder);
      },
    );
  });

  test("where nothing came, nothing is said to be kept", async () => {
    await serving(
      (_, response) => response.destroy(),
      async (url, folder) => {
        const message = await rejection(fetchWeights(weights(url), folder, { attempts: 2 }));
        assert.is(
          message.replace(/ \([a-z ]+\) /, " "), // what this Node calls it
          `FetchError: ${url}: the server cannot be reached (2 attempts). ${byHand(url, folder)}`,
        );
      },
    );
  });

  test("a server that stalls is given up after the attempts, what came is kept", async () => {
    await serving(
      ({ headers }, response) => {
        if (headers.range !== undefined) return; // never answers
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 5000));
      },
      async (url, folder) => {
        const message = await rejection(fetchWeights(weights(url), folder, { stallMs: 200, attempts: 2 }));
        const part = join(folder, "weights.bin.part");
        assert.is(
          message,
          `FetchError: ${url}: no byte came for 200 ms (2 attempts). 5000 bytes are kept in ${part}; fetching again continues there. ${byHand(url, folder)}`,
        );
        assert.not(existsSync(join(folder, "weights.bin")));
      },
    );
  });

  test("wrong bytes are deleted", async () => {
    const wrong = Buffer.from(content);
    wrong[100_000] = (wrong[100_000] ?? 0) ^ 1;
    const got = createHash("sha256").update(wrong).digest("hex");
    await serving(
      (_, response) => response.end(wrong),
      async (url, folder) => {
        assert.is(
          await rejection(fetchWeights(weights(url), folder)),
          `FetchError: ${url}: SHA-256 must be ${sha256}, got ${got} (200000 bytes). The download was deleted: the server has another file, or something on the way changed it.`,
        );
        assertNothing(folder);
      },
    );
  });

  test("a length that contradicts the registry is refused at once", async () => {
    await serving(
      (_, response) => {
        response.writeHead(200, { "content-length": content.length + 5 });
        response.end(Buffer.concat([content, Buffer.alloc(5)]));
      },
      async (url, folder) => {
        assert.is(
          await rejection(fetchWeights(weights(url), folder)),
          `FetchError: ${url}: the file must have 200000 bytes, the server announces 200005. ${byHand(url, folder)}`,
        );
        assertNothing(folder);
      },
    );
  });

  test("an endless answer without a length is stopped", async () => {
    await serving(
      (_, response) => {
        const more = (): void => {
          if (!response.destroyed) response.write(content, () => setImmediate(more));
        };
        more();
      },
      async (url, folder) => {
        assert.is(
          await rejection(fetchWeights(weights(url), folder)),
          `FetchError: ${url}: the file must have 200000 bytes, the server sends more. ${byHand(url, folder)}`,
        );
        assertNothing(folder);
      },
    );
  });

  test("a length that lies is an interruption, then an error", async () => {
    await serving(
      (_, response) => {
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 100), () => response.destroy());
      },
      async (url, folder) => {
        const message = await rejection(fetchWeights(weights(url), folder, { attempts: 2 }));
        assert.match(message, /^FetchError: .* \(2 attempts\)\.( \d+ bytes are kept in .*)? By hand: /); // none, where the line was cut at once
        assert.not(existsSync(join(folder, "weights.bin")));
      },
    );
  });

  test("a server that nobody runs gets a sentence that says what to do by hand, and what is put there is taken", async () => {
    await serving(honest, async (_, folder) => {
      const url = `http://127.0.0.1:${await freePort()}/weights.bin`;
      const message = await rejection(fetchWeights(weights(url), folder, { attempts: 1 }));
      const [, reason = ""] = /cannot be reached \((.*)\) \(1 attempts\)/.exec(message) ?? [];
      assert.match(reason, /^connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
      assert.ok(message.endsWith(byHand(url, folder)), message);
      assertNothing(folder);
    });
    const folder = mkdtempSync(join(tmpdir(), "srmap-fetch-"));
    const model = "squeezenet1_1";
    const url = `http://127.0.0.1:${await freePort()}/`;
    const message = await rejection(fetchModel(model, { folder, url, attempts: 1 }));
    const [, path = ""] = / put it there as (\S+) \(SHA-256 begins with b8a52dc0\)/.exec(message) ?? [];
    assert.is(path, join(folder, "squeezenet1_1-b8a52dc0.pth"));
    writeFileSync(path, Buffer.alloc(registeredWeights(model).byteLength ?? 0));
    assert.is(await cachedWeights(model, folder), path);
    assert.match(
      await rejection(fetchModel(model, { folder, url, attempts: 1 })),
      /cannot be reached/,
      "it was no such file",
    );
    rmSync(folder, { recursive: true });
  });

  test("redirects are followed, a missing file is said", async () => {
    await serving(
      (request, response, call) => {
        if (request.url === "/weights.bin") response.writeHead(302, { location: "/elsewhere" }).end();
        else honest(request, response, call);
      },
      async (url, folder) => {
        await fetchWeights(weights(url), folder);
        assertFetched(folder);
      },
    );
    await serving(
      (_, response) => response.writeHead(404).end(),
      async (url, folder) => {
        assert.is(
          await rejection(fetchWeights(weights(url), folder)),
          `FetchError: ${url}: the server answered 404 Not Found. ${byHand(url, folder)}`,
        );
      },
    );
  });

  test("a mirror has the registered file under its own name, and its bytes count", async () => {
    const asked: (string | undefined)[] = [];
    await serving(
      (request, response) => {
        asked.push(request.url);
        response.end("not SqueezeNet");
      },
      async (url, folder) => {
        const message = await rejection(fetchModel("squeezenet1_1", { folder, url: url.replace("weights.bin", "m/") }));
        assert.match(
          message,
          /SHA-256 must start with b8a52dc0, got [0-9a-f]{64} \(14 bytes\)\. The download was deleted/,
        );
        assert.is(await cachedWeights("squeezenet1_1", folder), undefined);
      },
    );
    assert.equal(asked, ["/m/squeezenet1_1-b8a52dc0.pth"]);
  });

  test("unknown networks are refused before anything is asked", async () => {
    assert.is(
      await rejection(fetchModel("vgg61")),
      `RangeError: model "vgg61": no official weights are registered. Did you mean "vgg16"? Registered are alexnet, vgg16, vgg11, vgg13, vgg19, vgg11_bn, vgg13_bn, vgg16_bn, vgg19_bn, resnet18, resnet34, resnet50, squeezenet1_0, squeezenet1_1, alexnet-bvlc, vgg16-caffe.`,
    );
  });

  test("the cache follows SRMAP_CACHE, then XDG", () => {
    assert.is(cacheFolder({ SRMAP_CACHE: "/a/b" }), "/a/b");
    assert.is(cacheFolder({ XDG_CACHE_HOME: "/x" }), join("/x", "srmap"));
  });
});
