import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import type { Page } from "puppeteer-core";
import * as assert from "uvu/assert";
import { pageFiles } from "../../host/page/files.ts";
import { servePage } from "../../host/page/serve.ts";
import { chromiumPath } from "../support/browsers.ts";
import { root } from "../support/paths.ts";
import { serve, type TestServer } from "../support/serve.ts";
import { suite } from "../support/suite.ts";
import { choose, give, launch, openPage, press, problemOf, requireWorking, waitForClasses } from "./open-page.ts";

/** The start of a PNG that claims to have these sides. */
function hugePng(width: number, height: number): Uint8Array {
  const chunk = Buffer.alloc(25);
  chunk.writeUInt32BE(13, 0);
  chunk.write("IHDR", 4, "latin1");
  chunk.writeUInt32BE(width, 8);
  chunk.writeUInt32BE(height, 12);
  chunk.set([8, 2, 0, 0, 0], 16);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 21)), 21);
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk, Buffer.alloc(100)]);
}

/** A white PNG of one bit a pixel. */
function whitePng(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const rowBytes = 1 + Math.ceil(width / 8);
  const rows = Buffer.alloc(rowBytes * height, 0xff);
  for (let y = 0; y < height; y++) rows[y * rowBytes] = 0; // filter: none
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const data = chunk("IDAT", deflateSync(rows, { level: 1 }));
  return Buffer.concat([signature, chunk("IHDR", header), data, chunk("IEND", Buffer.alloc(0))]);
}

/** Serves the page's files, each as `change` wants it, but not what keeps them for the next visit. */
function servePageFiles(change: (address: string, bytes: Uint8Array) => Uint8Array): Promise<TestServer> {
  const files = pageFiles();
  return serve((request, response) => {
    const address = (request.url ?? "/").slice(1) || "index.html";
    const place = files.get(address);
    if (place === undefined || address === "sw.js") {
      response.writeHead(404).end();
      return;
    }
    const type = address.endsWith(".html") ? "text/html" : address.endsWith(".js") ? "text/javascript" : "";
    response.writeHead(200, { "content-type": type }).end(change(address, readFileSync(place)));
  });
}

/** What a visitor may take for a photo, and what the page says. */
const noPhotos: readonly { readonly name: string; readonly bytes: Uint8Array; readonly says: string }[] = [
  {
    name: "paper.pdf",
    bytes: Buffer.from("%PDF-1.7\n"),
    says: "photo: this browser cannot read the application/pdf file as a picture. Use JPEG, PNG or WebP.",
  },
  {
    name: "holiday.mp4",
    bytes: Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from("ftypisom"), Buffer.alloc(64)]),
    says: "photo: this browser cannot read the video/mp4 file as a picture. Use JPEG, PNG or WebP.",
  },
  {
    name: "poster.png",
    bytes: hugePng(20_000, 20_000),
    says: "PNG: 20000x20000 are 400 megapixels, the limit is 100 megapixels. Scale it down first.",
  },
  {
    name: "half.jpg",
    bytes: readFileSync(join(root, "examples/cat.jpg")).subarray(0, 300),
    says: "JPEG: the file is truncated. Get the photo again.",
  },
  { name: "empty.jpg", bytes: new Uint8Array(0), says: "photo: the file is empty. Choose another, or copy it again." },
];

