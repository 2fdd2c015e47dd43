import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import * as assert from "uvu/assert";
import { explain } from "../../engine/explain.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { readImage } from "../../host/photos/read.ts";
import { chromiumPath, firefoxPath } from "../support/browsers.ts";
import { root } from "../support/paths.ts";
import { serveFiles } from "../support/serve.ts";
import { suite } from "../support/suite.ts";
import { launch } from "./open-page.ts";

const photo = join(root, "examples/coffee.jpg");
const page =
  '<!doctype html><meta charset="utf-8" /><title>page</title><p></p><script type="module" src="/page.js"></script>';
const policy = (script: string): Readonly<Record<string, string>> => ({
  "content-security-policy": `default-src 'none'; script-src ${script}; worker-src 'self'; connect-src 'self'`,
});

/** What the page says under these headers. */
async function said(
  path: string,
  kind: "chrome" | "firefox",
  script: string,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "srmap-embedding-"));
  try {
    await build({
      entryPoints: [join(root, "test/fixtures/bundlers/service-worker.js")],
      bundle: true,
      outfile: join(folder, "sw.js"),
      define: { "import.meta.url": "location.href" }, // classic scripts have none; nothing is loaded by it here
      logLevel: "error",
    });
    writeFileSync(join(folder, "index.html"), page);
    writeFileSync(join(folder, "page.js"), script);
    const server = await serveFiles(
      [
        ["/kernels.wasm", join(root, "build/kernels-as/kernels.wasm")],
        ["/network.safetensors", join(root, "models/squeezenet1_1-caffe.safetensors")],
        ["/coffee.jpg", photo],
        ["/srmap/", join(root, "build/browser/")],
        ["/", `${folder}/`],
      ],
      headers,
    );
    const browser = await launch(path, kind);
    try {
      const tab = await browser.newPage();
      await tab.goto(server.url);
      await tab.waitForFunction(() => document.querySelector("p")?.textContent !== "", { timeout: 60_000 });
      return await tab.$eval("p", ({ textContent }) => textContent ?? "");
    } finally {
      await browser.close();
      await server.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const throughServiceWorker = `
const say = (text) => (document.querySelector("p").textContent = text);
try {
  const claimed = new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  await navigator.serviceWorker.register("/sw.js");
  if (navigator.serviceWorker.controller === null) await claimed;
  const photo = await (await fetch("/coffee.jpg")).blob();
  const answer = await fetch("/explain", { method: "POST", body: photo });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await answer.arrayBuffer()));
  say(answer.headers.get("x-class") + " " + [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
} catch (error) {
  say("failed: " + error.message);
}
`;

const throughExplainer = `
import { createExplainer } from '/srmap/web.js';
const say = (text) => (document.querySelector("p").textContent = text);
const explainer = createExplainer({ network: { weights: "/network.safetensors", kernels: "/kernels.wasm" } });
explainer.open().then(({ name }) => say(name), (error) => say(error.message));
`;

suite("embedding", (test) => {
  for (const [name, kind, path] of [
    ["Chromium", "chrome", chromiumPath()],
    ["Firefox", "firefox", firefoxPath()],
  ] as const) {
    test.needsProgram(
      path,
      name,
      `a service worker in ${name}, under a strict policy, gives Node's bytes`,
      async (program) => {
        const options = { salientRelevance: { mode: "fast" } } as const;
        const { target, salientRelevance } = explain(await loadNetwork(undefined), await readImage(photo), options);
        const { buffer, byteOffset, byteLength } = salientRelevance.data;
        const sha256 = createHash("sha256")
          .update(new Uint8Array(buffer, byteOffset, byteLength))
          .digest("hex");
        assert.is(
          await said(program, kind, throughServiceWorker, policy("'self' 'wasm-unsafe-eval'")),
          `${target.label} ${sha256}`,
        );
      },
    );
  }

  test.needsProgram(chromiumPath(), "Chromium", "a policy that forbids WebAssembly is named", async (program) => {
    assert.match(
      await said(program, "chrome", throughExplainer, policy("'self'")),
      /^kernels\.wasm: http:\/\/localhost:\d+\/kernels\.wasm did not compile: .* The page's Content-Security-Policy must allow 'wasm-unsafe-eval', and the address must hold the file itself\.$/,
    );
  });

  test.needsProgram(chromiumPath(), "Chromium", "a policy that forbids workers is named", async (program) => {
    const headers = {
      "content-security-policy": "default-src 'none'; script-src 'self'; worker-src 'none'; connect-src 'self'",
    };
    assert.is(
      await said(program, "chrome", throughExplainer, headers),
      "explainer: its worker could not be started: its script was not loaded or was forbidden (Content-Security-Policy worker-src). The next call starts a new one.",
    );
  });
});
