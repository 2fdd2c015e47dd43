// Pictures of the page for the docs, by a real Chromium: docs/images/page.png (desktop, light) and page-phone.png (phone, dark).
// Usage, after npm run build: node web/screenshots.mjs [CHROMIUM]
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { servePage } from "../build/host/page/serve.js";

const executablePath = process.argv[2] ?? process.env.CHROMIUM ?? "/usr/bin/chromium";
const out = (name) => fileURLToPath(new URL(`../docs/images/${name}`, import.meta.url));
const served = await servePage();
const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
for (const [name, width, height, scheme, fragment] of [
  ["page.png", 1200, 900, "light", ""],
  ["page-phone.png", 390, 844, "dark", "#view=salient"],
]) {
  const page = await browser.newPage();
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(served.url + fragment);
  await page.waitForSelector(".class", { timeout: 60_000 });
  await page.waitForFunction(() => document.querySelector(".status")?.textContent === "");
  await page.screenshot({ path: out(name) });
  await page.close();
}
await browser.close();
await served.close();
