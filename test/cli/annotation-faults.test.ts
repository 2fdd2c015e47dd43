import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { encodePng } from "../../cli/drawing/png.ts";
import { createImage } from "../../engine/picture/image.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// Each fault gets its sentence, word for word, and the photos without a fault are done all the same.
const folder = mkdtempSync(join(tmpdir(), "srmap-annotation-faults-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

function srmap(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(root, "build/cli/main.js"), ...args], { cwd: folder, encoding: "utf8" });
}

const [width, height] = [64, 48];

function writePhoto(path: string): void {
  const image = createImage(width, height, [90, 120, 60]);
  for (let i = 0; i < width * height; i++) if (i % width < 24) image.data.set([240, 230, 40], 4 * i);
  writeFileSync(join(folder, path), encodePng(image));
}

interface Written {
  readonly leftOut: readonly string[];
  readonly rows: readonly { readonly photo: string }[];
}

function evaluated(out: string): Written {
  return JSON.parse(readFileSync(join(folder, out, "evaluation.json"), "utf8")) as Written;
}

const few = ["-m", "squeezenet1_1-caffe", "--maps", "epsilonPlus,gaussian", "--metrics", "mass"];

suite("cli/annotation-faults", (test) => {
  mkdirSync(join(folder, "photos/again"), { recursive: true });
  const names = ["good", "crowd", "outside", "empty", "unknown", "wide", "cropped", "alone"];
  for (const name of names) writePhoto(`photos/${name}.png`);
  writePhoto("photos/again/good.png");
  writeFileSync(join(folder, "photos/broken.png"), "no photo");

  test("evaluate with COCO's JSON", () => {
    const box = [4, 4, 30, 30];
    const categories = [
      { id: 0, name: "hen" },
      { id: 1, name: "unicorn" },
    ];
    const annotated = ["good", "crowd", "outside", "empty", "unknown", "wide", "cropped", "broken", "elsewhere"];
    const images = annotated.map((name, id) => ({ id, file_name: `${name}.png`, width, height }));
    const faults: Readonly<Record<string, object>> = {
      crowd: { iscrowd: 1 },
      outside: { bbox: [70, 5, 9, 9] },
      empty: { bbox: [5, 5, 0, 9] },
      unknown: { category_id: 1 },
      cropped: { bbox: [10, 10, 0.01, 0.01] },
    };
    const annotations = annotated.map((name, id) => ({
      ...{ id, image_id: id, category_id: 0, bbox: box },
      ...faults[name],
    }));
    const wide = images.map((image) => (image.file_name === "wide.png" ? { ...image, width: 2 * width } : image));
    writeFileSync(join(folder, "coco.json"), JSON.stringify({ images: wide, categories, annotations }));
    const run = srmap("evaluate", "photos", "photos/again/good.png", "-a", "coco.json", "-o", "coco", ...few);
    assert.is(run.status, 1, run.stderr);
    const { rows, leftOut } = evaluated("coco");
    assert.equal(
      rows.map(({ photo }) => photo),
      ["good.png"],
    );
    assert.equal(leftOut, [
      'annotation 2: its box lies outside "outside.png", left out.',
      "annotation 3: its box has no area (0 x 9), left out.",
      "alone.png: the annotations do not have it.",
      "crowd.png: 1 crowd region, which count as no object.",
      "crowd.png: no object is left in its annotations.",
      "empty.png: no object is left in its annotations.",
      "outside.png: no object is left in its annotations.",
      'unknown.png: squeezenet1_1-caffe does not know the class "unicorn".',
      "photos/again/good.png: another photo of this name was given, left out.",
      "1 annotated photo was not given.",
      "broken.png: image: the file is neither PNG nor JPEG. Give a PNG or JPEG photo.",
      'cropped.png: "hen" was cropped away whole, or is smaller than a pixel of the network\'s input.',
      'wide.png: annotations of "wide.png": are for 128x48 pixels, the photo has 64x48. Annotate this photo, or give the one that was annotated.',
    ]);
  });

  test("evaluate with masks of another size, or damaged", () => {
    mkdirSync(join(folder, "masks"));
    writeFileSync(join(folder, "masks/classes.txt"), "255 hen\n");
    writeFileSync(join(folder, "masks/good.png"), encodePng(createImage(width, height, [255, 255, 255])));
    writeFileSync(join(folder, "masks/wide.png"), encodePng(createImage(width, 20, [255, 255, 255])));
    writeFileSync(join(folder, "masks/crowd.png"), encodePng(createImage(width, height, [9, 9, 9])));
    writeFileSync(join(folder, "masks/empty.png"), "no mask");
    const photos = ["good", "wide", "crowd", "empty"].map((name) => `photos/${name}.png`);
    const run = srmap("evaluate", ...photos, "-a", "masks", "-o", "of-masks", ...few);
    assert.is(run.status, 1, run.stderr);
    const { rows, leftOut } = evaluated("of-masks");
    assert.equal(
      rows.map(({ photo }) => photo),
      ["good.png"],
    );
    assert.equal(leftOut, [
      "empty.png: image: the file is neither PNG nor JPEG. Give a PNG or JPEG photo.",
      "crowd.png: no object is left in its annotations.",
      "empty.png: the annotations do not have it.",
      'wide.png: annotations of "wide": are for 64x20 pixels, the photo has 64x48. Annotate this photo, or give the one that was annotated.',
    ]);
  });

  test("check: annotations of other photos, a region of another size, an object that is gone, another network's file", () => {
    const model = ["-m", "squeezenet1_1-caffe"];
    const photos = ["photos/good.png", "photos/alone.png"];
    const wrote = srmap("check", "--write", "attention.json", ...photos, ...model, "-a", "masks");
    assert.is(wrote.stdout, "attention.json: recorded where squeezenet1_1-caffe looks on 2 photos.\n", wrote.stderr);
    assert.is(
      wrote.stderr,
      "note: empty.png: image: the file is neither PNG nor JPEG. Give a PNG or JPEG photo.\nnote: alone.png: the annotations do not have it.\n",
    );
    const without = srmap("check", "attention.json", ...photos);
    assert.is(without.status, 0);
    assert.is(
      without.stderr,
      "note: the attention file has shares on annotated objects; without --annotations they are not compared.\n",
    );
    mkdirSync(join(folder, "others"));
    for (const name of ["classes.txt", "wide.png"]) cpSync(join(folder, "masks", name), join(folder, "others", name));
    const lost = srmap("check", "attention.json", ...photos, "-a", "others");
    assert.is(lost.status, 1);
    assert.is(
      lost.stdout,
      "FAIL good.png: its attention on the object was recorded; the annotations have no object of it now.\n1 of 2 photos pass, 2 with the same map byte for byte.\n",
    );
    writeFileSync(join(folder, "region.png"), encodePng(createImage(9, 9, [255, 255, 255])));
    const region = srmap("check", "attention.json", ...photos, "--forbidden", "region.png");
    assert.is(
      region.stdout.split("\n")[0],
      "FAIL good.png: the forbidden region has 9x9 pixels, the photo 64x48: they must be of one size.",
    );
    const recorded = readFileSync(join(folder, "attention.json"), "utf8");
    const renamed = recorded.replaceAll(/"label": "[^"]*"/g, '"label": "unicorn"');
    writeFileSync(join(folder, "other.json"), renamed);
    const { index, label } = (JSON.parse(recorded) as { photos: { prediction: { index: number; label: string } }[] })
      .photos[0]!.prediction;
    assert.is(
      srmap("check", "other.json", ...photos).stderr,
      `srmap: attention file other.json: is of another network: its class ${index} is "unicorn", that of squeezenet1_1-caffe is "${label}". Write it again with srmap check --write.\n`,
    );
  });

  test("check records nothing of photos of which none can be read", () => {
    const run = srmap("check", "--write", "none.json", "photos/broken.png", "-m", "squeezenet1_1-caffe");
    assert.is(run.status, 1);
    assert.is(
      run.stderr,
      "photos/broken.png: image: the file is neither PNG nor JPEG. Give a PNG or JPEG photo.\nsrmap: no photo could be explained: nothing is recorded.\n",
    );
  });
});
