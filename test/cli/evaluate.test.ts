import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { metrics } from "../../cli/evaluate/metrics.ts";
import { imagenetLabels } from "../../engine/labels/imagenet.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { writeNpy } from "../../weights-loader/index.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-evaluate-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const name of ["cat", "coffee"]) cpSync(join(root, `examples/${name}.jpg`), join(folder, `${name}.jpg`));

function srmap(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const main = join(root, "build/cli/main.js");
  return spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: "utf8" });
}

const size = decodeImage(readFileSync(join(folder, "cat.jpg")));

function writeAnnotations(objects: readonly object[]): void {
  const { width, height } = size;
  const document = {
    images: [
      { id: 0, file_name: "cat.jpg", width, height },
      { id: 1, file_name: "missing.jpg", width, height },
    ],
    categories: [
      { id: 281, name: imagenetLabels[281] },
      { id: 1, name: "unheard of" },
    ],
    annotations: objects.map((each, id) => ({ id, image_id: 0, category_id: 281, ...each })),
  };
  writeFileSync(join(folder, "annotations.json"), JSON.stringify(document));
}

const given = ["evaluate", "cat.jpg", "coffee.jpg", "-a", "annotations.json", "-o", "out"];
const few = ["--maps", "epsilonPlus,epsilonPlus:blur=3,gradcam,gaussian", "--metrics", "mass,rank,deletion"];
const budget = ["--budget", "4"];

