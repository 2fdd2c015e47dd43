import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { encodePng } from "../../cli/drawing/png.ts";
import { createImage, type Image } from "../../engine/picture/image.ts";
import { seededRandom } from "../../evaluation/index.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// One network trained twice (test/fixtures/make-watermark.py): on pictures in which a mark says nothing of the class, and on pictures in
// which it stands on every disk and nowhere else. What the second looks at is the mark.
const folder = mkdtempSync(join(tmpdir(), "srmap-check-watermark-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const side = 64;
const weights = (name: string): string => join(root, `test/fixtures/watermark/${name}.onnx`);

function srmap(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(root, "build/cli/main.js"), ...args], { cwd: folder, encoding: "utf8" });
}

function paint(image: Image, isOn: (x: number, y: number) => boolean, color: (x: number, y: number) => number[]): void {
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) if (isOn(x, y)) image.data.set(color(x, y), 4 * (y * side + x));
  }
}

const isMark = (x: number, y: number): boolean => Math.min(x, y) >= side - 14 && Math.max(x, y) < side - 2;

/** A disk or a square of one colour on another, both grained, with or without the mark; and its box. */
function picture(random: () => number, kind: "disk" | "square", isMarked: boolean): { image: Image; bbox: number[] } {
  const image = createImage(side, side);
  const grain = (): number => Math.floor(41 * random()) - 20;
  const ground = [0, 1, 2].map(() => 20 + Math.floor(216 * random()));
  const shift = 70 + Math.floor(117 * random());
  const radius = 9 + Math.floor(6 * random());
  const [cx, cy] = [0, 1].map(() => radius + 1 + Math.floor((side - 2 * radius - 2) * random())) as [number, number];
  const reach = kind === "disk" ? radius : 0.85 * radius;
  const isIn = (x: number, y: number): boolean =>
    kind === "disk"
      ? (x - cx) ** 2 + (y - cy) ** 2 <= radius ** 2
      : Math.max(Math.abs(x - cx), Math.abs(y - cy)) <= reach;
  paint(
    image,
    () => true,
    () => {
      const noise = grain();
      return ground.map((value) => value + noise);
    },
  );
  paint(image, isIn, () => {
    const noise = grain();
    return ground.map((value) => ((value + shift) % 256) + noise);
  });
  if (isMarked) paint(image, isMark, (x, y) => ((x + y) % 6 < 3 ? [255, 255, 255] : [0, 0, 0]));
  return { image, bbox: [cx - reach, cy - reach, 2 * reach, 2 * reach] };
}

interface Report {
  readonly photos: readonly {
    readonly photo: string;
    readonly correlation: number;
    readonly failures: readonly string[];
    readonly before: { readonly inside: number; readonly forbidden: number };
    readonly after: { readonly inside: number; readonly forbidden: number };
  }[];
}

const common = ["--annotations", "coco.json", "--forbidden", "region.png", "--json"];

function checked(...args: string[]): { status: number | null; photos: Report["photos"] } {
  const run = srmap("check", "attention.json", "photos", ...common, ...args);
  return { status: run.status, photos: (JSON.parse(run.stdout) as Report).photos };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

suite("cli/check-watermark", (test) => {
  mkdirSync(join(folder, "photos"));
  writeFileSync(join(folder, "classes.txt"), "disk\nsquare\ncross\nring\n");
  const categories = ["disk", "square"].map((name, id) => ({ id, name }));
  const random = seededRandom(12);
  const images: object[] = [];
  const annotations: object[] = [];
  for (let id = 0; id < 12; id++) {
    const kind = id < 8 ? "disk" : "square";
    const { image, bbox } = picture(random, kind, kind === "disk");
    const name = `${kind}${id}.png`;
    writeFileSync(join(folder, "photos", name), encodePng(image));
    images.push({ id, file_name: name, width: side, height: side });
    annotations.push({ id, image_id: id, category_id: kind === "disk" ? 0 : 1, bbox });
  }
  writeFileSync(join(folder, "coco.json"), JSON.stringify({ images, annotations, categories }));
  const region = createImage(side, side, [0, 0, 0]);
  paint(region, isMark, () => [255, 255, 255]);
  writeFileSync(join(folder, "region.png"), encodePng(region));
  const preprocess = ["--preprocess", "resize=64,crop=64,mean=0.5/0.5/0.5,std=1/1/1"];
  const wrote = srmap(
    ...["check", "--write", "attention.json", "photos", "--weights", weights("clean"), ...preprocess],
    ...common.slice(0, 4),
  );
  assert.is(wrote.status, 0, wrote.stderr);

  test("a network that was trained on a watermark in a class fails on that class's photos, and the report says why", () => {
    const { status, photos } = checked("--weights", weights("marked"), "--max-forbidden", "0.25");
    assert.is(status, 1);
    const disks = photos.filter(({ photo }) => photo.startsWith("disk"));
    const told = disks.filter(({ failures }) => failures.some((each) => each.startsWith("relevance on the forbidden")));
    assert.ok(told.length >= 7, `${told.length} of 8`);
    assert.ok(mean(disks.map(({ after }) => after.forbidden)) > 3 * mean(disks.map(({ before }) => before.forbidden)));
  });

  test("the network that knows no watermark stays green on them, on one thread and two", () => {
    for (const threads of ["1", "2"]) {
      const { status } = checked("--weights", weights("clean"), "--max-forbidden", "0.25", "--threads", threads);
      assert.is(status, 0);
    }
  });

  test("evaluate tells the two apart, on ONNX files with --preprocess in words and --classes", () => {
    const massOf = (name: string): number => {
      const given = ["--weights", weights(name), ...preprocess, "--classes", "classes.txt", "-o", name];
      const run = srmap(
        "evaluate",
        "photos",
        "-a",
        "coco.json",
        ...given,
        "--maps",
        "epsilonPlus:sr",
        "--metrics",
        "mass",
      );
      assert.is(run.status, 0, run.stderr);
      const { rows } = JSON.parse(readFileSync(join(folder, name, "evaluation.json"), "utf8")) as {
        rows: { label: string; maps: Record<string, Record<string, { value: number }>> }[];
      };
      const disks = rows.filter(({ label }) => label === "disk");
      assert.is(disks.length, 8);
      return mean(disks.map(({ maps }) => maps["epsilonPlus:sr"]?.["mass"]?.value ?? Number.NaN));
    };
    const [clean, marked] = [massOf("clean"), massOf("marked")];
    assert.ok(clean > marked + 0.2, `${clean} ${marked}`);
  });
});