suite("what a visitor can do wrong", (test) => {
  const folder = mkdtempSync(join(tmpdir(), "srmap-bad-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const chromium = chromiumPath();

  /** The page in a browser, and what it is reached by. */
  const onPage = async (
    path: string,
    work: (page: Page, url: string) => Promise<void>,
    camera?: readonly string[],
  ): Promise<void> => {
    const served = await servePage();
    const browser = await launch(path, "chrome", camera);
    try {
      const { page } = await openPage(browser, served.url);
      await work(page, served.url);
    } finally {
      await browser.close();
      await served.close();
    }
  };

  test.needsProgram(chromium, "Chromium", "what is no photo gets a sentence, and the page goes on", (path) =>
    onPage(path, async (page) => {
      for (const { name, bytes, says } of noPhotos) {
        writeFileSync(join(folder, name), bytes);
        await give(page, ".photos input[type=file]", join(folder, name));
        const said = await problemOf(page);
        assert.is(said, says, name);
        await requireWorking(page);
        await page.evaluate(() => document.querySelectorAll<HTMLButtonElement>(".thumb")[0]?.click());
        await page.waitForFunction(() => document.querySelector("main")?.dataset["explained"] === "coffee");
      }
    }),
  );

  test.needsProgram(
    chromium,
    "Chromium",
    "what is saved is called after the photo it is of, not after one that failed",
    (path) =>
      onPage(path, async (page) => {
        const bad = join(folder, "unreadable.pdf");
        writeFileSync(bad, "%PDF-1.7");
        await give(page, ".photos input[type=file]", bad);
        await problemOf(page);
        await page.evaluate(() => {
          HTMLAnchorElement.prototype.click = function (this: HTMLAnchorElement): void {
            document.title = this.download;
          };
        });
        await press(page, "JSON");
        assert.is(await page.title(), "coffee-explanation.json");
      }),
  );

  test.needsProgram(chromium, "Chromium", "a class waits for another of its own network alone", (path) =>
    onPage(path, async (page) => {
      await page.evaluate(() => document.querySelector<HTMLButtonElement>(".compare")?.click());
      await page.evaluate(() => document.querySelector("details.own")?.setAttribute("open", ""));
      await press(page, "AlexNet mini"); // ten classes; the class that waits is one of a thousand
      await page.waitForFunction(() => /AlexNet|alexnet/.test(document.querySelector("footer")?.textContent ?? ""));
      await page.waitForFunction(() => document.querySelector(".status")?.textContent === "");
      assert.match(await page.$eval(".classes .hint", (element) => element.textContent ?? ""), /^Shown: /);
      await page.evaluate(() => document.querySelectorAll<HTMLButtonElement>(".class")[1]?.click());
      await page.waitForFunction(() => document.querySelectorAll(".class")[1]?.getAttribute("aria-pressed") === "true");
      assert.is(await page.$(".problem"), null);
    }),
  );

  test.needsProgram(
    chromium,
    "Chromium",
    "files that are no networks get a sentence; 600 MB are not read for it",
    (path) =>
      onPage(path, async (page) => {
        const big = join(folder, "model.onnx");
        const file = openSync(big, "w");
        ftruncateSync(file, 600e6);
        closeSync(file);
        const corrupt = join(folder, "corrupt.safetensors");
        const weights = readFileSync(join(root, "models/alexnet-mini.safetensors"));
        writeFileSync(corrupt, weights.subarray(0, 200_000));
        await page.evaluate(() => document.querySelector("details.own")?.setAttribute("open", ""));
        for (const [name, says] of [
          [
            big,
            'weights "model.onnx": not a weight file of a known format (safetensors, PyTorch, ONNX, Caffe, NumPy, TensorFlow.js, Keras). It starts with 00 00 00 00 00 00 00 00.',
          ],
          [
            corrupt,
            'weights "corrupt.safetensors": tensor "classifier.1.weight": data_offsets [256,1474816] leave the file, which has 198096 bytes of data. It is truncated or damaged: get a fresh copy.',
          ],
        ] as const) {
          await give(page, ".own .drop input[type=file]", name);
          await press(page, "Explain with it");
          assert.is(await problemOf(page), says);
          await press(page, "SqueezeNet");
          await requireWorking(page);
          await page.evaluate(() => document.querySelectorAll<HTMLButtonElement>(".thumb")[0]?.click());
          await page.waitForFunction(() => document.querySelector("main")?.dataset["explained"] === "coffee");
        }
      }),
  );

  test.needsProgram(chromium, "Chromium", "a network that does not say how photos are prepared", (path) =>
    onPage(path, async (page) => {
      await page.evaluate(() => document.querySelector("details.own")?.setAttribute("open", ""));
      await give(page, ".own .drop input[type=file]", join(root, "test/fixtures/weights/onnx-torch.onnx"));
      await press(page, "Explain with it");
      assert.is(
        await problemOf(page),
        'preprocess: neither the weights nor you say how photos are prepared for this network. Choose it under "Photos prepared" in the card of the network, then "Explain with it" again.',
      );
      await press(page, "SqueezeNet");
      await requireWorking(page);
    }),
  );

  test.needsProgram(chromium, "Chromium", "a camera that is not allowed", (path) =>
    onPage(
      path,
      async (page, url) => {
        await page.browserContext().overridePermissions(url, []);
        await press(page, "Camera");
        assert.is(
          await problemOf(page),
          "The camera was not allowed. Allow it for this page in the browser's address bar and try again.",
        );
        await requireWorking(page);
      },
      [],
    ),
  );

  test.needsProgram(chromium, "Chromium", "no camera, and one that another program uses", (path) =>
    onPage(path, async (page) => {
      for (const [name, says] of [
        ["NotFoundError", "This device has no camera that the browser can see."],
        ["NotReadableError", "The camera is in use by another program. Close that and try again."],
      ] as const) {
        await page.evaluate((given) => {
          navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", given));
        }, name);
        await press(page, "Camera");
        assert.is(await problemOf(page), says);
        await page.evaluate(() => document.querySelector<HTMLButtonElement>(".close")?.click());
        await page.waitForFunction(() => document.querySelector(".problem") === null); // a message can be closed
      }
      await requireWorking(page);
    }),
  );

  test.needsProgram(
    chromium,
    "Chromium",
    "a link that cannot be copied: pages by plain http have no clipboard",
    (path) =>
      onPage(path, async (page) => {
        await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
        await press(page, "Copy link");
        await page.waitForFunction(() => document.querySelector(".said")?.textContent !== "");
        assert.is(
          await page.$eval(".said", ({ textContent }) => textContent),
          "The browser forbids copying here. Take the link from its address bar: it holds the settings.",
        );
        await requireWorking(page);
      }),
  );

  test.needsProgram(chromium, "Chromium", "two tabs at once", (path) =>
    onPage(path, async (page, url) => {
      const second = await openPage(page.browser(), url);
      await Promise.all([requireWorking(page), requireWorking(second.page)]);
    }),
  );

  test.needsProgram(chromium, "Chromium", "a photo of 99 megapixels is explained", (path) =>
    onPage(path, async (page) => {
      const file = join(folder, "wall.png");
      writeFileSync(file, whitePng(10_000, 9900));
      await choose(page, file);
      await requireWorking(page);
    }),
  );

  test.needsProgram(chromium, "Chromium", "a tab in the background", (path) =>
    onPage(path, async (page) => {
      const front = await page.browser().newPage();
      await front.bringToFront();
      assert.is(await page.evaluate(() => document.visibilityState), "hidden");
      await requireWorking(page);
    }),
  );

  // What a phone does, in the worker before its own script: no memory at all, or 20 MB of it; until it has some.
  for (const [what, script, says] of [
    [
      "no memory",
      "WebAssembly.Memory = function () { throw new RangeError('could not allocate memory'); };",
      /^srmap: the system refuses memory \(RangeError: could not allocate memory\)\. Close other tabs and programs, then try again\.$/,
    ],
    [
      "20 MB",
      `const { grow } = WebAssembly.Memory.prototype;
       WebAssembly.Memory.prototype.grow = function (pages) {
         if (this.buffer.byteLength + 65536 * pages > 20e6) throw new RangeError("Unable to grow instance memory");
         return grow.call(this, pages);
       };`,
      /^arena: cannot reserve \d+ bytes more, \d+ are in use and WebAssembly memory ends at 4 GiB or at what this machine grants\. /,
    ],
  ] as const) {
    test.needsProgram(chromium, "Chromium", `a device that has ${what} for the network`, async (path) => {
      let isShort = true;
      const server = await servePageFiles((address, bytes) =>
        isShort && address.endsWith("worker.js") ? Buffer.concat([Buffer.from(script), bytes]) : bytes,
      );
      const browser = await launch(path, "chrome");
      try {
        const page = await browser.newPage();
        await page.goto(server.url);
        assert.match(await problemOf(page), says);
        isShort = false;
        await page.reload();
        await waitForClasses(page);
        await requireWorking(page);
      } finally {
        await browser.close();
        await server.close();
      }
    });
  }

  test.needsProgram(chromium, "Chromium", "a full storage", async (path) => {
    const served = await servePage();
    const browser = await launch(path, "chrome");
    try {
      const page = await browser.newPage();
      const session = await page.createCDPSession();
      await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(served.url).origin, quotaSize: 1000 });
      await page.goto(served.url);
      await waitForClasses(page);
      assert.match(
        await page.$eval("footer", (element) => element.textContent ?? ""),
        /This browser could not keep the network for the next visit \(its storage is full or forbidden\), so it will be fetched again\./,
      );
      await requireWorking(page);
    } finally {
      await browser.close();
      await served.close();
    }
  });

  test.needsProgram(
    chromium,
    "Chromium",
    "a network that is lost while the weights come, and comes back",
    async (path) => {
      const files = pageFiles();
      let isLost = true;
      const server = createServer((request, response) => {
        const address = (request.url ?? "/").slice(1) || "index.html";
        const place = files.get(address);
        if (place === undefined) return response.writeHead(404).end();
        const bytes = readFileSync(place);
        response.writeHead(200, {
          "content-type": address.endsWith(".html") ? "text/html" : address.endsWith(".js") ? "text/javascript" : "",
          "content-length": bytes.length,
        });
        if (!isLost || !address.startsWith("models/")) return response.end(bytes);
        return response.write(bytes.subarray(0, bytes.length / 2), () => setTimeout(() => response.destroy(), 20));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number }; // it listens on a port
      const browser = await launch(path, "chrome");
      try {
        const page = await browser.newPage();
        await page.goto(`http://localhost:${port}/`);
        assert.match(
          await problemOf(page),
          /could not be downloaded \(.*; 4 attempts\)\. Check the connection, and that the server allows this page \(CORS\)\.$/,
        );
        isLost = false;
        await requireWorking(page);
      } finally {
        await browser.close();
        server.close();
        server.closeAllConnections();
      }
    },
  );
});