suite("cli/evaluate", (test) => {
  test("writes three files that agree; a second run takes up what is there and writes the same bytes", () => {
    const bbox = [size.width / 4, size.height / 4, size.width / 2, size.height / 2];
    writeAnnotations([{ bbox }, { bbox, category_id: 1 }, { bbox: [0, 0, 0, 0] }]);
    const first = srmap(...given, ...few, ...budget);
    assert.is(first.status, 0, first.stderr);
    const json = readFileSync(join(folder, "out/evaluation.json"), "utf8");
    const document = JSON.parse(json) as { leftOut: string[]; rows: { maps: Record<string, object> }[] };
    assert.equal(document.leftOut, [
      "annotation 2: its box has no area (0 x 0), left out.",
      'cat.jpg: squeezenet1_1-caffe does not know the class "unheard of".',
      "coffee.jpg: the annotations do not have it.",
      "1 annotated photo was not given.",
    ]);
    assert.equal(Object.keys(document.rows[0]?.maps ?? {}), [
      "epsilonPlus",
      "epsilonPlus:blur=3",
      "gradcam",
      "gaussian",
    ]);
    assert.is(readFileSync(join(folder, "out/evaluation.csv"), "utf8").trim().split("\n").length, 5);
    const page = readFileSync(join(folder, "out/report.html"), "utf8");
    assert.ok(page.includes("<polyline") && !/(src|href)="(?!data:)/.test(page));
    const journal = readFileSync(join(folder, "out/rows.jsonl"), "utf8");
    // A run that was killed in the middle of a line.
    writeFileSync(join(folder, "out/rows.jsonl"), journal.slice(0, -40));
    assert.is(srmap(...given, ...few, ...budget).status, 0);
    assert.is(readFileSync(join(folder, "out/evaluation.json"), "utf8"), json);
    assert.is(readFileSync(join(folder, "out/rows.jsonl"), "utf8"), journal);
  });

  test("every metric that asks the network gives a number; of a map that ignores everything sanity says so", () => {
    const label = "French horn";
    const document = {
      images: [{ id: 0, file_name: "cat.jpg", width: size.width, height: size.height }],
      categories: [{ id: 0, name: label }],
      annotations: [{ id: 0, image_id: 0, category_id: 0, bbox: [0, 0, size.width / 2, size.height] }],
    };
    writeFileSync(join(folder, "horn.json"), JSON.stringify(document));
    const names = [...new Set(Object.keys(metrics))];
    const run = srmap(
      ...["evaluate", "cat.jpg", "-a", "horn.json", "-m", "alexnet-mini", "-o", "horn", "--budget", "3"],
      ...["--maps", "gradcam,gaussian", "--metrics", names.join(",")],
    );
    assert.is(run.status, 0, run.stderr);
    const { rows } = JSON.parse(readFileSync(join(folder, "horn/evaluation.json"), "utf8")) as {
      rows: { maps: Record<string, Record<string, { value: number | null; curve?: number[] }>> }[];
    };
    const { gradcam = {}, gaussian = {} } = rows[0]?.maps ?? {};
    assert.equal(Object.keys(gradcam), names);
    for (const name of names) assert.ok(Number.isFinite(gradcam[name]?.value), `${name}: ${gradcam[name]?.value}`);
    // A map that never looks at network, class or photo.
    for (const name of ["cascade", "cascade-ssim", "layers", "layers-ssim", "random-logit"]) {
      assert.ok(Math.abs((gaussian[name]?.value ?? 0) - 1) < 1e-9, name);
    }
    assert.is(gaussian["max-sensitivity"]?.value, 0);
    // Eight layers with parameters, and the trained network itself before them.
    assert.is(gradcam["cascade"]?.curve?.length, 9);
    const [first] = gradcam["cascade"]?.curve ?? [];
    assert.is(first, 1);
    assert.ok((gradcam["cascade"]?.value ?? 1) < 0.9, `${gradcam["cascade"]?.value}`);
  });

  test("maps from elsewhere count by the photo's name; missing, NaN, constant and misshapen ones get a sentence", () => {
    mkdirSync(join(folder, "maps"));
    const photos = ["cat.jpg", "nan.jpg", "flat.jpg", "small.jpg", "none.jpg"];
    for (const name of photos.slice(1)) cpSync(join(folder, "cat.jpg"), join(folder, name));
    const { width, height } = size;
    const document = {
      images: photos.map((file_name, id) => ({ id, file_name, width, height })),
      categories: [{ id: 0, name: "French horn" }],
      annotations: photos.map((_, id) => ({ id, image_id: id, category_id: 0, bbox: [0, 0, width / 2, height] })),
    };
    writeFileSync(join(folder, "maps.json"), JSON.stringify(document));
    // The left half is the object.
    const left = Float32Array.from({ length: 224 * 224 }, (_, i) => Number(i % 224 < 112));
    const write = (name: string, shape: readonly number[], data: Float32Array): void =>
      writeFileSync(join(folder, "maps", name), writeNpy({ shape, data }));
    write("cat.npy", [224, 224], left);
    write(
      "nan.jpg.npy",
      [224, 224],
      left.map((value, i) => (i === 7 ? Number.NaN : value)),
    );
    write(
      "flat.npy",
      [224, 224],
      left.map(() => 2),
    );
    write("small.npy", [9, 9], new Float32Array(81));
    const run = srmap(
      ...["evaluate", ...photos, "-a", "maps.json", "-m", "alexnet-mini", "-o", "given"],
      ...["--maps", "npy:maps,gaussian", "--metrics", "mass,rank,max-sensitivity"],
    );
    assert.is(run.status, 0, run.stderr);
    const { rows, leftOut } = JSON.parse(readFileSync(join(folder, "given/evaluation.json"), "utf8")) as {
      leftOut: string[];
      rows: { maps: Record<string, Record<string, { value: number | null }> | undefined> }[];
    };
    assert.equal(leftOut, [
      "nan.jpg, npy:maps: map: values must be finite, got NaN at pixel 7. Check how it was made.",
      "flat.jpg, npy:maps: the map is constant, so that it says nothing.",
      "small.jpg, npy:maps: small.npy must be a map of 224x224 pixels, got [9,9].",
      "none.jpg, npy:maps: there is no none.npy.",
    ]);
    assert.equal(rows[0]?.maps["npy:maps"], {
      mass: { value: 1 },
      rank: { value: 1 },
      "max-sensitivity": { value: null },
    });
    assert.is(rows[2]?.maps["npy:maps"]?.["rank"]?.value, 0.5);
    assert.ok(rows.every(({ maps }) => (maps["gaussian"]?.["mass"]?.value ?? 0) > 0));
  });

  test("two processes give the bytes of one, and the sentences", () => {
    const { width, height } = size;
    const photos = ["cat.jpg", "nan.jpg", "flat.jpg", "broken.jpg"];
    writeFileSync(join(folder, "broken.jpg"), "no photo");
    const document = {
      images: photos.map((file_name, id) => ({ id, file_name, width, height })),
      categories: [{ id: 0, name: "French horn" }],
      annotations: photos.map((_, id) => ({ id, image_id: id, category_id: 0, bbox: [0, 0, width / 2, height] })),
    };
    writeFileSync(join(folder, "jobs.json"), JSON.stringify(document));
    const run = (jobs: string): { text: string; stderr: string } => {
      const few = ["--maps", "epsilonPlus,gaussian", "--metrics", "mass,deletion", "--budget", "2", "--jobs", jobs];
      const made = srmap("evaluate", ...photos, "-a", "jobs.json", "-m", "alexnet-mini", "-o", `jobs${jobs}`, ...few);
      assert.is(made.status, 1);
      return { text: readFileSync(join(folder, `jobs${jobs}`, "evaluation.json"), "utf8"), stderr: made.stderr };
    };
    const one = run("1");
    assert.equal(run("2"), one);
    assert.is(one.stderr, "broken.jpg: image: the file is neither PNG nor JPEG. Give a PNG or JPEG photo.\n");
  });

  test("pixels go to what --baseline says", () => {
    const area = (...args: string[]): string => {
      const few = ["evaluate", "cat.jpg", "-a", "horn.json", "-m", "alexnet-mini", "--budget", "2"];
      const run = srmap(...few, ...["--maps", "gaussian", "--metrics", "deletion", "-o", "baseline"], ...args);
      return run.stdout.split("\n")[1] ?? run.stderr;
    };
    const found = ["mean", "blur", "noise", "linear"].map((kind) => area("--baseline", kind));
    assert.is(new Set(found).size, 4, found.join());
    assert.is(area(), found[0]);
  });

  test("wrong words are refused in a sentence before anything is read", () => {
    const refused = (...args: string[]): string => srmap(...given, ...args).stderr.split("\n")[0] ?? "";
    assert.is(
      refused("--maps", "epsilonPlus:nice"),
      'srmap: --maps epsilonPlus:nice: there is no kind "nice" of map. Known are |R| (or abs), pos, blur or blur=SIGMA, sr, sr*blur.',
    );
    assert.match(
      refused("--metrics", "beauty"),
      /^srmap: --metrics: there is no metric "beauty"\. Known are pointing, /,
    );
    assert.is(refused("--baseline", "grey"), 'srmap: --baseline must be one of mean, blur, noise, linear, got "grey".');
    assert.is(refused("--seed", "1.5"), 'srmap: --seed must be a whole number from 0 to 2147483648, got "1.5".');
    assert.is(refused("--limit", "0"), 'srmap: --limit must be a whole number from 1, got "0".');
    assert.is(refused("--max-area", " "), 'srmap: --max-area must be a number from 0 to 1, got " ".');
    assert.is(
      srmap("evaluate", "cat.jpg").stderr.split("\n")[0],
      "srmap: evaluate needs --annotations FILE: where the objects are.",
    );
  });

  test("a folder without photos is called that", () => {
    mkdirSync(join(folder, "empty"));
    writeFileSync(join(folder, "annotations.json"), JSON.stringify({ images: [], categories: [], annotations: [] }));
    const run = srmap("evaluate", "empty", "-a", "annotations.json", "-o", "out");
    assert.is(run.stderr, "srmap: empty: there is no photo or .npy file in this folder.\n");
    assert.is(run.status, 1);
  });

  test("annotations of other photos end it with a sentence", () => {
    writeFileSync(join(folder, "annotations.json"), JSON.stringify({ images: [], categories: [], annotations: [] }));
    const run = srmap(...given);
    assert.is(run.stderr, "srmap: none of the 2 photos is in the annotations annotations.json.\n");
    assert.is(run.status, 1);
  });
});
