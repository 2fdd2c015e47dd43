import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import * as assert from "uvu/assert";
import { explain } from "../../engine/explain.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { writePage } from "../../host/page/files.ts";
import { servePage } from "../../host/page/serve.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { chromiumPath, firefoxPath } from "../support/browsers.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// Decoded by srmap itself, so the same pixels everywhere; subsampled colours, EXIF orientation, transparency, and 16 bits.
const photos = ["odd420.jpg", "exif6.jpg", "rgba8-interlaced.png", "rgba16.png"].map((name) =>
  join(root, "test/golden/images/decode", name),
);

function launch(executablePath: string, browser: "chrome" | "firefox"): Promise<Browser> {
  const args =
    browser === "chrome"
      ? [
          "--no-sandbox",
          "--disable-dev-shm-usage",
          "--use-fake-device-for-media-stream",
          "--use-fake-ui-for-media-stream",
        ]
      : [];
  return puppeteer.launch({ executablePath, browser, args, headless: true });
}

/** The page, loaded and with its first explanation; what it logs as an error fails the test. */
async function openPage(browser: Browser, url: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url);
  await page.waitForSelector(".class", { timeout: 60_000 });
  return { page, errors };
}

/** SHA-256 of a map that the page offers for saving, by way of its own buttons. */
async function savedMap(page: Page, button: string): Promise<string> {
  await page.evaluate(() => {
    const create = URL.createObjectURL;
    URL.createObjectURL = (blob: Blob) => {
      (globalThis as unknown as { saved: Blob }).saved = blob;
      return create(blob);
    };
    HTMLAnchorElement.prototype.click = () => {};
  });
  await page.evaluate((text) => {
    [...document.querySelectorAll("button")].find(({ innerText }) => innerText === text)?.click();
  }, button);
  const bytes = await page.evaluate(async () =>
    Array.from(new Uint8Array(await (globalThis as unknown as { saved: Blob }).saved.arrayBuffer())),
  );
  // The .npy header, then the values.
  const length = bytes[8]! + 256 * bytes[9]!;
  return createHash("sha256")
    .update(Uint8Array.from(bytes).subarray(10 + length))
    .digest("hex");
}

const sha256 = (data: Float32Array): string =>
  createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");

/** Chooses a photo in the page and waits for its explanation. */
async function choose(page: Page, photo: string): Promise<void> {
  const input = await page.$(".photos input[type=file]");
  await (input as { uploadFile(path: string): Promise<void> } | null)?.uploadFile(photo);
  await page.waitForFunction(
    (name) => document.querySelector("main")?.dataset["explained"] === name,
    { timeout: 60_000 },
    basename(photo).replace(/\.[^.]*$/, ""),
  );
}

/** A browser, how its kind is called, and the page it shows. */
interface Visit {
  readonly executablePath: string;
  readonly kind: "chrome" | "firefox";
  readonly url: string;
  /** Files of which each is explained. */
  readonly chosen: readonly string[];
  /** What the footer says of threads. */
  readonly threads: RegExp;
}

async function sameBytesAsNode({ executablePath, kind, url, chosen, threads }: Visit): Promise<void> {
  const network = await loadNetwork(undefined);
  const browser = await launch(executablePath, kind);
  try {
    const { page, errors } = await openPage(browser, `${url}#composite=epsilonPlus`);
    for (const photo of chosen) {
      const expected = explain(network, decodeImage(readFileSync(photo)), {
        composite: "epsilonPlus",
        salientRelevance: { mode: "fast" },
      });
      await choose(page, photo);
      assert.is(await savedMap(page, "Relevance (npy)"), sha256(expected.relevance.data), photo);
      assert.is(await savedMap(page, "Areas (npy)"), sha256(expected.salientRelevance.data), photo);
    }
    assert.match(await page.$eval("footer", (element) => element.textContent ?? ""), threads);
    assert.equal(errors, []);
  } finally {
    await browser.close();
  }
}

async function servedSameBytes(visit: Pick<Visit, "executablePath" | "kind">, isIsolated: boolean): Promise<void> {
  const served = await servePage({ isIsolated });
  try {
    await sameBytesAsNode({
      ...visit,
      url: served.url,
      chosen: photos,
      threads: isIsolated ? /\d threads/ : /one thread/,
    });
  } finally {
    await served.close();
  }
}

