import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "puppeteer-core";
import * as assert from "uvu/assert";
import { servePage } from "../../host/page/serve.ts";
import { chromiumPath, firefoxPath } from "../support/browsers.ts";
import { runtimesFolder } from "../support/runtimes.ts";
import { suite } from "../support/suite.ts";
import { give, launch, openPage, problemOf, waitForClasses } from "./open-page.ts";

const axe = join(runtimesFolder, "axe-core/axe.min.js");

/** The part of axe-core that is used here. */
interface Axe {
  run(): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }>;
}

/** Goes along the page by Tab: what gets the focus, in order, and whether it shows that. */
async function tabStops(page: Page): Promise<string[]> {
  const seen: string[] = [];
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const { activeElement: element } = document;
      if (element === null || element === document.body) return undefined;
      const shows = [element, element.closest("label")].some(
        (shown) =>
          shown !== null &&
          getComputedStyle(shown).outlineStyle !== "none" &&
          shown.getBoundingClientRect().width > 20 &&
          getComputedStyle(shown).clipPath === "none",
      );
      const name =
        element.getAttribute("aria-label") ?? element.closest("label")?.textContent ?? element.textContent ?? "";
      return `${shows ? "" : "UNSEEN "}${name.trim()}`;
    });
    if (at === undefined) break;
    seen.push(at);
  }
  return seen;
}

async function keyboardAlone(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector(".status")?.textContent === "");
  // Views by arrows, a class by Enter.
  await page.focus("[role=tab][aria-selected=true]");
  await page.keyboard.press("ArrowRight");
  assert.is(await page.$eval("[aria-selected=true]", ({ textContent }) => textContent), "Relevance");
  assert.is(await page.evaluate(() => document.activeElement?.id), "tab-relevance");
  await page.evaluate(() => document.querySelectorAll<HTMLElement>(".class")[1]?.focus());
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /^Shown: cup\b/.test(document.querySelector(".classes .hint")?.textContent ?? ""), {
    timeout: 60_000,
  });
  // Then along it all from the beginning: behind the last stop Firefox gives the focus to its own window.
  await page.reload();
  await waitForClasses(page);
  const seen = await tabStops(page);
  assert.equal(
    seen.filter((name) => name.startsWith("UNSEEN")),
    [],
  );
  for (const wanted of [
    /^Relevance$/,
    /^How strongly/,
    /^Choose a photo/,
    /^Camera$/,
    /^espresso/,
    /^Compare espresso/,
    /^Rules/,
    /^Network:/,
    /^Where relevance/,
    /^Panel/,
    /^Copy link/,
  ]) {
    assert.ok(
      seen.some((name) => wanted.test(name)),
      `${wanted} among ${seen.join(" | ")}`,
    );
  }
}

/** The ledger on a phone: names of layers are whole, and bars have more than a quarter of the width. */
async function ledgerOnPhone(page: Page): Promise<void> {
  await page.setViewport({ width: 360, height: 740 });
  await page.evaluate(() => document.querySelector("details.wide")?.setAttribute("open", ""));
  await page.waitForSelector(".ledger");
  const { cut, share } = await page.evaluate(() => {
    const width = (selector: string): number => document.querySelector(selector)?.getBoundingClientRect().width ?? 0;
    const cells = [...document.querySelectorAll(".ledger tbody th")];
    return {
      cut: cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map(({ textContent }) => textContent),
      share: width(".ledger svg") / width(".ledger"),
    };
  });
  assert.equal(cut, []);
  assert.ok(share > 0.25, `bars have ${share} of the width`);
}

suite("accessibility of the page", (test) => {
  const chromium = chromiumPath();
  test.needsProgram(
    existsSync(axe) ? chromium : undefined,
    "axe-core and Chromium",
    "axe-core finds nothing, dark and light, from a phone to a desktop, all opened, two classes compared, a problem told",
    async (path) => {
      const served = await servePage();
      const browser = await launch(path, "chrome");
      try {
        const { page } = await openPage(browser, served.url);
        await page.waitForFunction(() => document.querySelector(".status")?.textContent === "");
        await page.evaluate(() => {
          for (const details of document.querySelectorAll("details")) details.open = true;
          document.querySelector<HTMLButtonElement>(".compare")?.click();
        });
        await page.waitForSelector(".comparing");
        await page.evaluate(() => document.querySelectorAll<HTMLButtonElement>(".class")[2]?.click());
        await page.waitForSelector(".class.against");
        await page.waitForFunction(() => document.querySelector(".status")?.textContent === "");
        await page.waitForSelector(".ledger rect.bias");
        const folder = mkdtempSync(join(tmpdir(), "srmap-axe-"));
        try {
          writeFileSync(join(folder, "paper.pdf"), "%PDF-1.7");
          await give(page, ".photos input[type=file]", join(folder, "paper.pdf"));
          await problemOf(page);
        } finally {
          rmSync(folder, { recursive: true });
        }
        const session = await page.createCDPSession();
        await session.send("Runtime.evaluate", { expression: readFileSync(axe, "utf8") }); // the page's policy lets no other script in
        for (const scheme of ["light", "dark"]) {
          await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
          for (const width of [360, 768, 1440]) {
            await page.setViewport({ width, height: 900 });
            const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: Axe }).axe.run());
            const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html)}`);
            assert.equal(found, [], `${scheme}, ${width} px`);
            assert.is(
              await page.evaluate(() => document.documentElement.scrollWidth),
              width,
              `nothing is wider than ${width} px`,
            );
          }
        }
      } finally {
        await browser.close();
        await served.close();
      }
    },
  );

  test.needsProgram(chromium, "Chromium", "fingers find every control of a phone: 44 px at least", async (path) => {
    const served = await servePage();
    const browser = await launch(path, "chrome");
    try {
      const { page } = await openPage(browser, served.url);
      await page.setViewport({ width: 360, height: 740 });
      const small = await page.evaluate(() => {
        for (const details of document.querySelectorAll("details")) details.open = true;
        const controls = [...document.querySelectorAll("button, select, summary, label:has(input), input[type=range]")];
        return {
          count: controls.length,
          small: controls
            .filter((control) => {
              const { width, height } = control.getBoundingClientRect();
              return width < 44 || height < 44;
            })
            .map(({ outerHTML }) => outerHTML.slice(0, 80)),
        };
      });
      assert.ok(small.count > 30, `${small.count} controls`);
      assert.equal(small.small, []);
    } finally {
      await browser.close();
      await served.close();
    }
  });

  for (const [name, kind, executable] of [
    ["Chromium", "chrome", chromium],
    ["Firefox", "firefox", firefoxPath()],
  ] as const) {
    for (const [what, check] of [
      ["the keyboard reaches everything and sees where it is", keyboardAlone],
      ["a phone shows the ledger with whole names", ledgerOnPhone],
    ] as const) {
      test.needsProgram(executable, name, `${what}, in ${name}`, async (path) => {
        const served = await servePage();
        const browser = await launch(path, kind);
        try {
          const { page } = await openPage(browser, served.url);
          await check(page);
        } finally {
          await browser.close();
          await served.close();
        }
      });
    }
  }
});
