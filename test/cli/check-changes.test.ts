import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { encodePng } from "../../cli/drawing/png.ts";
import { createImage, type Image } from "../../engine/picture/image.ts";
import { seededRandom } from "../../evaluation/index.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-check-changes-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const model = ["-m", "alexnet-mini"];
const side = 224;

function srmap(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(root, "build/cli/main.js"), ...args], { cwd: folder, encoding: "utf8" });
}

/** A square cut out of a photo, without any filter. */
function crop({ width, data }: Image, left: number, top: number): Image {
  const out = createImage(side, side);
  for (let y = 0; y < side; y++) {
    const from = 4 * ((top + y) * width + left);
    out.data.set(data.subarray(from, from + 4 * side), 4 * y * side);
  }
  return out;
}

/** Stripes in the lower right corner, and the region they cover. */
function stamp(image: Image, isMask: boolean): Image {
  const out = { ...image, data: image.data.slice() };
  for (let y = side - 72; y < side - 12; y++) {
    for (let x = side - 92; x < side - 12; x++) {
      out.data.fill(isMask || (x + y) % 12 < 6 ? 255 : 0, 4 * (y * side + x), 4 * (y * side + x) + 3);
    }
  }
  return out;
}

function writePhotos(): void {
  const random = seededRandom(20);
  for (const name of ["clean", "marked"]) mkdirSync(join(folder, name));
  for (const name of ["cat", "coffee"]) {
    const photo = decodeImage(readFileSync(join(root, `examples/${name}.jpg`)));
    for (let k = 0; k < 5; k++) {
      const part = crop(
        photo,
        Math.floor(random() * (photo.width - side)),
        Math.floor(random() * (photo.height - side)),
      );
      writeFileSync(join(folder, `clean/${name}${k}.png`), encodePng(part));
      writeFileSync(join(folder, `marked/${name}${k}.png`), encodePng(stamp(part, false)));
    }
  }
  writeFileSync(join(folder, "region.png"), encodePng(stamp(createImage(side, side, [0, 0, 0]), true)));
}

interface Header {
  readonly [name: string]: { readonly shape: readonly number[]; readonly data_offsets: readonly [number, number] };
}

/** A safetensors file of float32 with each tensor changed. */
function change(to: string, edit: (values: Float32Array, name: string, shape: readonly number[]) => void): void {
  const bytes = Uint8Array.from(readFileSync(join(folder, "f32.safetensors")));
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Header;
  for (const [name, { shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [start, end] = offsets.map((offset) => 8 + length + offset);
    const values = new Float32Array(bytes.slice(start, end).buffer);
    edit(values, name, shape);
    bytes.set(new Uint8Array(values.buffer), start);
  }
  writeFileSync(join(folder, to), bytes);
}

interface Report {
  readonly photos: readonly {
    readonly correlation: number;
    readonly failures: readonly string[];
    readonly after: { readonly forbidden?: number };
  }[];
}

/** What `check` says with its own thresholds: exit code, how many photos fail, the least correlation. */
function verdict(...args: string[]): { status: number | null; failed: number; least: number } {
  const run = srmap("check", "attention.json", "clean", "--json", ...args);
  const { photos } = JSON.parse(run.stdout) as Report;
  return {
    status: run.status,
    failed: photos.filter(({ failures }) => failures.length > 0).length,
    least: Math.min(...photos.map(({ correlation }) => correlation)),
  };
}

suite("cli/check-changes", (test) => {
  writePhotos();
  assert.is(srmap("check", "--write", "attention.json", "clean", ...model).status, 0);
  const own = join(root, "models/alexnet-mini.safetensors");
  for (const precision of ["f32", "f16", "int8"]) {
    const run = srmap("convert", own, "-o", `${precision}.safetensors`, "--precision", precision, ...model);
    assert.is(run.status, 0, run.stderr);
  }

  test("stays green on half and on 8-bit weights of all layers, on one thread and two", () => {
    for (const precision of ["f16", "int8"]) {
      for (const threads of ["1", "2"]) {
        const { status, least } = verdict("--weights", `${precision}.safetensors`, "--threads", threads);
        assert.is(status, 0, `${precision}, ${threads} threads: least correlation ${least}`);
      }
    }
  });

  test("goes red on weights with noise of 10 % of their size", () => {
    const random = seededRandom(6);
    change("noisy.safetensors", (values) => {
      const size = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
      for (let i = 0; i < values.length; i++) values[i]! += 0.1 * size * Math.sqrt(3) * (2 * random() - 1);
    });
    const { status, failed, least } = verdict("--weights", "noisy.safetensors");
    assert.is(status, 1, `least correlation ${least}`);
    assert.ok(failed >= 1);
  });

  test("goes red on a network that sees blue for red", () => {
    change("bgr.safetensors", (values, _name, [count = 0, channels, height = 0, width = 0]) => {
      if (channels !== 3) return;
      const area = height * width;
      for (let m = 0; m < count; m++) {
        const at = 3 * m * area;
        const red = values.slice(at, at + area);
        values.copyWithin(at, at + 2 * area, at + 3 * area);
        values.set(red, at + 2 * area);
      }
    });
    const { status, failed } = verdict("--weights", "bgr.safetensors");
    assert.is(status, 1);
    assert.ok(failed >= 3, `${failed} of 10`);
  });

  test("goes red on a watermark pasted into the photos, and says that the forbidden region draws relevance", () => {
    const region = ["--forbidden", "region.png", "--max-forbidden"];
    const clean = srmap("check", "attention.json", "clean", "--json", ...region, "1");
    assert.is(clean.status, 0, clean.stdout);
    const { photos } = JSON.parse(clean.stdout) as Report;
    const most = Math.max(...photos.map(({ after }) => after.forbidden ?? Number.NaN));
    const marked = srmap("check", "attention.json", "marked", ...region, String(most));
    assert.is(marked.status, 1);
    assert.match(marked.stdout, /FAIL \w+\.png: attention moved: /);
    assert.match(marked.stdout, /FAIL \w+\.png: relevance on the forbidden region: /, `clean at most ${most}`);
    assert.is(srmap("check", "attention.json", "clean", ...region, String(most)).status, 0);
  });
});
