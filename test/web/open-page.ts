import { basename } from "node:path";
import puppeteer, { type Browser, type Page } from "puppeteer-core";

/** Starts a browser without a window; Chromium with a camera that shows a test picture and is allowed unless `args` say else. */
export function launch(
  executablePath: string,
  browser: "chrome" | "firefox",
  camera: readonly string[] = ["--use-fake-ui-for-media-stream"],
): Promise<Browser> {
  const chrome = ["--no-sandbox", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream", ...camera];
  return puppeteer.launch({ executablePath, browser, args: browser === "chrome" ? chrome : [], headless: true });
}

/** The page, loaded and with its first explanation; what it logs as an error fails the test. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url);
  await page.waitForSelector(".class", { timeout: 60_000 });
  return { page, errors };
}

/** Gives a file input of the page a file. */
export async function give(page: Page, input: string, file: string): Promise<void> {
  const element = await page.$(input);
  await (element as { uploadFile(path: string): Promise<void> } | null)?.uploadFile(file);
}

/** Chooses a photo in the page and waits for its explanation. */
export async function choose(page: Page, photo: string): Promise<void> {
  await give(page, ".photos input[type=file]", photo);
  await page.waitForFunction(
    (name) => document.querySelector("main")?.dataset["explained"] === name,
    { timeout: 60_000, polling: 100 }, // not by frames, which tabs in the background have none of
    basename(photo).replace(/\.[^.]*$/, ""),
  );
}

/** Clicks the button that is called so. */
export async function press(page: Page, button: string): Promise<void> {
  await page.evaluate((text) => {
    [...document.querySelectorAll("button")].find(({ innerText }) => innerText === text)?.click();
  }, button);
}

/** The sentence that the page says next about a problem. */
export async function problemOf(page: Page): Promise<string> {
  await page.waitForSelector(".problem", { timeout: 60_000 });
  return page.$eval(".problem", (element) => element.textContent ?? "");
}

/** Clicks the second example and waits until it is explained: the page works. */
export async function requireWorking(page: Page): Promise<void> {
  await page.evaluate(() => document.querySelectorAll<HTMLButtonElement>(".thumb")[1]?.click());
  await page.waitForFunction(
    () => document.querySelector("main")?.dataset["explained"] === "cat" && document.querySelector(".problem") === null,
    { timeout: 60_000, polling: 100 }, // not by frames, which tabs in the background have none of
  );
}
