import { join } from "node:path";
import puppeteer from "puppeteer-core";
import * as assert from "uvu/assert";
import { chromiumPath } from "../support/browsers.ts";
import { root } from "../support/paths.ts";
import { serveFiles } from "../support/serve.ts";
import { suite } from "../support/suite.ts";

// Where the example says that the files lie.
const places: readonly [address: string, folder: string][] = [
  ["/srmap/", join(root, "build/browser/")],
  ["/kernels-as/", join(root, "build/kernels-as/")],
  ["/models/", join(root, "models/")],
  ["/", join(root, "examples/browser/")],
];

suite("examples/browser", (test) => {
  test.needsProgram(
    chromiumPath(),
    "Chromium",
    "explains a photo by the files for pages without a bundler",
    async (executablePath) => {
      const server = await serveFiles(places);
      const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
      try {
        const page = await browser.newPage();
        await page.goto(server.url);
        const input = await page.$("input");
        await (input as { uploadFile(path: string): Promise<void> } | null)?.uploadFile(
          join(root, "examples/coffee.jpg"),
        );
        await page.waitForFunction(() => document.querySelector("p")?.textContent?.startsWith("espresso"), {
          timeout: 60_000,
        });
        assert.is(await page.$eval("canvas", ({ width }) => width), 224);
      } finally {
        await browser.close();
        await server.close();
      }
    },
  );
});
