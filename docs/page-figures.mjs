// What a visitor of the page waits for, in headless Chromium: on this machine, and as Lighthouse's phone (a slow network, the main thread four
// times slower). Writes the table into docs/runtimes.md. Usage, after npm run build: node docs/page-figures.mjs [ROUNDS]
// With ROUNDS (5 without) the table is printed alone.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { gzipSync } from "node:zlib";
import puppeteer from "puppeteer-core";
import { pageFiles } from "../build/host/page/files.js";
import { madeBy, writeTable } from "./tables.mjs";

const rounds = Number(process.argv[2] ?? 5);
const types = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};
// Lighthouse's "slow 4G": 150 ms there and back, 1.6 Mbit/s. The server keeps to it, because the browser's own emulation leaves workers out.
const phone = { latencyMs: 150, bytesPerMs: 200, slower: 4 };
const pieceBytes = 16384;

/** The page as a web server sends it, text and wasm compressed, over a line that all requests share. */
async function serve({ latencyMs, bytesPerMs } = { latencyMs: 0, bytesPerMs: Number.POSITIVE_INFINITY }) {
  let lineIsFreeAt = 0;
  const send = async (response, body) => {
    for (let i = 0; i < body.length && !response.destroyed; i += pieceBytes) {
      const piece = body.subarray(i, i + pieceBytes);
      lineIsFreeAt = Math.max(performance.now(), lineIsFreeAt) + piece.length / bytesPerMs;
      await new Promise((resolve) => setTimeout(resolve, lineIsFreeAt - performance.now()));
      response.write(piece);
    }
    response.end();
  };
  const files = pageFiles();
  const bodies = new Map();
  const sent = [];
  const server = createServer((request, response) => {
    const address = new URL(request.url, "http://localhost").pathname.slice(1) || "index.html";
    const place = files.get(address);
    if (place === undefined) return response.writeHead(404).end();
    const type = types[extname(address)];
    if (!bodies.has(address)) bodies.set(address, type ? gzipSync(readFileSync(place)) : readFileSync(place));
    const body = bodies.get(address);
    sent.push({ address, size: body.length });
    const head = {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "content-type": type ?? "application/octet-stream",
      "content-length": body.length,
      "cache-control": "max-age=600", // as static hosts send it
      ...(type ? { "content-encoding": "gzip" } : {}),
    };
    if (latencyMs === 0) return response.writeHead(200, head).end(body);
    return setTimeout(() => void send(response.writeHead(200, head), body), latencyMs);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://localhost:${server.address().port}/`, sent, close };
}

/** Runs before the page's own scripts: keeps what the browser tells of its paints, shifts and long tasks. */
function observe() {
  globalThis.figures = { shift: 0, tasks: [] };
  const on = (type, take) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  on("layout-shift", ({ value, hadRecentInput }) => {
    if (!hadRecentInput) globalThis.figures.shift += value;
  });
  on("longtask", ({ duration }) => globalThis.figures.tasks.push(duration));
}

const explained = (page, name) =>
  page.waitForFunction(
    (wanted) => document.querySelector("main")?.dataset.explained === wanted,
    {
      timeout: 300_000,
      polling: 10,
    },
    name,
  );

/** A first visit with an empty profile, then the other example, then twelve seconds of the camera. */
async function visit(device, isLive) {
  const served = await serve(device);
  const args = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
  ];
  const browser = await puppeteer.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
  try {
    const page = await browser.newPage();
    if (device !== undefined) {
      await page.setViewport({ width: 412, height: 823, isMobile: true, hasTouch: true, deviceScaleFactor: 1.75 });
      await page.emulateCPUThrottling(device.slower);
    }
    await page.evaluateOnNewDocument(observe);
    const started = performance.now();
    await page.goto(served.url, { timeout: 300_000 });
    await explained(page, "coffee");
    const firstMapMs = performance.now() - started;
    const network = ({ address }) => address.startsWith("models/");
    const bytes = (list) => list.reduce((sum, { size }) => sum + size, 0);
    const loaded = [...served.sent];
    const [paint] = await page.evaluate(() =>
      performance.getEntriesByName("first-contentful-paint").map(({ startTime }) => startTime),
    );
    const first = await page.evaluate(() => {
      const { shift, tasks } = globalThis.figures;
      globalThis.figures.tasks = [];
      return { shift, blockingMs: tasks.reduce((sum, task) => sum + task - 50, 0) };
    });
    const other = performance.now();
    await page.evaluate(() => document.querySelectorAll(".thumb")[1].click());
    await explained(page, "cat");
    const nextMapMs = performance.now() - other;
    const longestMs = await page.evaluate(() => Math.max(0, ...globalThis.figures.tasks));
    return {
      version: (await browser.version()).replace(/^.*?\/(\d+).*/, "$1"),
      bytes: bytes(loaded.filter((each) => !network(each))),
      networkBytes: bytes(loaded.filter(network)),
      paintMs: paint,
      ...{ firstMapMs, nextMapMs, longestMs, ...first },
      mapsPerSecond: isLive ? await live(page) : 0,
    };
  } finally {
    await browser.close();
    served.close();
  }
}

/** The rate that the page shows after twelve seconds of the camera. */
async function live(page) {
  await page.evaluate(() =>
    [...document.querySelectorAll("button")].find(({ innerText }) => innerText === "Camera").click(),
  );
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  const said = await page.$eval(".status", ({ textContent }) => textContent);
  const rate = Number(/^([\d.]+) maps a second/.exec(said)?.[1]);
  if (!(rate > 0)) throw new Error(`the camera shows "${said}"`);
  return rate;
}

const desktop = [];
const onPhone = [];
for (let i = 0; i < rounds; i++) {
  desktop.push(await visit(undefined, true));
  onPhone.push(await visit(phone, false));
  console.error(`${i + 1} of ${rounds}`);
}
const median = (seen, key) => seen.map((each) => each[key]).sort((a, b) => a - b)[seen.length >> 1];
const ms = (seen, key) => `${Math.round(median(seen, key)).toLocaleString("en")} ms`;
const longest = (seen) => (median(seen, "longestMs") === 0 ? "none over 50 ms" : ms(seen, "longestMs"));
const both = (name, text) => `| ${name} | ${text(desktop)} | ${text(onPhone)} |`;
const table = `| the page in Chromium ${desktop[0].version}, median of ${rounds} | this machine | a phone of Lighthouse: 1.6 Mbit/s, 150 ms, the main thread 4 times slower |
|---|---|---|
${[
  both(
    "sent until the first map, without and with the network",
    (seen) =>
      `${Math.round(median(seen, "bytes") / 1000)} kB, ${((median(seen, "bytes") + median(seen, "networkBytes")) / 1e6).toFixed(1)} MB`,
  ),
  both("first contentful paint", (seen) => ms(seen, "paintMs")),
  both("first map", (seen) => ms(seen, "firstMapMs")),
  both("blocking time until then", (seen) => ms(seen, "blockingMs")),
  both("layout shift until then", (seen) => median(seen, "shift").toFixed(3)),
  both("next photo's map", (seen) => ms(seen, "nextMapMs")),
  both("longest task meanwhile", longest),
].join("\n")}
| live camera | ${median(desktop, "mapsPerSecond").toFixed(1)} maps a second | |

${madeBy("node docs/page-figures.mjs")}`;
if (process.argv[2] !== undefined) console.log(table);
else writeTable("runtimes.md", "page", table);
