import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WebWorker } from "puppeteer-core";
import * as assert from "uvu/assert";
import { explain } from "../../engine/explain.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { readImage } from "../../host/photos/read.ts";
import { chromiumPath } from "../support/browsers.ts";
import { writeNoise } from "../support/noise-network.ts";
import { root } from "../support/paths.ts";
import { serveFiles } from "../support/serve.ts";
import { suite } from "../support/suite.ts";
import { launch } from "./open-page.ts";

const photo = join(root, "examples/coffee.jpg");

const script = (network: string): string => `
import { createExplainer } from '/srmap/web.js';
const say = (text) => (document.querySelector("p").textContent = text);
async function privateFile(address) {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle("weights", { create: true });
  await (await fetch(address)).body.pipeTo(await handle.createWritable());
  return handle;
}
try {
  const startWorker = () => new Worker("/watched.js", { type: "module" });
  const network = { kernels: "/kernels.wasm", ${network} };
  const explainer = createExplainer({ network, threads: 1, startWorker });
  const photo = await (await fetch("/coffee.jpg")).blob();
  const { salientRelevance } = await explainer.explain(photo, { salientRelevance: { mode: "fast" } });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", salientRelevance.data));
  say([...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
} catch (error) {
  say("failed: " + error.message);
}
`;

/** A worker that lets its kernels' memory be seen, and how often it read a file by its handle. */
const watch = `
const { Memory } = WebAssembly;
WebAssembly.Memory = function (descriptor) {
  return (self.kernelMemory = new Memory(descriptor));
};
const { prototype } = FileSystemSyncAccessHandle;
const { read } = prototype;
self.handleReads = 0;
prototype.read = function (...given) {
  self.handleReads++;
  return read.apply(this, given);
};
`;

/** Bytes that a worker has when the collector has been there: its heap as reserved, what lies outside of it, and WebAssembly's memory. */
async function bytesOf(worker: WebWorker): Promise<{ scripts: number; kernels: number }> {
  await worker.client.send("HeapProfiler.collectGarbage"); // what is downloaded passes through the heap
  const { totalSize, backingStorageSize } = (await worker.client.send("Runtime.getHeapUsage")) as {
    readonly totalSize: number;
    readonly backingStorageSize: number; // not yet in puppeteer's types
  };
  const kernels = await worker.evaluate(
    () => (globalThis as unknown as { kernelMemory: WebAssembly.Memory }).kernelMemory.buffer.byteLength, // `watch` puts it there
  );
  return { scripts: totalSize + backingStorageSize, kernels };
}

suite("memory of a page", (test) => {
  const folder = mkdtempSync(join(tmpdir(), "srmap-page-memory-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

  for (const [model, place, mostBytes] of [
    ["alexnet", "the cache", 24e6],
    ["vgg16", "the cache", 128e6],
    ["alexnet", "the private file system", 24e6],
  ] as const) {
    const isPrivate = place === "the private file system";
    test.needsProgram(chromiumPath(), "Chromium", `${model} in int8, its weights left in ${place}`, async (program) => {
      const weights = join(folder, `${model}.safetensors`);
      writeNoise(model, weights);
      const network = await loadNetwork(model, weights, { lowMemory: true });
      const { salientRelevance } = explain(network, await readImage(photo), { salientRelevance: { mode: "fast" } });
      const expected = createHash("sha256").update(salientRelevance.data).digest("hex");
      writeFileSync(join(folder, "index.html"), '<!doctype html><p></p><script type="module" src="/page.js"></script>');
      writeFileSync(
        join(folder, "page.js"),
        script(
          `weights: ${isPrivate ? `await privateFile("/${model}.safetensors")` : `"/${model}.safetensors"`}, model: "${model}", lowMemory: true`,
        ),
      );
      writeFileSync(join(folder, "watch.js"), watch);
      writeFileSync(join(folder, "watched.js"), 'import "/watch.js";\nimport "/srmap/worker.js";\n');
      const server = await serveFiles([
        ["/kernels.wasm", join(root, "build/kernels-as/kernels.wasm")],
        ["/coffee.jpg", photo],
        ["/srmap/", join(root, "build/browser/")],
        ["/", `${folder}/`],
      ]);
      const browser = await launch(program, "chrome");
      try {
        const page = await browser.newPage();
        await page.goto(server.url);
        await page.waitForFunction(() => document.querySelector("p")?.textContent !== "", { timeout: 300_000 });
        assert.is(await page.$eval("p", ({ textContent }) => textContent), expected);
        const [worker] = page.workers();
        assert.ok(worker);
        const { scripts, kernels } = await bytesOf(worker as WebWorker); // asserted above
        assert.ok(scripts + kernels <= mostBytes, `${scripts} + ${kernels} bytes`);
        const reads = await (worker as WebWorker).evaluate(
          () => (globalThis as unknown as { handleReads: number }).handleReads, // `watch` puts it there
        );
        assert.is(reads > 0, isPrivate, `${reads} reads by a handle`);
      } finally {
        await browser.close();
        await server.close();
        rmSync(weights);
      }
    });
  }
});
