import { basename } from "node:path";
import puppeteer, { type Browser, type Page } from "puppeteer-core";

// A page that shows nothing new for so long is stuck; busy machines may take longer in all.
const stuckMs = 60_000;
const longestMs = 300_000;

/** Starts a browser without a window; Chromium with a camera that shows a test picture and is allowed unless `args` say else. */
export function launch(
  executablePath: string,
  browser: "chrome" | "firefox",
  camera: readonly string[] = ["--use-fake-ui-for-media-stream"],
): Promise<Browser> {
  const chrome = ["--no-sandbox", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream", ...camera];
  return puppeteer.launch({
    executablePath,
    browser,
    args: browser === "chrome" ? chrome : [],
    headless: true,
    timeout: longestMs,
  });
}

/** What the page shows and has loaded, for messages of tests; asked anew each time, so that no lost message of the driver looks like a stuck page. */
async function stateOf(page: Page): Promise<string> {
  const asked = page.evaluate(() =>
    JSON.stringify({
      explained: document.querySelector("main")?.dataset["explained"],
      classes: document.querySelectorAll(".class").length,
      status: document.querySelector(".status")?.textContent,
      problem: document.querySelector(".problem")?.textContent,
      document: `${document.readyState}, ${document.visibilityState}, ${crossOriginIsolated ? "isolated" : "not isolated"}`,
      serviceWorker: navigator.serviceWorker?.controller?.state,
      loaded: performance.getEntriesByType("resource").map(({ name }) => name.slice(name.lastIndexOf("/") + 1, 80)),
    }),
  );
  const late = new Promise<string>((resolve) => {
    setTimeout(() => resolve("the page does not answer"), 15_000).unref();
  });
  return Promise.race([asked.catch(String), late]);
}

/**
 * Waits until a condition holds on the page, as long as the page goes on: a busy machine is not a stuck page.
 * @param what for the message
 * @throws Error with what the page shows, and said on its console, when nothing has changed for a minute
 */
export async function waitOn(
  page: Page,
  what: string,
  condition: (name: string) => boolean,
  name = "",
  said: readonly string[] = [],
): Promise<void> {
  const started = performance.now();
  let [state, changed] = ["", started];
  for (;;) {
    if (await page.evaluate(condition, name).catch(() => false)) return; // it may be on its way to another address
    const now = await stateOf(page);
    if (now !== state) [state, changed] = [now, performance.now()];
    if (performance.now() - changed > stuckMs || performance.now() - started > longestMs) {
      const seconds = Math.round((performance.now() - started) / 1000);
      throw new Error(`${what}: not after ${seconds} s. The page shows ${state}, and said ${JSON.stringify(said)}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits for the first explanation. */
export function waitForClasses(page: Page, said: readonly string[] = []): Promise<void> {
  return waitOn(page, "the first explanation", () => document.querySelector(".class") !== null, "", said);
}

/** The page, loaded and with its first explanation; what it logs as an error fails the test. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url, { timeout: longestMs });
  await waitForClasses(page, errors);
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
  await waitOn(
    page,
    `an explanation of ${photo}`,
    (name) => document.querySelector("main")?.dataset["explained"] === name,
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
  await waitOn(
    page,
    "an explanation of the second example",
    () => document.querySelector("main")?.dataset["explained"] === "cat" && document.querySelector(".problem") === null,
  );
}
