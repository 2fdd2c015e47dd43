// Where srmap runs: each runtime explains examples/coffee.jpg with the default network, and its bytes are compared with this Node's.
// Writes the table into docs/runtimes.md. Usage, after npm run build, with what .ci/run installs (or RUNTIMES=FOLDER): node docs/runtimes.mjs
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { explain } from "../build/engine/index.js";
import { loadNetwork, readImage, servePage } from "../build/host/node.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const runtimes = process.env.RUNTIMES ?? join(root, ".runtimes");
const photo = join(root, "examples/coffee.jpg");
const options = { salientRelevance: { mode: "fast" } };
const hash = (data) =>
  createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");
const expected = hash(explain(await loadNetwork(), await readImage(photo), options).salientRelevance.data);

// What a script of Node, Deno or Bun prints: the bytes' sum, and milliseconds from the start of the process to the first map and of a second one.
const script = `
import process from "node:process";
import { createHash } from "node:crypto";
import { explain } from "srmap";
import { loadKernels, loadNetwork, readImage } from "srmap/node";
const threads = Number(process.argv[2]);
const kernels = await loadKernels({ threads });
const network = await loadNetwork(undefined, undefined, { kernels });
const photo = await readImage(process.argv[3]);
const options = ${JSON.stringify(options)};
const { salientRelevance } = explain(network, photo, options);
const cold = Date.now() - Number(process.argv[4]);
const times = [];
for (let i = 0; i < Number(process.argv[5]); i++) { const t = performance.now(); explain(network, photo, options); times.push(performance.now() - t); }
const { buffer, byteOffset, byteLength } = salientRelevance.data;
const sum = createHash("sha256").update(new Uint8Array(buffer, byteOffset, byteLength)).digest("hex");
console.log(JSON.stringify({ sum, cold, warm: times.sort((a, b) => a - b)[times.length >> 1] }));
await kernels.close();
process.exit(0);
`;

