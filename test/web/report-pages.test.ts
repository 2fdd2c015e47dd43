import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { checkPage } from "../../cli/check/page.ts";
import type { Checked } from "../../cli/check/photos.ts";
import { metrics } from "../../cli/evaluate/metrics.ts";
import { evaluationPage } from "../../cli/evaluate/page.ts";
import type { Cell } from "../../cli/evaluate/summary.ts";
import type { Attention } from "../../evaluation/index.ts";
import { chromiumPath } from "../support/browsers.ts";
import { runtimesFolder } from "../support/runtimes.ts";
import { suite } from "../support/suite.ts";
import { launch } from "./open-page.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-report-pages-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
const long = "a_photo_whose_name_is_longer_than_a_phone_is_wide_and_has_no_place_to_break_<b>.jpg";
const interval = { mean: 0.61234, low: -0.5, high: 0.7, count: 12 };

/** A report with every metric, names that are too long, and more notes than stand open. */
function evaluation(): string {
  const maps = ["epsilonPlus:|R|", "a<b", "npy:a-folder-with-a-very-long-name-that-does-not-break"];
  const cells = Object.keys(metrics).flatMap((metric) =>
    maps.map(
      (map, k): Cell => ({
        map,
        metric,
        interval: k === 2 ? { mean: Number.NaN, low: Number.NaN, high: Number.NaN, count: 0 } : interval,
        difference: k === 0 ? undefined : { ...interval, p: k === 1 ? 0.0004 : 1 },
        curve: k === 2 ? undefined : [1, 0.4, -0.2],
        maxBoxAcc: metric === "box" ? { accuracy: 0.5, threshold: 0.1 } : undefined,
      }),
    ),
  );
  const row = { photo: long, label: "hen & <i>", index: 1, area: 0.2, objects: 1, croppedAway: 0, maps: {} };
  const pictures = [
    { caption: "the photo", value: undefined, url: pixel },
    { caption: "a<b", value: 0.4, url: pixel },
  ];
  return evaluationPage({
    title: "net: 3 maps on 12 photos",
    facts: [["Network", `net, weights ${long}`]],
    maps: maps.map((name) => [name, "something & more"] as const),
    cells,
    help: new Map(Object.entries(metrics)),
    against: "epsilonPlus:|R|",
    judgedBy: "mass",
    best: [{ row, pictures }],
    worst: [{ row, pictures }],
    leftOut: Array.from({ length: 13 }, (_, i) => `${long}: note ${i} <script>`),
    srmap: "0",
  });
}

function check(): string {
  const attention = (label: string, inside: number): Attention => ({
    photo: long,
    sha256: "",
    prediction: { index: 0, label, probability: 0.5 },
    grid: [],
    centroid: [0.5, 0.5],
    top: [],
    inside,
    mapSha256: "",
  });
  const compared = (failures: readonly string[]): Checked => ({
    photo: long,
    path: long,
    before: attention("hen", 0.9),
    after: attention("<cock>", 0.4),
    outcome: { photo: long, correlation: Number.NaN, isIdentical: false, failures },
  });
  const failed = compared(["attention moved.", "less attention on the object."]);
  const unread = compared(["attention moved."]);
  const checked = [
    failed,
    unread,
    compared(["a third."]),
    compared([]),
    { photo: "new.jpg", error: "was not recorded." },
  ];
  const shown = new Map([
    [failed, { pictures: [{ caption: "before: hen 50.0 %", url: pixel }] }],
    [unread, { pictures: [], error: "is gone." }],
  ]);
  return checkPage({ model: "net", facts: [["Network", long]], checked, shown, srmap: "0" });
}

/** The part of axe-core that is used here. */
interface Axe {
  run(): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }>;
}
const axe = join(runtimesFolder, "axe-core/axe.min.js");

suite("web/report-pages", (test) => {
  const pages = { evaluation: evaluation(), check: check() };

  test("names and sentences are text, whatever they hold; nothing is loaded", () => {
    for (const page of Object.values(pages)) {
      assert.not.match(page, /<(i|script|cock)>/);
      assert.not.match(page, /(src|href)="(?!data:)/);
    }
  });

  test("every metric has a table with its help, every curve names its axes, and notes fold up", () => {
    const { evaluation: page } = pages;
    for (const [name, { help, axes }] of Object.entries(metrics)) {
      assert.ok(page.includes(`<h3>${name} <small>${help}; `), name);
      assert.is(page.includes(`aria-label="${name}: mean `), axes !== undefined, name);
    }
    assert.match(page, /<details><summary>13 sentences<\/summary>/);
    assert.match(page, /<td class="number">\+\.612 \(-\.500 to \.700\)<\/td><td class="number">1\.000<\/td>/);
    assert.match(page, /<td class="number">none \(none to none\)<\/td>/);
  });

  test("the check says which fail, shows what it has pictures of, and counts what is beyond --pictures", () => {
    const { check: page } = pages;
    assert.match(page, /<h1>4 of 5 photos fail: net does not look where it looked\.<\/h1>/);
    assert.match(page, /90\.0 % → 40\.0 %/);
    assert.match(page, /Not shown: is gone\./);
    assert.match(page, /1 photo more fails: beyond --pictures\./);
    assert.match(page, /<summary>1 photo<\/summary>/);
    assert.not.match(page, /On the forbidden region/);
  });

  test.needsProgram(
    existsSync(axe) ? chromiumPath() : undefined,
    "axe-core and Chromium",
    "axe-core finds nothing and nothing is cut off, dark and light, on a phone and a desktop",
    async (path) => {
      const browser = await launch(path, "chrome");
      try {
        const page = await browser.newPage();
        for (const [name, html] of Object.entries(pages)) {
          const file = join(folder, `${name}.html`);
          writeFileSync(file, html);
          await page.goto(pathToFileURL(file).href);
          await page.addScriptTag({ content: readFileSync(axe, "utf8") });
          for (const scheme of ["light", "dark"]) {
            await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
            for (const width of [360, 1440]) {
              await page.setViewport({ width, height: 900 });
              const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: Axe }).axe.run());
              const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html)}`);
              assert.equal(found, [], `${name}, ${scheme}, ${width} px`);
              assert.is(await page.evaluate(() => document.documentElement.scrollWidth), width, `${name}, ${width} px`);
            }
          }
        }
      } finally {
        await browser.close();
      }
    },
  );
});
