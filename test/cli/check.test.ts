import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { attend } from "../../cli/check/attend.ts";
import { encodePng } from "../../cli/drawing/png.ts";
import { createImage } from "../../engine/picture/image.ts";
import { resolveSalientRelevanceOptions } from "../../engine/salient/options.ts";
import { compareAttention, seededRandom } from "../../evaluation/index.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-check-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const name of ["cat", "coffee"]) cpSync(join(root, `examples/${name}.jpg`), join(folder, `${name}.jpg`));
const photos = ["cat.jpg", "coffee.jpg"];
const model = ["-m", "vgg-mini"];

function srmap(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(root, "build/cli/main.js"), ...args], { cwd: folder, encoding: "utf8" });
}

/** Adds noise to the float32 weights of a safetensors file: `part` of each value, by a seed. */
function perturb(from: string, to: string, part: number): void {
  const bytes = Uint8Array.from(readFileSync(join(folder, from)));
  const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const random = seededRandom(6);
  const values = new Float32Array(bytes.slice(start).buffer);
  for (let i = 0; i < values.length; i++) values[i]! *= 1 + part * (2 * random() - 1) * Math.sqrt(3);
  bytes.set(new Uint8Array(values.buffer), start);
  writeFileSync(join(folder, to), bytes);
}

interface Report {
  readonly photos: readonly {
    readonly photo: string;
    readonly correlation: number;
    readonly failures: readonly string[];
  }[];
}

function correlations(...args: string[]): readonly number[] {
  const run = srmap("check", "attention.json", ...photos, "--json", "--min-correlation", "-1", ...args);
  const report = JSON.parse(run.stdout) as Report;
  return report.photos.map(({ correlation }) => correlation);
}

