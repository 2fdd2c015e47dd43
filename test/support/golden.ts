import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import * as assert from "uvu/assert";
import type { Image } from "../../engine/picture/image.ts";
import { root } from "./paths.ts";

function encode({ width, height, data }: Image): Uint8Array {
  const png = new PNG({ width, height });
  png.data = Buffer.from(data);
  return PNG.sync.write(png, { colorType: 2 });
}

/**
 * Compares a picture with test/golden/NAME.png, pixel by pixel. With `--write` behind the test's file name it is written instead;
 * look at it before committing. A mismatch leaves got, expected and diff (white where different) in build/test/golden-diff.
 */
export function comparePicture(name: string, got: Image): void {
  const file = join(root, "test/golden", `${name}.png`);
  if (process.argv.includes("--write")) {
    writeFileSync(file, encode(got));
    return;
  }
  assert.ok(existsSync(file), `there is no golden ${file}; make it with --write`);
  const expected = PNG.sync.read(readFileSync(file));
  const isSameSize = expected.width === got.width && expected.height === got.height;
  if (isSameSize && Buffer.compare(expected.data, got.data) === 0) return;
  const folder = join(root, "build/test/golden-diff");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}-got.png`), encode(got));
  writeFileSync(join(folder, `${name}-expected.png`), readFileSync(file));
  let different = 0;
  if (isSameSize) {
    const diff = new Uint8Array(got.data.length).fill(255);
    for (let i = 0; i < diff.length; i += 4) {
      const isSame = [0, 1, 2].every((c) => got.data[i + c] === expected.data[i + c]);
      if (isSame) diff.fill(0, i, i + 3);
      else different++;
    }
    writeFileSync(join(folder, `${name}-diff.png`), encode({ width: got.width, height: got.height, data: diff }));
  }
  assert.unreachable(
    `${name}: ${isSameSize ? `${different} pixels differ` : `size ${got.width}x${got.height}, expected ${expected.width}x${expected.height}`}; see build/test/golden-diff`,
  );
}