/** Peak resident memory of a process and its children, read while it runs. */
function watchMemory(pid) {
  let peak = 0;
  const timer = setInterval(() => {
    let sum = 0;
    const all = spawnSync("ps", ["-e", "-o", "pid=,ppid=,rss="], { encoding: "utf8" }).stdout.trim().split("\n");
    const family = new Set([pid]);
    for (const line of all) {
      const [own, parent, rss] = line.trim().split(/\s+/).map(Number);
      if (family.has(parent)) family.add(own);
      if (family.has(own)) sum += rss;
    }
    peak = Math.max(peak, sum / 1024);
  }, 25);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

const rows = [];
const add = (name, condition, { sum, cold, warm, memory }) => {
  const same = sum === expected ? "same" : "**other**";
  const memoryText = memory === undefined ? "" : `${Math.round(memory)} MiB`;
  rows.push(
    `| ${name} | ${condition} | ${same} | ${Math.round(cold)} ms | ${warm === undefined ? "" : `${Math.round(warm)} ms`} | ${memoryText} |`,
  );
  console.log(rows.at(-1));
};

const folder = mkdtempSync(join(tmpdir(), "srmap-runtimes-"));
mkdirSync(join(folder, "node_modules"));
symlinkSync(root, join(folder, "node_modules/srmap"), "dir");
writeFileSync(join(folder, "package.json"), '{ "type": "module", "dependencies": { "srmap": "*" } }');
const file = join(folder, "explain.mjs");
writeFileSync(file, script);

async function run(name, condition, program, args, threads, warmRuns = 5) {
  if (!existsSync(program)) return console.log(`not here: ${name}`);
  const child = spawn(program, [...args, file, String(threads), photo, String(Date.now()), String(warmRuns)], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const peak = watchMemory(child.pid);
  let out = "";
  for await (const piece of child.stdout) out += piece;
  const memory = peak();
  add(name, condition, { ...JSON.parse(out), memory });
}

const versionOf = (program, ...args) =>
  existsSync(program)
    ? execFileSync(program, [...args, "--version"], { encoding: "utf8" })
        .split("\n")[0]
        .replace(/ \(.*/, "")
    : "";
const qemu = ["-L", "/usr/aarch64-linux-gnu"];
for (const threads of [1, 2]) {
  const condition = threads === 1 ? "1 thread" : `${threads} threads`;
  await run(`Node ${process.version}`, condition, process.execPath, [], threads);
  for (const version of ["22", "24", "26"]) {
    const program = join(runtimes, `node-${version}/package/bin/node`);
    await run(`Node ${versionOf(program)}`, condition, program, [], threads);
  }
  const [deno, bun] = ["deno", "bun"].map((name) => join(runtimes, "node_modules/.bin", name));
  await run(
    versionOf(deno).replace("deno", "Deno"),
    condition,
    deno,
    ["run", "--node-modules-dir=manual", "--allow-read", "--allow-env"],
    threads,
  );
  await run(`Bun ${versionOf(bun)}`, condition, bun, [], threads);
}
const arm = join(runtimes, "node-arm64/package/bin/node");
if (existsSync(arm))
  await run(
    `Node ${versionOf("/usr/bin/qemu-aarch64", ...qemu, arm)}, ARM64`,
    "emulated, 1 thread",
    "/usr/bin/qemu-aarch64",
    [...qemu, arm],
    1,
    1, // a minute each
  );

// The page itself in browsers: from opening it with an empty profile to the first map, then the other example.
async function browse(name, kind, executablePath, isIsolated) {
  if (!existsSync(executablePath)) return console.log(`not here: ${name}`);
  const served = await servePage({ isIsolated });
  const args = kind === "chrome" ? ["--no-sandbox", "--disable-dev-shm-usage"] : [];
  const browser = await puppeteer.launch({ browser: kind, executablePath, args, headless: true });
  const version = (await browser.version()).replace(/^.*?\//, "");
  const page = await browser.newPage();
  await page.goto("about:blank");
  const peak = watchMemory(browser.process().pid);
  const started = performance.now();
  await page.goto(served.url);
  await page.waitForSelector(".class", { timeout: 120_000 });
  const cold = performance.now() - started;
  const threads = await page.$eval("footer", ({ textContent }) => /(\S+) threads?\b/.exec(textContent)?.[1]);
  const sum = await page.evaluate(async () => {
    URL.createObjectURL = (blob) => {
      globalThis.saved = blob;
      return "data:,";
    };
    [...document.querySelectorAll("button")].find(({ innerText }) => innerText === "Areas (npy)").click();
    const bytes = new Uint8Array(await globalThis.saved.arrayBuffer());
    const values = bytes.subarray(10 + bytes[8] + 256 * bytes[9]);
    return [...new Uint8Array(await crypto.subtle.digest("SHA-256", values))]
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
  });
  const other = performance.now();
  await page.evaluate(() => document.querySelectorAll(".thumb")[1].click());
  await page.waitForFunction(() => document.querySelector("main").dataset.explained === "cat", {
    timeout: 120_000,
    polling: 10,
  });
  const warm = performance.now() - other;
  const memory = peak();
  await browser.close();
  await served.close();
  add(`${name} ${version}`, `the page, ${threads} thread${threads === "one" ? "" : "s"}`, { sum, cold, warm, memory });
}
for (const isIsolated of [false, true]) {
  await browse("Chromium", "chrome", process.env.CHROMIUM ?? "/usr/bin/chromium", isIsolated);
  await browse("Firefox", "firefox", process.env.FIREFOX ?? "/usr/bin/firefox-esr", isIsolated);
}
rmSync(folder, { recursive: true, force: true });

const table = `| runtime | condition | bytes | to the first map | next map | peak memory |
|---|---|---|---|---|---|
${rows.join("\n")}

*${new Date().toISOString().slice(0, 10)}, ${cpus()[0].model}, ${cpus().length} cores; \`node docs/runtimes.mjs\`.*`;
const document_ = join(root, "docs/runtimes.md");
const text = readFileSync(document_, "utf8");
writeFileSync(
  document_,
  text.replace(/(<!-- table -->\n)[\s\S]*?(<!-- end -->)/, (_, begin, end) => `${begin}${table}\n${end}`),
);