suite("cli/check", (test) => {
  test("records, passes on the same network byte for byte, on one thread and two", () => {
    const wrote = srmap("check", "--write", "attention.json", ...photos, ...model);
    assert.is(wrote.stdout, "attention.json: recorded where vgg-mini looks on 2 photos.\n", wrote.stderr);
    for (const threads of ["1", "2"]) {
      const run = srmap("check", "attention.json", ...photos, "--threads", threads);
      assert.is(run.stdout, "2 of 2 photos pass, 2 with the same map byte for byte.\n", run.stderr);
      assert.is(run.status, 0);
    }
  });

  test("stays green on 8-bit weights, goes red on weights perturbed by half", () => {
    const weights = join(root, "models/vgg-mini.safetensors");
    assert.is(srmap("convert", weights, "-o", "int8.safetensors", "--precision", "int8", ...model).status, 0);
    assert.is(srmap("convert", weights, "-o", "f32.safetensors", "--precision", "f32", ...model).status, 0);
    const green = correlations("--weights", "int8.safetensors");
    assert.ok(
      green.every((correlation) => correlation > 0.95),
      `int8: ${green}`,
    );
    perturb("f32.safetensors", "other.safetensors", 0.5);
    const run = srmap(
      "check",
      "attention.json",
      ...photos,
      "--weights",
      "other.safetensors",
      "--junit",
      "report.xml",
      "--html",
      "page/report.html",
    );
    assert.is(run.status, 1, run.stdout);
    assert.match(run.stdout, /^FAIL (cat|coffee)\.jpg: (attention moved|the prediction changed)/);
    const xml = readFileSync(join(folder, "report.xml"), "utf8");
    assert.match(xml, /<testsuite name="srmap check" tests="2" failures="[12]" errors="0">/);
    const page = readFileSync(join(folder, "page/report.html"), "utf8");
    assert.ok(page.includes("In the differences red has more attention now"));
    assert.ok(!/(src|href)="(?!data:)/.test(page));
  });

  test("goes red when colours are swapped, and when a watermark draws relevance onto a forbidden region", async () => {
    const network = await loadNetwork("vgg-mini");
    const settings = { network, composite: "epsilonPlus", settings: resolveSalientRelevanceOptions({}) };
    const photo = decodeImage(readFileSync(join(folder, "coffee.jpg")));
    const { width, height } = photo;
    const { preprocessing } = network.definition;
    assert.ok(preprocessing);
    const before = attend("coffee.jpg", "", photo, undefined, settings);
    const thresholds = { minCorrelation: 0.9, maxInsideLoss: 0.1, maxForbidden: 0.05, mayPredictionChange: false };
    const bgr = { ...settings, preprocessing: { ...preprocessing, channelOrder: "bgr" as const } };
    const swapped = attend("coffee.jpg", "", photo, undefined, bgr);
    const { failures, correlation } = compareAttention(before, swapped, thresholds);
    assert.ok(failures.length > 0, `correlation ${correlation}`);

    // Stripes in the upper left corner of what is seen, where the table is dark.
    const marked = { width, height, data: photo.data.slice() };
    const forbidden = createImage(width, height);
    for (let y = Math.floor(0.02 * height); y < 0.27 * height; y++) {
      for (let x = Math.floor(0.02 * width); x < 0.27 * width; x++) {
        const at = 4 * (y * width + x);
        forbidden.data.fill(255, at, at + 3);
        marked.data.fill((x + y) % 16 < 8 ? 255 : 0, at, at + 3);
      }
    }
    const strict = { ...thresholds, minCorrelation: -1, mayPredictionChange: true };
    const clean = attend("coffee.jpg", "", photo, undefined, { ...settings, forbidden });
    const dirty = attend("coffee.jpg", "", marked, undefined, { ...settings, forbidden });
    assert.ok((clean.forbidden ?? 1) < (dirty.forbidden ?? 0), `${clean.forbidden} ${dirty.forbidden}`);
    const limit = { ...strict, maxForbidden: ((clean.forbidden ?? 0) + (dirty.forbidden ?? 0)) / 2 };
    assert.equal(compareAttention(before, clean, limit).failures, []);
    assert.match(compareAttention(before, dirty, limit).failures[0] ?? "", /^relevance on the forbidden region: /);
  });

  test("renamed photos are found by their bytes; missing, new and broken ones get a sentence each", () => {
    cpSync(join(folder, "coffee.jpg"), join(folder, "renamed.jpg"));
    assert.is(srmap("check", "attention.json", "cat.jpg", "renamed.jpg").status, 0);
    writeFileSync(join(folder, "broken.jpg"), "no photo");
    writeFileSync(join(folder, "new.png"), encodePng(createImage(32, 32, [9, 9, 9])));
    const run = srmap("check", "attention.json", "cat.jpg", "new.png", "broken.jpg");
    assert.is(run.status, 1);
    const lines = run.stdout.split("\n");
    assert.is(lines[0], "FAIL coffee.jpg: was recorded and is not among the photos.");
    assert.is(lines[1], "FAIL new.png: was not recorded. Write the attention file again with it.");
    assert.match(lines[2] ?? "", /^FAIL broken\.jpg: /);
    assert.is(lines[3], "1 of 4 photos pass, 1 with the same map byte for byte.");
  });

  test("files that are none, of another version or another network are refused in a sentence", () => {
    const refused = (content: string, ...args: string[]): string => {
      writeFileSync(join(folder, "wrong.json"), content);
      return srmap("check", "wrong.json", "cat.jpg", ...args).stderr;
    };
    assert.is(refused("x"), "srmap: attention file wrong.json: is no JSON. Write it with srmap check --write.\n");
    assert.is(refused("{}"), "srmap: attention file wrong.json: is none. Write it with srmap check --write.\n");
    assert.is(
      refused('{"attention":9}'),
      "srmap: attention file wrong.json: is of version 9, this srmap reads version 1. Write it again with srmap check --write.\n",
    );
    assert.is(
      refused('{"attention":1}'),
      "srmap: attention file wrong.json: is damaged. Write it again with srmap check --write.\n",
    );
    const recorded = readFileSync(join(folder, "attention.json"), "utf8");
    assert.is(
      refused(recorded, "-m", "squeezenet1_1-caffe"),
      "srmap: attention file wrong.json: is of a network with 10 classes, squeezenet1_1-caffe has 1000. Write it again with srmap check --write.\n",
    );
  });
});
