import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import * as assert from "uvu/assert";
import { columnOf } from "../../cli/compare/composites.ts";
import { comparisonPage } from "../../cli/compare/page.ts";
import type { Summary } from "../../cli/compare/summary.ts";
import { themes } from "../../cli/drawing/theme.ts";
import { explain } from "../../engine/explain.ts";
import { createImage } from "../../engine/picture/image.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { fixturePath } from "../support/fixtures.ts";
import { root } from "../support/paths.ts";
import { srmap } from "../support/run-cli.ts";
import { writeSeededWeights } from "../support/seeded-weights.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-compare-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const photos = join(folder, "photos");
mkdirSync(photos);
for (const name of ["cat.jpg", "coffee.jpg"]) copyFileSync(join(root, "examples", name), join(photos, name));
const other = join(folder, "other.safetensors");
writeSeededWeights(other, "squeezenet1_1", 1);
const fast = ["--sr", "workSize=60"];

const twoModels = ["--models", "alexnet-mini,squeezenet1_1", "--weights", `squeezenet1_1=${other}`, ...fast];

function labelsFile(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

suite("cli/compare", (test) => {
  test("composites side by side: one sheet and its numbers per photo", async () => {
    const out = join(folder, "composites");
    const run = await srmap(
      "compare",
      photos,
      "--model",
      "alexnet-mini",
      "--composites",
      "li2019,epsilonPlus",
      "--out",
      out,
      ...fast,
    );
    assert.is(run.err, "");
    assert.is(run.code, 0);
    for (const name of ["cat", "coffee"]) {
      const sheet = PNG.sync.read(readFileSync(join(out, name, "compare.png")));
      assert.ok(sheet.width > 3 * 448, "photo and two columns of tiles");
      const report = JSON.parse(readFileSync(join(out, name, "compare.json"), "utf8")) as {
        model: string;
        composites: { composite: { name: string }; relevanceSum: number }[];
      };
      assert.is(report.model, "alexnet-mini");
      assert.equal(
        report.composites.map(({ composite }) => composite.name),
        ["li2019", "epsilonPlus"],
      );
    }
    assert.match(run.out, /by 2 composites; wrote .*compare\.png\n/);
  });

  test("networks side by side: who is right, sheets, page and summary", async () => {
    const out = join(folder, "models");
    // What alexnet-mini says of the cat is wrong, but it is a class of both networks, and labels are what is compared with.
    const asked = await srmap("compare", join(photos, "cat.jpg"), ...twoModels, "--out", out, "--json");
    const said = (JSON.parse(asked.out) as Summary).found[0]?.verdicts[0]?.label ?? "";
    const labels = labelsFile("labels.json", {
      "cat.jpg": said.toUpperCase().replaceAll(" ", "_"),
      "coffee.jpg": "espresso",
    });
    const run = await srmap("compare", photos, ...twoModels, "--labels", labels, "--out", out);
    assert.is(run.code, 0, run.err);
    const summary = JSON.parse(readFileSync(join(out, "summary.json"), "utf8")) as Summary;
    assert.is(summary.photos, 1);
    assert.equal(
      summary.models.map(({ model, right, accuracy }) => [model, right, accuracy]),
      [
        ["alexnet-mini", 1, 1],
        ["squeezenet1_1", 0, 0],
      ],
    );
    assert.equal(summary.leftOut, [{ file: "coffee.jpg", reason: 'alexnet-mini does not know the class "espresso"' }]);
    assert.equal(
      summary.found.map(({ file, sheet }) => [file, sheet]),
      [["cat.jpg", "cat.png"]],
    );
    assert.ok(existsSync(join(out, "cat.png")));
    const page = readFileSync(join(out, "index.html"), "utf8");
    assert.match(
      page,
      /<img src="cat\.png" alt="[^"]+alexnet-mini says [^"]+, right; squeezenet1_1 says [^"]+, wrong\."/,
    );
    assert.not.match(page, /https?:/);
  });

  test("without labels, photos on which the networks disagree; --limit bounds the sheets", async () => {
    const out = join(folder, "unlabelled");
    const run = await srmap("compare", photos, ...twoModels, "--limit", "1", "--out", out);
    assert.is(run.code, 0, run.err);
    const summary = JSON.parse(readFileSync(join(out, "summary.json"), "utf8")) as Summary;
    assert.is(summary.photos, 2);
    assert.is(summary.found.length + summary.agreed, 2);
    assert.is(summary.found.filter(({ sheet }) => sheet !== undefined).length, Math.min(1, summary.found.length));
    assert.ok(summary.models.every(({ right }) => right === undefined));
  });

  test("old and new weights of one network, with names of one's own", async () => {
    const out = join(folder, "old-new");
    const newer = join(folder, "newer.safetensors");
    writeSeededWeights(newer, "squeezenet1_1", 2);
    const files = ["--weights", `before=${other}`, "--weights", newer, "--model", "squeezenet1_1"];
    const run = await srmap("compare", photos, ...files, "--out", out, ...fast);
    assert.is(run.code, 0, run.err);
    const summary = JSON.parse(readFileSync(join(out, "summary.json"), "utf8")) as Summary;
    assert.equal(
      summary.models.map(({ model, weights }) => [model, weights.file]),
      [
        ["before", "other.safetensors"],
        ["squeezenet1_1", "newer.safetensors"],
      ],
    );
    const unnamed = await srmap("compare", photos, "--weights", other, ...files.slice(2), "--out", out, ...fast);
    assert.is(unnamed.code, 0, unnamed.err);
    assert.match(readFileSync(join(out, "index.html"), "utf8"), /<h1>other\.safetensors and newer\.safetensors: /);
  });

  test("three networks, two of them from files that describe themselves, photos prepared alike, rules from a file", async () => {
    const out = join(folder, "three");
    const rules = labelsFile("mine.json", {
      assignments: [
        { match: { op: "conv2d" }, rule: "zPlus" },
        { match: { op: "batchNorm" }, rule: "zPlus" },
        { match: { op: "dense" }, rule: "epsilon" },
      ],
    });
    const [caffe, onnx, keras] = ["caffe-v2.caffemodel", "onnx-made.onnx", "keras/keras3-functional.h5"].map(
      fixturePath,
    );
    const run = await srmap(
      ...["compare", photos, "--weights", caffe ?? "", "--weights", onnx ?? "", "--weights", `k=${keras}`],
      ...["--preprocess", "torchvision", "--composite", rules, "--out", out, ...fast],
    );
    assert.is(run.code, 0, run.err);
    const summary = JSON.parse(readFileSync(join(out, "summary.json"), "utf8")) as Summary;
    assert.equal(
      summary.models.map(({ model }) => model),
      ["small-caffe", "onnx-made.onnx", "k"],
    );
    assert.is(summary.composite, "mine");
    assert.is(summary.photos, 2);
    assert.ok(summary.found.every(({ verdicts }) => verdicts.length === 3));
    const refused = await srmap("compare", photos, "--weights", caffe ?? "", "--weights", onnx ?? "", "--out", out);
    assert.match(refused.err, /^srmap: weights "caffe-v2\.caffemodel": the file does not say how photos are prepared/);
    const composites = await srmap(
      ...["compare", join(photos, "cat.jpg"), "--weights", onnx ?? "", "--preprocess", "torchvision"],
      ...["--composites", `li2019,${rules}`, "--out", out, ...fast],
    );
    assert.is(composites.code, 0, composites.err);
    const report = JSON.parse(readFileSync(join(out, "compare.json"), "utf8"));
    assert.equal(
      report.composites.map(({ composite }: { composite: { name: string } }) => composite.name),
      ["li2019", "mine"],
    );
  });

  test("labels with ImageNet indices", async () => {
    const labels = labelsFile("indices.json", { "cat.jpg": { index: 281 }, "coffee.jpg": { index: 0, name: "tench" } });
    const run = await srmap(
      "compare",
      photos,
      ...twoModels,
      "--labels",
      labels,
      "--limit",
      "0",
      "--json",
      "-o",
      folder,
    );
    const { photos: count, leftOut } = JSON.parse(run.out) as Summary;
    assert.is(count, 1);
    assert.equal(leftOut, [{ file: "cat.jpg", reason: 'alexnet-mini does not know the class "tabby"' }]);
  });

  test("a column whose maps are empty says so", async () => {
    const network = await loadNetwork("vgg-mini");
    const explanation = explain(network, createImage(224, 224, [0, 0, 0]));
    const empty = { ...explanation, relevance: { ...explanation.relevance, data: new Float32Array(3 * 224 * 224) } };
    assert.equal(columnOf(empty, "vgg-mini", ["golf ball"], themes.light).lines, [
      "golf ball",
      "empty maps: no relevance",
    ]);
    const one = { ...empty, relevance: { ...empty.relevance, data: empty.relevance.data.with(7, 1) } };
    assert.equal(columnOf(one, "vgg-mini", ["golf ball"], themes.light).lines, ["golf ball"]);
  });

  test("a folder without photos, and labels that are no JSON or not there", async () => {
    const bare = join(folder, "bare");
    mkdirSync(bare);
    const labels = labelsFile("broken.json", '{"cat.jpg": "tench"');
    for (const [args, code, message] of [
      [[bare], 1, `${bare}: there is no photo or .npy file in this folder.`],
      [[bare, ...twoModels], 1, `srmap: ${bare}: there is no photo or .npy file in this folder.`],
      [[photos, ...twoModels, "--labels", labels], 1, `srmap: labels ${labels}: `],
      [[photos, ...twoModels, "--labels", `${labels}.not`], 1, `srmap: labels ${labels}.not: there is no such file`],
    ] as const) {
      const run = await srmap("compare", ...args, "--out", join(folder, "nothing"));
      assert.is(run.code, code, run.err);
      assert.ok(run.err.startsWith(message), run.err);
      assert.not(existsSync(join(folder, "nothing")), "no output of a run that is refused");
    }
  });

  test("names in the page are escaped", () => {
    const evil = '<img src=x onerror="alert(1)">&.jpg';
    const verdict = { label: evil, logit: 1, probability: 0.5, isRight: undefined };
    const score = { model: evil, weights: { file: "f", sha256: "" }, right: undefined, accuracy: undefined };
    const page = comparisonPage({
      srmap: "1",
      composite: "li2019",
      photos: 1,
      models: [score, score],
      agreed: 0,
      agreement: 0,
      found: [{ file: evil, label: undefined, verdicts: [verdict, verdict], sheet: "a b.png" }],
      leftOut: [{ file: evil, reason: evil }],
    });
    assert.not.match(page, /<img src=x/);
    assert.match(page, /src="a%20b\.png"/);
  });

  test("mistakes are refused before any work", async () => {
    const refused: readonly (readonly [readonly string[], string])[] = [
      [[], 'compare needs a photo: srmap compare PHOTO. See "srmap help compare".'],
      [[photos, "--composites", "li2019,epsilonPlos"], 'composite "epsilonPlos": unknown. Did you mean "epsilonPlus"?'],
      [[photos, "--composites", "li2019,li2019"], '--composites has "li2019" twice.'],
      [[photos, "--labels", "x"], '--labels cannot be used where composites are compared. See "srmap help compare".'],
      [[photos, "--models", "alexnet-mini"], "--models needs two names or more: --models a,b, got 1."],
      [[photos, "--models", "alexnet-mini,vgg"], 'model "vgg": unknown. Known are'],
      [
        [photos, ...twoModels, "--composites", "li2019"],
        '--composites cannot be used where networks are compared. See "srmap help compare".',
      ],
      [[photos, ...twoModels, "--model", "vgg16"], '--model cannot be used with --models. See "srmap help compare".'],
      [[photos, "--weights", other, "--weights", other], `--weights ${other} was given twice.`],
      [
        [photos, "--weights", other, "--weights", "b", "--target", "1"],
        "--target cannot be used where networks are compared.",
      ],
      [
        [photos, "--models", "alexnet-mini,squeezenet1_1", "--weights", other],
        "--weights must name its network, one of --models: --weights alexnet-mini=FILE",
      ],
      [[photos, ...twoModels, "--limit", "-1"], '--limit must be a whole number from 0, got "-1".'],
      [[photos, "--model", "alexnet-mini", "--target", "tabby"], 'target "tabby": no class has this name.'],
    ];
    for (const [args, message] of refused) {
      const { code, err } = await srmap("compare", ...args);
      assert.is(code, 2, `${args.join(" ")}: ${err}`);
      assert.ok(err.startsWith(`srmap: ${message}`), err);
    }
    for (const [name, content, message] of [
      ["list.json", [], 'must be an object of file names, {"photo.jpg": "tench"}.'],
      ["number.json", { "cat.jpg": 5 }, '"cat.jpg" must have a class name ("tench") or an ImageNet index'],
      ["beyond.json", { "cat.jpg": { index: 1000 } }, '"cat.jpg" must have a class name'],
    ] as const) {
      const path = labelsFile(name, content);
      const { code, err } = await srmap("compare", photos, ...twoModels, "--labels", path);
      assert.is(code, 1);
      assert.ok(err.startsWith(`srmap: labels ${path}: ${message}`), err);
    }
  });
});
