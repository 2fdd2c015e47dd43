// srmap, onnxruntime-web and transformers.js in the same Chromium: the package's default network, one thread, from an empty cache to the
// first result, and the forward pass warm. Needs the packages (npm install onnxruntime-web @huggingface/transformers in FOLDER) and a Python
// with onnx. Usage, after npm run build: node bench/peers/pages.mjs FOLDER PYTHON [SAMPLES [ROUNDS]]
// 15 warm forward passes in each of 3 rounds without them, and the table goes into docs/runtimes.md; with them it is printed alone.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import puppeteer from "puppeteer-core";
import { definition } from "../../build/host/models/squeezenet1_1-caffe.js";
import { madeBy, writeTable } from "../../docs/tables.mjs";

const [folder, python, samples = "15", rounds = "3"] = process.argv.slice(2);
if (python === undefined) throw new Error("usage: node bench/peers/pages.mjs FOLDER PYTHON [SAMPLES [ROUNDS]]");
const root = fileURLToPath(new URL("../../", import.meta.url));
const made = mkdtempSync(join(tmpdir(), "srmap-pages-"));
const weights = join(root, "models/squeezenet1_1-caffe.safetensors");
writeFileSync(join(made, "definition.json"), JSON.stringify({ ...definition(), labels: undefined }));
execFileSync(python, [
  join(root, "bench/peers/squeezenet_onnx.py"),
  join(made, "definition.json"),
  weights,
  join(made, "model.onnx"),
]);
writeFileSync(
  join(made, "config.json"),
  JSON.stringify({ model_type: "resnet", architectures: ["ResNetForImageClassification"] }),
);

