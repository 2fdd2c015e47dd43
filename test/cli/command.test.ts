import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { tensor } from "../../engine/basics/tensor.ts";
import { modelByName } from "../../engine/models/index.ts";
import { preprocess } from "../../engine/picture/preprocess.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { parseNpy, writeNpy } from "../../weights-loader/numpy/npy.ts";
import { root } from "../support/paths.ts";
import { rng } from "../support/rng.ts";
import { writeSeededWeights } from "../support/seeded-weights.ts";
import { suite } from "../support/suite.ts";

interface Run {
  code: number;
  out: string;
  err: string;
}

const cli = join(root, "build/cli/main.js");
const model = "squeezenet1_1";
const cat = join(root, "examples/cat.jpg");
const goldenImages = join(root, "test/golden/images");
// A small Salient Relevance step: these tests are about the command.
const fast = ["--sr", "workSize=60"];
const explanationFileNames = [
  "explanation.json",
  "logits.npy",
  "overlay.png",
  "panel.png",
  "relevance.npy",
  "relevance.png",
  "salient-relevance.npy",
  "salient-relevance.png",
];

const folder = mkdtempSync(join(tmpdir(), "srmap-cli-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const weights = join(folder, "weights.safetensors");
writeSeededWeights(weights, model, 1);

function srmap(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const env = { ...process.env, SRMAP_CACHE: join(folder, "no-cache") }; // what this machine's user fetched must not matter
    execFile(process.execPath, [cli, ...args], { cwd: folder, env }, (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, out, err });
    });
  });
}

/** `srmap explain` with this file's model and weights. */
function explain(...args: string[]): Promise<Run> {
  return srmap("explain", "--model", model, "--weights", weights, ...fast, ...args);
}

