// Pictures of the page for the docs, by a real Chromium: docs/images/page.png (desktop, light), page-phone.png (phone, dark) and
// page-compare.png (two classes compared, with the ledger).
// Usage, after npm run build: node web/screenshots.mjs [CHROMIUM]. Letters are those of the system; the pictures kept are set in Inter.
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { servePage } from "../build/host/page/serve.js";

const executablePath = process.argv[2] ?? process.env.CHROMIUM ?? "/usr/bin/chromium";
const out = (name) => fileURLToPath(new URL(`../docs/images/${name}`, import.meta.url));
const rests = (page) =>
  page.waitForFunction(
    () =>
      document.querySelector(".class") !== null &&
      document.querySelector(".status")?.textContent === "" &&
      document.querySelector(".picture canvas").width > 300, // the photo is sharp
    { timeout: 60_000 },
  );

/** The first class less the third, and where its relevance went. */
async function compare(page) {
  await page.evaluate(() => document.querySelector(".compare").click());
  await page.waitForSelector(".comparing");
  await page.evaluate(() => document.querySelectorAll(".class")[2].click());
  await page.waitForFunction(() => / less /.test(document.querySelector(".classes .hint").textContent));
  await rests(page);
  await page.evaluate(() => document.querySelector("details.wide").setAttribute("open", ""));
  await page.waitForSelector(".ledger");
}

const served = await servePage();
const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
for (const { name, width, height, scheme = "light", fragment = "", act, fullPage = false } of [
  { name: "page.png", width: 1240, height: 930 },
  { name: "page-phone.png", width: 390, height: 844, scheme: "dark" },
  { name: "page-compare.png", width: 1160, height: 900, fragment: "#view=relevance", act: compare, fullPage: true },
]) {
  const page = await browser.newPage();
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(served.url + fragment);
  await rests(page);
  await act?.(page);
  await page.screenshot({ path: out(name), fullPage });
  await page.close();
}
await browser.close();
await served.close();
