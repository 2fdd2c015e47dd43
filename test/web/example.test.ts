import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import puppeteer from "puppeteer-core";
import * as assert from "uvu/assert";
import { chromiumPath } from "../support/browsers.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// Where the example says that the files lie.
const places: readonly [address: string, folder: string][] = [
  ["/srmap/", "build/browser/"],
  ["/kernels-as/", "build/kernels-as/"],
  ["/models/", "models/"],
  ["/", "examples/browser/"],
];
const types: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };

suite("examples/browser", (test) => {
  test.needsProgram(
    chromiumPath(),
    "Chromium",
    "explains a photo by the files for pages without a bundler",
    async (executablePath) => {
      const server = createServer((request, response) => {
        const path = (request.url ?? "/").replace(/\/$/, "/index.html");
        const [address = "", folder = ""] = places.find(([start]) => path.startsWith(start)) ?? [];
        try {
          const bytes = readFileSync(join(root, folder, path.slice(address.length)));
          response.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream" }).end(bytes);
        } catch {
          response.writeHead(404).end();
        }
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const port = (server.address() as { port: number }).port; // it listens on a port
      const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
      try {
        const page = await browser.newPage();
        await page.goto(`http://127.0.0.1:${port}/`);
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
        server.close();
        server.closeAllConnections();
      }
    },
  );
});