/** The page in one file, and in a folder, both opened from disk. */
async function fromDisk(visit: Pick<Visit, "executablePath" | "kind">): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "srmap-page-"));
  try {
    const file = join(folder, "page.html");
    await writePage(file);
    const url = pathToFileURL(file).href;
    await sameBytesAsNode({ ...visit, url, chosen: photos.slice(0, 2), threads: /one thread/ });
    await writePage(join(folder, "page"));
    const browser = await launch(visit.executablePath, visit.kind);
    try {
      const page = await browser.newPage();
      await page.goto(`${pathToFileURL(join(folder, "page/index.html")).href}#view=relevance`);
      await page.waitForSelector(".class", { timeout: 60_000 });
      assert.match(page.url(), /\/page\/srmap\.html#view=relevance$/);
    } finally {
      await browser.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

suite("page", (test) => {
  const [chromium, firefox] = [chromiumPath(), firefoxPath()];
  for (const isIsolated of [true, false]) {
    const how = isIsolated ? "with threads" : "without isolation";
    test.needsProgram(chromium, "Chromium", `Chromium gives Node's bytes, ${how}`, (executablePath) =>
      servedSameBytes({ executablePath, kind: "chrome" }, isIsolated),
    );
    test.needsProgram(firefox, "Firefox", `Firefox gives Node's bytes, ${how}`, (executablePath) =>
      servedSameBytes({ executablePath, kind: "firefox" }, isIsolated),
    );
  }
  test.needsProgram(chromium, "Chromium", "Chromium gives Node's bytes from disk", (executablePath) =>
    fromDisk({ executablePath, kind: "chrome" }),
  );
  test.needsProgram(firefox, "Firefox", "Firefox gives Node's bytes from disk", (executablePath) =>
    fromDisk({ executablePath, kind: "firefox" }),
  );

  test.needsProgram(chromium, "Chromium", "what is no photo gets a sentence, and the page goes on", async (path) => {
    const served = await servePage();
    const browser = await launch(path, "chrome");
    const folder = mkdtempSync(join(tmpdir(), "srmap-page-"));
    try {
      const { page } = await openPage(browser, served.url);
      const notPhoto = join(folder, "paper.pdf");
      writeFileSync(notPhoto, "%PDF-1.7");
      const input = await page.$(".photos input[type=file]");
      await (input as { uploadFile(path: string): Promise<void> } | null)?.uploadFile(notPhoto);
      await page.waitForSelector(".problem");
      assert.match(await page.$eval(".problem", (element) => element.textContent ?? ""), /^photo: .*(JPEG|PNG)/);
      await page.evaluate(() => document.querySelectorAll<HTMLButtonElement>(".thumb")[1]?.click());
      await page.waitForFunction(() => document.querySelector(".problem") === null, { timeout: 60_000 });
    } finally {
      await browser.close();
      await served.close();
      rmSync(folder, { recursive: true });
    }
  });

  test.needsProgram(chromium, "Chromium", "after the first visit it works without a network", async (path) => {
    const served = await servePage();
    const browser = await launch(path, "chrome");
    try {
      const { page } = await openPage(browser, served.url);
      await page.evaluate(async () => {
        await navigator.serviceWorker.ready;
      });
      await served.close();
      await page.goto(served.url);
      await page.waitForSelector(".class", { timeout: 60_000 });
    } finally {
      await browser.close();
      await served.close();
    }
  });

  test.needsProgram(
    chromium,
    "Chromium",
    "the main thread stays free while it explains: no task over 50 ms",
    async (path) => {
      const served = await servePage();
      const browser = await launch(path, "chrome");
      try {
        const { page } = await openPage(browser, served.url);
        await page.evaluate(() => {
          const tasks: number[] = [];
          (globalThis as unknown as { tasks: number[] }).tasks = tasks;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) tasks.push(entry.duration);
          }).observe({ entryTypes: ["longtask"] });
        });
        await page.evaluate(() => document.querySelectorAll<HTMLButtonElement>(".thumb")[1]?.click());
        await page.waitForFunction(() => document.querySelector(".status")?.textContent !== "");
        await page.waitForFunction(() => document.querySelector(".status")?.textContent === "", { timeout: 60_000 });
        const tasks = await page.evaluate(() => (globalThis as unknown as { tasks: number[] }).tasks);
        // Other programs of a shared machine can stretch one task; computing in the page would be hundreds of milliseconds.
        assert.ok(Math.max(0, ...tasks) < 150, `longest tasks ${tasks.join(", ")} ms`);
      } finally {
        await browser.close();
        await served.close();
      }
    },
  );

  test.needsProgram(chromium, "Chromium", "the camera's frames are explained as they come", async (path) => {
    const served = await servePage();
    const browser = await launch(path, "chrome");
    try {
      const { page, errors } = await openPage(browser, served.url);
      await page.evaluate(() =>
        [...document.querySelectorAll("button")].find(({ innerText }) => innerText === "Camera")?.click(),
      );
      await page.waitForFunction(
        () =>
          Number(/^([\d.]+) maps a second/.exec(document.querySelector(".status")?.textContent ?? "")?.[1] ?? 0) > 0,
        { timeout: 60_000 },
      );
      assert.equal(errors, []);
    } finally {
      await browser.close();
      await served.close();
    }
  });
});