const common = `
const input = Float32Array.from({ length: 150528 }, (_, i) => ((i * 7919) % 211) / 105 - 1);
const time = async (forward) => {
  let logits = await forward();
  const firstMs = performance.now();
  const walls = [];
  for (let i = 0; i < ${samples}; i++) { const t = performance.now(); logits = await forward(); walls.push(performance.now() - t); }
  globalThis.result = { firstMs, walls, logits: Array.from(logits) };
};
`;
const pages = {
  srmap: `import { loadKernels, loadNetwork } from "/srmap/web.js";
${common}
const network = await loadNetwork(await loadKernels({ kernels: "/kernels-as/kernels.wasm" }), { weights: "/weights.safetensors", cache: false });
const tensor = { shape: [3, 224, 224], data: input };
await time(async () => network.forward(tensor).data);`,
  "onnxruntime-web": `import * as ort from "/ort/ort.wasm.min.mjs";
${common}
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create("/model/onnx/model.onnx", { executionProviders: ["wasm"] });
await time(async () => (await session.run({ pixel_values: new ort.Tensor("float32", input, [1, 3, 224, 224]) })).logits.data);`,
  "transformers.js": `import { AutoModelForImageClassification, env, Tensor } from "/transformers/transformers.min.js";
${common}
env.allowRemoteModels = false; env.allowLocalModels = true; env.localModelPath = "/"; env.useBrowserCache = false;
env.backends.onnx.wasm.wasmPaths = "/transformers-ort/"; env.backends.onnx.wasm.numThreads = 1;
const model = await AutoModelForImageClassification.from_pretrained("model", { dtype: "fp32", device: "wasm" });
await time(async () => (await model({ pixel_values: new Tensor("float32", input, [1, 3, 224, 224]) })).logits.data);`,
};
const nested = join(folder, "node_modules/@huggingface/transformers/node_modules/onnxruntime-web/dist/");
const places = [
  ["/srmap/", join(root, "build/browser/")],
  ["/kernels-as/", join(root, "build/kernels-as/")],
  ["/weights.safetensors", weights],
  ["/model/config.json", join(made, "config.json")],
  ["/model/onnx/model.onnx", join(made, "model.onnx")],
  ["/ort/", join(folder, "node_modules/onnxruntime-web/dist/")],
  ["/transformers/", join(folder, "node_modules/@huggingface/transformers/dist/")],
  ["/transformers-ort/", nested],
];
const types = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".json": "application/json",
};
let sent = 0;
const zipped = new Map(); // as a web server keeps them: compressed once
const server = createServer((request, response) => {
  const path = new URL(request.url, "http://localhost").pathname;
  const page = pages[path.slice(1)];
  if (page !== undefined) {
    return response
      .writeHead(200, { "content-type": "text/html" })
      .end(`<!doctype html><script type="module">${page}</script>`);
  }
  const [start, place] = places.find(([begin]) => path.startsWith(begin)) ?? [];
  try {
    const file = place.endsWith("/") ? join(place, path.slice(start.length)) : place;
    const isText = extname(file) in types;
    if (!zipped.has(file)) zipped.set(file, isText ? gzipSync(readFileSync(file)) : readFileSync(file));
    const bytes = zipped.get(file);
    response.writeHead(200, {
      "content-type": types[extname(file)] ?? "application/octet-stream",
      "content-length": bytes.length,
      "cache-control": "no-store",
      ...(isText ? { "content-encoding": "gzip" } : {}),
    });
    sent += bytes.length;
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address();
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const rows = [];
let reference;
let version;
/** A page in a browser of its own: what it measured, and the bytes it was sent. */
async function measure(name) {
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  try {
    version = (await browser.version()).replace(/^.*?\/(\d+).*/, "$1");
    const page = await browser.newPage();
    const failed = new Promise((_, reject) =>
      page.on("pageerror", (error) => reject(new Error(`${name}: ${error.message ?? error}`))),
    );
    sent = 0;
    await page.goto(`http://localhost:${port}/${name}`);
    await Promise.race([failed, page.waitForFunction(() => globalThis.result !== undefined, { timeout: 300_000 })]);
    return { ...(await page.evaluate(() => globalThis.result)), sent };
  } finally {
    await browser.close();
  }
}

/** The version of a package of FOLDER. */
function versionOf(name) {
  const file = join(
    folder,
    "node_modules",
    name === "transformers.js" ? "@huggingface/transformers" : name,
    "package.json",
  );
  return existsSync(file) ? ` ${JSON.parse(readFileSync(file, "utf8")).version}` : "";
}

try {
  for (const name of Object.keys(pages)) {
    const seen = [];
    for (let round = 0; round < Number(rounds); round++) {
      seen.push(await measure(name));
      const { logits } = seen.at(-1);
      reference ??= logits;
      const scale = Math.max(...reference.map(Math.abs));
      const off = Math.max(...logits.map((value, i) => Math.abs(value - reference[i]))) / scale;
      if (!(off < 1e-4)) throw new Error(`${name}: its logits differ by ${off}`);
    }
    const firsts = seen.map(({ firstMs }) => firstMs);
    const forwards = seen.flatMap(({ walls }) => walls);
    const first = `${Math.round(median(firsts))} ms`;
    const warm = `${Math.min(...forwards).toFixed(1)} ms, ${median(forwards).toFixed(1)} ms`;
    rows.push(`| ${name}${versionOf(name)} | ${(seen[0].sent / 1e6).toFixed(1)} MB | ${first} | ${warm} |`);
    console.error(rows.at(-1));
  }
} finally {
  server.close();
  server.closeAllConnections();
  rmSync(made, { recursive: true });
}
const count = Number(samples) * Number(rounds);
const table = `| SqueezeNet 1.1, one thread, Chromium ${version} | bytes before the first result | page to first result, median of ${rounds} | forward, warm: least, median of ${count} |
|---|---|---|---|
${rows.join("\n")}

${madeBy("node bench/peers/pages.mjs FOLDER PYTHON")}`;
if (process.argv.length > 4) console.log(table);
else writeTable("runtimes.md", "peers", table);
