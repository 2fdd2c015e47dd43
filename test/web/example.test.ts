import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import * as assert from "uvu/assert";
import { chromiumPath } from "../support/browsers.ts";
import { root } from "../support/paths.ts";
import { serveFiles } from "../support/serve.ts";
import { suite } from "../support/suite.ts";

const written = mkdtempSync(join(tmpdir(), "srmap-page-"));
process.on("exit", () => rmSync(written, { recursive: true, force: true }));

// Where the example says that the files lie.
const places: readonly [address: string, folder: string][] = [
  ["/srmap/", join(root, "build/browser/")],
  ["/kernels-as/", join(root, "build/kernels-as/")],
  ["/models/", join(root, "models/")],
  ["/docs.html", join(written, "docs.html")],
  ["/", join(root, "examples/browser/")],
];

async function explainsCoffee(executablePath: string, address: string): Promise<void> {
  const server = await serveFiles(places);
  const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(server.url + address);
    const input = await page.$("input");
    await (input as { uploadFile(path: string): Promise<void> } | null)?.uploadFile(join(root, "examples/coffee.jpg"));
    await page.waitForFunction(() => document.querySelector("canvas")?.width === 224, { timeout: 60_000 });
    const said = await page.$$eval("p", (all) => all.map(({ textContent }) => textContent));
    for (const text of said) assert.match(text ?? "", /^espresso/);
    assert.equal(errors, []);
  } finally {
    await browser.close();
    await server.close();
  }
}

suite("a page without a bundler", (test) => {
  test.needsProgram(chromiumPath(), "Chromium", "examples/browser explains a photo", (path) =>
    explainsCoffee(path, ""),
  );

  test.needsProgram(chromiumPath(), "Chromium", "the script of docs/web.md explains a photo", (path) => {
    const [, script = ""] = /```html\n([\s\S]*?)```/.exec(readFileSync(join(root, "docs/web.md"), "utf8")) ?? [];
    writeFileSync(join(written, "docs.html"), `<!doctype html><input type="file" /><canvas></canvas>${script}`);
    return explainsCoffee(path, "docs.html");
  });
});
