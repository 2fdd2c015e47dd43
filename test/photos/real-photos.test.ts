import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { decodeImage } from "../../host/photos/decode.ts";
import { root, sharedData } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// Made by photos.py beside it: what Pillow decodes.
const digests = JSON.parse(readFileSync(join(root, "test/golden/images/photos.json"), "utf8")) as Record<
  string,
  string
>;

function rgbDigest(bytes: Uint8Array): string {
  const { data } = decodeImage(bytes);
  const rgb = new Uint8Array((data.length / 4) * 3);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    rgb[to++] = data[from] ?? 0;
    rgb[to++] = data[from + 1] ?? 0;
    rgb[to++] = data[from + 2] ?? 0;
  }
  return createHash("sha256").update(rgb).digest("hex").slice(0, 8);
}

suite("real photos", (test) => {
  for (const [folder, expected] of Object.entries(digests)) {
    const path = join(folder === "examples" ? root : sharedData, folder);
    test.needs(path, `every JPEG of ${folder} has Pillow's pixels, byte for byte`, () => {
      const names = readdirSync(path)
        .filter((name) => /\.jpe?g$/i.test(name))
        .sort();
      assert.is(names.length, expected.length / 8);
      const different = names.filter((name, i) => {
        return rgbDigest(readFileSync(join(path, name))) !== expected.slice(i * 8, i * 8 + 8);
      });
      assert.equal(different, []);
    });
  }
});
