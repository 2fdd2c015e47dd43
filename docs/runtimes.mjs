// Where srmap runs: each runtime explains examples/coffee.jpg with the default network, and its bytes are compared with this Node's.
// Writes the table into docs/runtimes.md, if every runtime that is here came to its end. Usage, after npm run build, with what .ci/run
// installs (or RUNTIMES=FOLDER): node docs/runtimes.mjs [PART]    With PART only the rows that hold it are made, and printed alone.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { explain } from "../build/engine/index.js";
import { loadNetwork, readImage, servePage } from "../build/host/node.js";
import { madeBy, writeTable } from "./tables.mjs";

const part = process.argv[2];

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
const failures = [];
/** Makes a row, if it is asked for and its program is here; what fails is told, and the others go on. */
async function row(name, condition, program, make) {
  if (part !== undefined && !`${name} ${condition}`.includes(part)) return;
  if (!existsSync(program)) return console.log(`not here: ${name} (${program})`);
  try {
    await make();
  } catch (error) {
    failures.push(`${name}, ${condition}: ${error.stack ?? error}`);
    console.log(failures.at(-1));
  }
}
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
  await row(name, condition, program, async () => {
    const child = spawn(program, [...args, file, String(threads), photo, String(Date.now()), String(warmRuns)], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const peak = watchMemory(child.pid);
    try {
      let out = "";
      for await (const piece of child.stdout) out += piece;
      if (out === "") throw new Error("it printed nothing");
      add(name, condition, { ...JSON.parse(out), memory: peak() });
    } finally {
      peak();
    }
  });
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

/** In the page: the sum of the map's bytes, by the button that saves them. */
async function savedSum() {
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
}

/** The page in a browser: from opening it with an empty profile to the first map, then the other example. */
async function visit(browser, url) {
  const page = await browser.newPage();
  await page.goto("about:blank");
  const peak = watchMemory(browser.process().pid);
  try {
    const started = performance.now();
    await page.goto(url);
    await page.waitForSelector(".class", { timeout: 120_000 });
    const cold = performance.now() - started;
    const threads = await page.$eval("footer", ({ textContent }) => /(\S+) threads?\b/.exec(textContent)?.[1]);
    const sum = await page.evaluate(savedSum);
    const other = performance.now();
    await page.evaluate(() => document.querySelectorAll(".thumb")[1].click());
    await page.waitForFunction(() => document.querySelector("main").dataset.explained === "cat", {
      timeout: 120_000,
      polling: 10,
    });
    const warm = performance.now() - other;
    return { sum, cold, warm, threads, memory: peak() };
  } finally {
    peak();
  }
}

async function browse(name, kind, executablePath, isIsolated) {
  await row(name, isIsolated ? "the page, isolated" : "the page", executablePath, async () => {
    const args = kind === "chrome" ? ["--no-sandbox", "--disable-dev-shm-usage"] : [];
    const browser = await puppeteer.launch({ browser: kind, executablePath, args, headless: true });
    const served = await servePage({ isIsolated });
    try {
      const { threads, ...seen } = await visit(browser, served.url);
      const version = (await browser.version()).replace(/^.*?\//, "");
      add(`${name} ${version}`, `the page, ${threads} thread${threads === "one" ? "" : "s"}`, seen);
    } finally {
      await browser.close();
      await served.close();
    }
  });
}
for (const isIsolated of [false, true]) {
  await browse("Chromium", "chrome", process.env.CHROMIUM ?? "/usr/bin/chromium", isIsolated);
  await browse("Firefox", "firefox", process.env.FIREFOX ?? "/usr/bin/firefox-esr", isIsolated);
}
rmSync(folder, { recursive: true, force: true });

const table = `| runtime | condition | bytes | to the first map | next map | peak memory |
|---|---|---|---|---|---|
${rows.join("\n")}

${madeBy("node docs/runtimes.mjs")}`;
if (failures.length > 0) {
  console.error(`${table}\n\nnot written into docs/runtimes.md, because these failed:\n${failures.join("\n")}`);
  process.exitCode = 1;
} else if (part === undefined) writeTable("runtimes.md", "table", table);
