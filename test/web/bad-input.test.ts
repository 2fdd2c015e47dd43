import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Page } from "puppeteer-core";
import * as assert from "uvu/assert";
import { pageFiles } from "../../host/page/files.ts";
import { servePage } from "../../host/page/serve.ts";
import { chromiumPath } from "../support/browsers.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";
import { give, launch, openPage, press, problemOf, requireWorking } from "./open-page.ts";

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

  test.needsProgram(chromium, "Chromium", "two tabs at once", (path) =>
    onPage(path, async (page, url) => {
      const second = await openPage(page.browser(), url);
      await Promise.all([requireWorking(page), requireWorking(second.page)]);
    }),
  );

  test.needsProgram(chromium, "Chromium", "a full storage", async (path) => {
    const served = await servePage();
    const browser = await launch(path, "chrome");
    try {
      const page = await browser.newPage();
      const session = await page.createCDPSession();
      await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(served.url).origin, quotaSize: 1000 });
      await page.goto(served.url);
      await page.waitForSelector(".class", { timeout: 60_000 });
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
