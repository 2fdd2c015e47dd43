import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "puppeteer-core";
import * as assert from "uvu/assert";
import { explain } from "../../engine/explain.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { writePage } from "../../host/page/files.ts";
import { servePage } from "../../host/page/serve.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { chromiumPath, firefoxPath } from "../support/browsers.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";
import { choose, launch, openPage, press, waitForClasses } from "./open-page.ts";

// Decoded by srmap itself, so the same pixels everywhere; subsampled colours, EXIF orientation, transparency, and 16 bits.
const photos = ["odd420.jpg", "exif6.jpg", "rgba8-interlaced.png", "rgba16.png"].map((name) =>
  join(root, "test/golden/images/decode", name),
);

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
  await press(page, button);
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

/** The part of Chromium's trace events that is used here; tdur is processor time in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
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
      await waitForClasses(page);
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
      await waitForClasses(page);
    } finally {
      await browser.close();
      await served.close();
    }
  });

  for (const [name, kind, executable] of [
    ["Chromium", "chrome", chromium],
    ["Firefox", "firefox", firefox],
  ] as const) {
    test.needsProgram(
      executable,
      name,
      `${name} shows a page that is reloaded while it is being kept`,
      async (path) => {
        const browser = await launch(path, kind);
        try {
          for (let visit = 0; visit < 5; visit++) {
            const served = await servePage({ isIsolated: false }); // another port: another first visit
            const { page } = await openPage(browser, served.url);
            await page.reload();
            await waitForClasses(page);
            await page.close();
            await served.close();
          }
        } finally {
          await browser.close();
        }
      },
    );
  }

  test.needsProgram(
    chromium,
    "Chromium",
    "the main thread stays free while it explains: no task over 50 ms",
    async (path) => {
      const served = await servePage();
      const browser = await launch(path, "chrome");
      try {
        const { page } = await openPage(browser, served.url);
        await page.tracing.start({ categories: ["toplevel", "__metadata"] });
        await page.evaluate(() => document.querySelectorAll<HTMLButtonElement>(".thumb")[1]?.click());
        await page.waitForFunction(() => document.querySelector("main")?.dataset["explained"] === "cat", {
          timeout: 60_000,
          polling: 100,
        });
        const trace = (await page.tracing.stop()) ?? new Uint8Array();
        const { traceEvents } = JSON.parse(new TextDecoder().decode(trace)) as { traceEvents: TraceEvent[] };
        const mains = traceEvents.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain");
        const isMain = ({ pid, tid }: TraceEvent): boolean =>
          mains.some((main) => main.pid === pid && main.tid === tid);
        const tasks = traceEvents.filter((event) => event.name.endsWith("RunTask") && isMain(event));
        assert.ok(tasks.length > 0, "tasks were traced");
        // Of processor time: other programs of the machine stretch what a clock would say.
        const longest = Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1000));
        assert.ok(longest < 50, `the longest task took ${longest} ms`);
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