/** Exit code, and one line on stderr that is told word for word. */
function assertRefused(run: Run, code: number, message: string): void {
  assert.equal({ code: run.code, err: run.err, out: run.out }, { code, err: `${message}\n`, out: "" });
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

suite("cli/command", (test) => {
  test("help, version and mistakes in the command line", async () => {
    const help = await srmap("--help");
    assert.is(help.code, 0);
    assert.match(help.out, /explain .*\n {2}compare .*\n {2}salient .*\n[\s\S]* {2}rules /);
    assert.is((await srmap("help", "explain")).out, (await srmap("explain", "--help")).out);
    assert.match(
      (await srmap("help", "explain")).out,
      /Usage: srmap explain PHOTO\.\.\. \[--model NAME\] \[--weights FILE\]/,
    );
    for (const name of ["explain", "salient"]) {
      const { out } = await srmap("help", name);
      assert.ok(
        out.split("\n").every((line) => line.length <= 86),
        `help ${name} is too wide`,
      );
    }
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    assert.is((await srmap("--version")).out, `${version}\n`);
    assert.is((await srmap()).code, 2);

    assertRefused(await srmap("expalin"), 2, 'srmap: unknown command "expalin". Did you mean "explain"?');
    assertRefused(await srmap("--verson"), 2, 'srmap: unknown option "--verson". See "srmap --help".');
    assertRefused(
      await explain(cat, "--composit", "x"),
      2,
      'srmap: unknown option --composit. Did you mean "--composite"?',
    );
    assertRefused(await explain(cat, "--quiet"), 2, 'srmap: unknown option --quiet. See "srmap help explain".');
    assertRefused(await explain(cat, "--target"), 2, "srmap: option --target needs a value: --target TARGET.");
    assertRefused(await explain(cat, "--out", "--json"), 2, "srmap: option --out needs a value: --out DIR.");
    assertRefused(await explain(cat, "--json=yes"), 2, 'srmap: option --json takes no value, got "yes".');
    assertRefused(await explain(cat, "--model", "vgg16"), 2, "srmap: option --model was given twice.");
    assertRefused(
      await explain(cat, "--sr", "stride"),
      2,
      'srmap: --sr needs NAME=VALUE, for example --sr neighbours=32, got "stride".',
    );
    assertRefused(
      await explain(cat, "--sr", "neighbors=3"),
      2,
      'srmap: --sr: there is no setting "neighbors". Did you mean "neighbours"?',
    );
    assertRefused(
      await explain(cat, "--sr", "stride=0"),
      2,
      "srmap: salient relevance: stride must be a whole number from 1 to 4096, got 0.",
    );
    assertRefused(
      await explain(cat, "--feature", "rgb"),
      2,
      'srmap: salient relevance: feature must be one of auto, lab, gray, got "rgb".',
    );
    assertRefused(await explain(), 2, 'srmap: explain needs a photo: srmap explain PHOTO. See "srmap help explain".');
    assertRefused(
      await srmap("explain", cat, "--model", model),
      2,
      `srmap: --model ${model} needs --weights: a file of its trained weights. "srmap fetch ${model}" downloads the official one, which is then found by itself.`,
    );
  });

  test("unknown names offer the nearest one", async () => {
    const run = await srmap("explain", cat, "--model", "squeezenet11", "--weights", weights);
    assert.is(run.code, 2);
    assert.match(run.err, /^srmap: model "squeezenet11": unknown\. Did you mean "squeezenet1_1"\? .*\n$/);
    const target = await explain(cat, "--target", "goldfsh");
    assert.is(target.code, 2);
    assert.match(target.err, /^srmap: target "goldfsh": no class has this name\. Did you mean "goldfish"\? .*\n$/);
    const composite = await explain(cat, "--composite", "epsilonplus2");
    assert.is(composite.code, 2);
    assert.match(composite.err, /^srmap: composite "epsilonplus2": unknown\. Did you mean "epsilonPlus"\? .*\n$/);
    assert.ok(!existsSync(join(folder, "srmap-out")), "nothing was written");
  });

  test("one photo: the folder gets every file, and the report tells the truth", async () => {
    const out = join(folder, "one");
    const run = await explain(cat, "--out", out, "--target", "Golden Retriever");
    assert.equal([run.code, run.err], [0, ""]);
    assert.match(run.out, /explained: golden retriever \(class 207\)\n {2}relevance: for \+.* % for\)\n {2}wrote /);
    assert.equal(readdirSync(out), explanationFileNames);
    const report = JSON.parse(readFileSync(join(out, "explanation.json"), "utf8"));
    assert.is(report.model, model);
    assert.is(report.weights.sha256, sha256(readFileSync(weights)));
    assert.is(report.input.sha256, sha256(readFileSync(cat)));
    assert.equal([report.input.width, report.input.height], [451, 300]);
    assert.equal([report.target.requested, report.target.index], ["Golden Retriever", 207]);
    assert.is(report.top.length, 5);
    assert.is(report.composite.name, "epsilonPlus");
    assert.is(report.salientRelevance.workSize, 60);
    assert.ok(report.ledger.length > 20);
    const shapes: Record<string, number[]> = {
      "logits.npy": [1000],
      "relevance.npy": [3, 224, 224],
      "salient-relevance.npy": [224, 224],
    };
    for (const [name, shape] of Object.entries(shapes)) {
      const array = parseNpy(readFileSync(join(out, name)), name);
      assert.equal(array.shape, shape);
      const { data } = array;
      assert.is(report.arrays[name].sha256, sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
    }
    for (const [name, width] of [
      ["overlay.png", 224],
      ["relevance.png", 224],
      ["salient-relevance.png", 224],
      ["panel.png", 1004],
    ] as const) {
      assert.is(decodeImage(readFileSync(join(out, name))).width, width, name);
    }
  });

  test("the same call keeps what it wrote before, or makes the same bytes anew", async () => {
    const out = join(folder, "one");
    const before = new Map(explanationFileNames.map((name) => [name, readFileSync(join(out, name))]));
    writeFileSync(join(out, "mine.txt"), "stays");
    const asked = ["--out", out, "--target", "Golden Retriever"];
    assert.match((await explain(cat, ...asked)).out, /kept /);
    assertRefused(
      await explain(cat, "--out", out, "--target", "207"),
      1,
      `srmap: ${out}/ holds results of target Golden Retriever instead of 207. Add --existing replace to make them anew, or choose another --out.`,
    );
    assertRefused(
      await explain(cat, ...asked, "--existing", "error"),
      1,
      `srmap: ${out}/ holds results already, and --existing error refuses that.`,
    );
    assert.match((await explain(cat, ...asked, "--existing", "replace")).out, /wrote /);
    for (const [name, bytes] of before) assert.ok(bytes.equals(readFileSync(join(out, name))), name);
    assert.equal(readdirSync(out), [...explanationFileNames, "mine.txt"].sort());
  });

  test("a preprocessed tensor gives what its photo gives", async () => {
    const definition = modelByName(model);
    const { tensor: input } = preprocess(
      decodeImage(readFileSync(cat)),
      definition.preprocessing,
      definition.inputShape,
    );
    writeFileSync(join(folder, "cat.npy"), writeNpy(input));
    const out = join(folder, "tensor");
    assert.is((await explain("cat.npy", "--out", out, "--target", "207")).code, 0);
    for (const name of ["relevance.npy", "salient-relevance.npy", "logits.npy", "overlay.png"]) {
      assert.ok(readFileSync(join(out, name)).equals(readFileSync(join(folder, "one", name))), name);
    }
    writeFileSync(join(folder, "wrong.npy"), writeNpy(tensor([3, 8, 8], new Float32Array(192))));
    assertRefused(
      await explain("wrong.npy"),
      1,
      `wrong.npy: network "${model}": input must be [3,224,224], got [3,8,8]. Preprocess the photo first.`,
    );
  });

  test("bad photos are told one by one, the others are done, and the summary names the failures", async () => {
    const photos = join(folder, "photos");
    mkdirSync(join(folder, "no-photos"));
    mkdirSync(photos);
    for (const name of [
      "empty.png",
      "text.png",
      "truncated.png",
      "huge-30000.png",
      "two-headers.png",
      "truncated.jpg",
    ]) {
      cpSync(join(goldenImages, "refuse", name), join(photos, name));
    }
    cpSync(join(goldenImages, "refuse/other.heic"), join(photos, "renamed.jpg"));
    cpSync(join(goldenImages, "decode/one-pixel.png"), join(photos, "one-pixel.png"));
    cpSync(cat, join(photos, "good.jpg"));
    const out = join(folder, "several");
    const run = await explain("photos", "missing.jpg", "no-photos", "photos/*.gif", "--out", out);
    assert.is(run.code, 1);
    const bad = [
      "empty.png",
      "huge-30000.png",
      "one-pixel.png",
      "renamed.jpg",
      "text.png",
      "truncated.jpg",
      "truncated.png",
      "two-headers.png",
    ];
    assert.equal(run.err.split("\n"), [
      "photos/empty.png: image: the file is empty. Give a PNG or JPEG photo.",
      "photos/huge-30000.png: PNG: 30000x30000 are 900 megapixels, the limit is 100 megapixels. Scale it down first.",
      "photos/one-pixel.png: the photo has 1x1 pixels, at least 8x8 are needed to explain anything.",
      "photos/renamed.jpg: image: HEIC is not supported. Convert the photo to PNG or JPEG.",
      "photos/text.png: image: the file is neither PNG nor JPEG. Give a PNG or JPEG photo.",
      "photos/truncated.jpg: JPEG: the file is truncated. Get the photo again.",
      'photos/truncated.png: PNG: the file is truncated, chunk "IDAT" needs 1377 more bytes. Get the photo again.',
      "photos/two-headers.png: PNG: there is a second header. The file is damaged.",
      "missing.jpg: there is no such file or folder.",
      "no-photos: there is no photo or .npy file in this folder.",
      "photos/*.gif: no photo or .npy file matches this pattern.",
      "11 of 12 photos failed:",
      ...bad.map((name) => `  photos/${name}`),
      "  missing.jpg",
      "  no-photos",
      "  photos/*.gif",
      "",
    ]);
    assert.equal(
      readdirSync(out),
      ["good.jpg", "index.csv", "index.html", "index.jsonl", "run.json"],
      "failed photos leave nothing",
    );
    assert.equal(readdirSync(join(out, "good.jpg")), explanationFileNames);
    const lines = readFileSync(join(out, "index.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.is(lines.length, 12);
    assert.equal(lines[0].error, "image: the file is empty. Give a PNG or JPEG photo.");
  });

  test("the size limit can be changed", async () => {
    assertRefused(
      await explain(cat, "--max-megapixels", "0.1"),
      1,
      `${cat}: JPEG: 451x300 are 0.135 megapixels, the limit is 0.1 megapixels. Scale it down first.`,
    );
    assertRefused(
      await explain(cat, "--max-megapixels", "many"),
      2,
      'srmap: --max-megapixels must be a number over 0 and at most 1000, got "many".',
    );
  });

  test("--json prints one document, with the failures in it", async () => {
    const run = await explain(cat, "missing.jpg", "--json", "--out", join(folder, "json"));
    assert.is(run.code, 1);
    const document = JSON.parse(run.out);
    assert.equal([document.model, document.composite, document.photos.length], [model, "epsilonPlus", 2]);
    assert.equal(document.photos[0].explanations[0].files.slice().sort(), explanationFileNames);
    assert.is(document.photos[0].top.length, 5);
    assert.equal(document.photos[1], { photo: "missing.jpg", error: "there is no such file or folder." });
  });

  test("bad weights are refused before any photo is read", async () => {
    const bytes = readFileSync(weights);
    const lying = bytes.slice();
    // The first tensor's end moves far behind the file's end: as many characters, so that the header's length stays right.
    const text = lying.subarray(8, 400).toString("latin1");
    const [whole = "", start = "", end = ""] = /\[(\d+),(\d+)\]\}/.exec(text) ?? [];
    lying.write(
      whole.replace(`${start},${end}`, `${start},${"9".repeat(end.length)}`),
      8 + text.indexOf(whole),
      "latin1",
    );
    const nan = bytes.slice();
    nan.writeFloatLE(Number.NaN, nan.length - 400);
    const files: Record<string, Uint8Array> = {
      "truncated.safetensors": bytes.subarray(0, 5000),
      "half.safetensors": bytes.subarray(0, bytes.length / 2),
      "lying.safetensors": lying,
      "nan.safetensors": nan,
      "empty.pth": new Uint8Array(0),
      "text.pth": new TextEncoder().encode("not weights"),
    };
    const out = join(folder, "bad-weights");
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, name), content);
      const run = await srmap("explain", cat, "--model", model, "--weights", name, "--out", out);
      assert.is(run.code, 1, name);
      assert.match(run.err, new RegExp(`^srmap: weights "${name.replace(".", "\\.")}".*\\n$`), name);
    }
    assertRefused(
      await srmap("explain", cat, "--model", model, "--weights", "nope.pth", "--out", out),
      1,
      "srmap: weights nope.pth: there is no such file or folder.",
    );
    const other = await srmap("explain", cat, "--model", "squeezenet1_0", "--weights", weights, "--out", out);
    assert.is(other.code, 1);
    assert.match(other.err, /^srmap: weights "weights.safetensors" do not fit the network: /);
    assert.match(other.err, /\nThey fit "squeezenet1_1" and "squeezenet1_1-caffe": choose the one they belong to\.\n$/);
    assert.ok(!existsSync(out), "nothing was written");
  });

  test("an output folder that cannot be written is told before the work", async () => {
    writeFileSync(join(folder, "file"), "");
    assertRefused(
      await explain(cat, "--out", "file/below"),
      1,
      "srmap: output folder file/below cannot be written: a part of the path is a file, not a folder.",
    );
    assertRefused(
      await explain(cat, "--out", "file"),
      1,
      "srmap: output folder file cannot be written: a part of the path is a file, not a folder.",
    );
  });

  test("srmap salient makes SR maps of maps from anywhere", async () => {
    const random = rng(3);
    const map = tensor([3, 40, 50], random.f32(6000));
    writeFileSync(join(folder, "map.npy"), writeNpy(map));
    writeFileSync(join(folder, "map64.npy"), writeNpy({ shape: map.shape, data: Float64Array.from(map.data) }));
    const out = join(folder, "salient");
    const run = await srmap(
      "salient",
      "map.npy",
      "map64.npy",
      "nope.npy",
      "--out",
      out,
      ...fast,
      "--sr",
      "scales=1,0.5",
    );
    assert.is(run.code, 1);
    assert.is(run.err, "nope.npy: there is no such file or folder.\n1 of 3 maps failed:\n  nope.npy\n");
    const sr = readFileSync(join(out, "map/salient-relevance.npy"));
    assert.equal(parseNpy(sr, "sr").shape, [40, 50]);
    assert.ok(sr.equals(readFileSync(join(out, "map64/salient-relevance.npy"))), "float64 is read as well");
    const report = JSON.parse(readFileSync(join(out, "map/salient-relevance.json"), "utf8"));
    assert.equal(report.settings.scales, [1, 0.5]);
    writeFileSync(join(folder, "hwc.npy"), writeNpy(tensor([40, 50, 3], random.f32(6000))));
    assertRefused(
      await srmap("salient", "hwc.npy", "--out", out),
      1,
      "hwc.npy: map must be [C,H,W] or [H,W], got [40,50,3], which looks like [H,W,C]. Save map.transpose(2, 0, 1) instead.",
    );
    assert.is(
      (await srmap("salient", "map.npy", "--photo", cat, "--out", out, ...fast)).code,
      1,
      "photo of another size",
    );
    assertRefused(
      await srmap("salient", "map.npy", "--photo", "nope.jpg"),
      1,
      "srmap: photo nope.jpg: there is no such file or folder.",
    );
  });
});
