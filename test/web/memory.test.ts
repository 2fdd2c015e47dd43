import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WebWorker } from "puppeteer-core";
import * as assert from "uvu/assert";
import { elementCount } from "../../engine/basics/tensor.ts";
import { explain } from "../../engine/explain.ts";
import { modelByName } from "../../engine/models/index.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { readImage } from "../../host/photos/read.ts";
import { chromiumPath } from "../support/browsers.ts";
import { root } from "../support/paths.ts";
import { rng } from "../support/rng.ts";
import { serveFiles } from "../support/serve.ts";
import { suite } from "../support/suite.ts";
import { launch } from "./open-page.ts";

const photo = join(root, "examples/coffee.jpg");

/** Writes a network with int8 noise for weights, drawn so that feature maps keep their size. */
function writeNoise(model: string, path: string): void {
  const header: Record<string, { dtype: string; shape: readonly number[]; data_offsets: [number, number] }> = {};
  const { integer, f32 } = rng(11);
  const noise = Int8Array.from({ length: 1 << 20 }, () => integer(-127, 127));
  const pieces: (() => Uint8Array[])[] = [];
  let end = 0;
  const add = (
    name: string,
    dtype: string,
    shape: readonly number[],
    bytes: number,
    data: () => Uint8Array[],
  ): void => {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes] };
    pieces.push(data);
    end += bytes;
  };
  const scaled = (count: number, scale: number): Uint8Array =>
    new Uint8Array(f32(count, 0.9, 1).map((value) => value * scale).buffer as ArrayBuffer);
  for (const { name, shape } of networkParameters(modelByName(model))) {
    const [rows = 1] = shape;
    const count = elementCount(shape);
    if (shape.length === 1) add(name, "F32", shape, 4 * rows, () => [scaled(rows, 0.01)]);
    else {
      add(name, "I8", shape, count, () =>
        Array.from(
          { length: Math.ceil(count / noise.length) },
          (_, index) => new Uint8Array(noise.buffer, 0, Math.min(noise.length, count - index * noise.length)),
        ),
      );
      add(`${name}.rowScale`, "F32", [rows], 4 * rows, () => [scaled(rows, Math.sqrt((6 * rows) / count) / 127)]);
    }
  }
  const text = JSON.stringify({ __metadata__: { "srmap.precision": "int8" }, ...header });
  const head = Buffer.from(text + " ".repeat((8 - (text.length % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  const file = openSync(path, "w");
  for (const piece of [length, head, ...pieces.flatMap((data) => data())]) writeSync(file, piece);
  closeSync(file);
}

const script = (network: string): string => `
import { createExplainer } from '/srmap/web.js';
const say = (text) => (document.querySelector("p").textContent = text);
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

/** A worker that lets its kernels' memory be seen. */
const watch = `
const { Memory } = WebAssembly;
WebAssembly.Memory = function (descriptor) {
  return (self.kernelMemory = new Memory(descriptor));
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

  for (const [model, mostBytes] of [
    ["alexnet", 24e6],
    ["vgg16", 128e6],
  ] as const) {
    test.needsProgram(
      chromiumPath(),
      "Chromium",
      `${model} in int8, its weights left in the cache`,
      async (program) => {
        const weights = join(folder, `${model}.safetensors`);
        writeNoise(model, weights);
        const network = await loadNetwork(model, weights, { lowMemory: true });
        const { salientRelevance } = explain(network, await readImage(photo), { salientRelevance: { mode: "fast" } });
        const expected = createHash("sha256").update(salientRelevance.data).digest("hex");
        writeFileSync(
          join(folder, "index.html"),
          '<!doctype html><p></p><script type="module" src="/page.js"></script>',
        );
        writeFileSync(
          join(folder, "page.js"),
          script(`weights: "/${model}.safetensors", model: "${model}", lowMemory: true`),
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
          await page.waitForFunction(() => document.querySelector("p")?.textContent !== "", { timeout: 120_000 });
          assert.is(await page.$eval("p", ({ textContent }) => textContent), expected);
          const [worker] = page.workers();
          assert.ok(worker);
          const { scripts, kernels } = await bytesOf(worker as WebWorker); // asserted above
          assert.ok(scripts + kernels <= mostBytes, `${scripts} + ${kernels} bytes`);
        } finally {
          await browser.close();
          await server.close();
          rmSync(weights);
        }
      },
    );
  }
});
