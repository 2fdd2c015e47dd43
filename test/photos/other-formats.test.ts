import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { decodeAnyImage, decodeImage, openPhoto } from "../../host/photos/decode.ts";
import { parseNpy } from "../../weights-loader/numpy/npy.ts";
import { root } from "../support/paths.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

const golden = join(root, "test/golden/images");
const { other } = JSON.parse(readFileSync(join(golden, "manifest.json"), "utf8")) as {
  other: Record<string, { tolerance: number }>;
};
const sharp = join(root, "node_modules/sharp");
const read = (file: string): Uint8Array => readFileSync(join(golden, "other", file));

suite("photos that sharp reads", (test) => {
  for (const [file, { tolerance }] of Object.entries(other)) {
    test.needs(sharp, `decodes ${file}`, async () => {
      const { shape, data: rgb } = parseNpy(readFileSync(join(golden, "other", `${file}.npy`)), file);
      const { width, height, data } = await decodeAnyImage(read(file));
      assert.equal([height, width, 3], shape);
      let largest = 0;
      for (let i = 0; i < width * height; i++) {
        assert.is(data[i * 4 + 3], 255);
        for (let c = 0; c < 3; c++) {
          largest = Math.max(largest, Math.abs((data[i * 4 + c] ?? 999) - Number(rgb[i * 3 + c] ?? -999)));
        }
      }
      assert.ok(largest <= tolerance, `off by ${largest} grey levels, ${tolerance} allowed`);
    });
  }

  test("our own formats take the same way", async () => {
    for (const file of ["rgba8.png", "cmyk.jpg", "rgba32.bmp"]) {
      const bytes = readFileSync(join(golden, "decode", file));
      assert.equal(await decodeAnyImage(bytes), decodeImage(bytes), file);
    }
  });

  test.needs(sharp, "the size limit holds before anything is decoded, and a pixel short of it is read", async () => {
    const limit = await decodeAnyImage(read("lossy.webp"), { maxPixels: 37 * 29 - 1 }).then(String, String);
    assert.is(
      limit,
      "RangeError: WebP: 37x29 are 0.00107 megapixels, the limit is 0.00107 megapixels. Scale it down first.",
    );
    await decodeAnyImage(read("lossy.webp"), { maxPixels: 37 * 29 });
  });

  test.needs(sharp, "a TIFF of inks is refused, since sharp and Pillow mix them differently", async () => {
    assert.is(
      await decodeAnyImage(read("cmyk.tiff")).then(String, String),
      "UnsupportedError: TIFF: CMYK colours are not supported. Save the photo as RGB, PNG or JPEG.",
    );
  });

  test.needs(sharp, "the profile of a photo is named", async () => {
    assert.is((await openPhoto(read("lossy.webp"))).colorProfile, undefined);
  });

  test.needs(sharp, "damaged files are decoded or refused in our words, and bytes stay as they are", async () => {
    const seed = 9;
    const random = rng(seed);
    const files = Object.keys(other);
    for (let i = 0; i < 150; i++) {
      const file = files[i % files.length] ?? "";
      const bytes = Uint8Array.from(read(file));
      for (let n = random.integer(1, 4); n > 0; n--) {
        bytes[random.integer(8, random.integer(8, bytes.length - 1))] = random.integer(0, 255);
      }
      const before = bytes.slice();
      const message = await decodeAnyImage(bytes, { maxPixels: 1e6 }).then(() => "", String);
      assert.match(message, /^($|FormatError: |UnsupportedError: |RangeError: )/, `${file}, seed ${seed}, ${i}`);
      assert.equal(bytes, before);
    }
  });

  test("HEIC is told from AVIF by its brands, and refused", async () => {
    const heic = new TextEncoder().encode("\0\0\0\x18ftypmif1\0\0\0\0mif1heic");
    assert.is(
      await decodeAnyImage(heic).then(String, String),
      "UnsupportedError: image: HEIC is not supported. Convert the photo to PNG or JPEG.",
    );
    const avif = new TextEncoder().encode("\0\0\0\x18ftypmif1\0\0\0\0mif1avif");
    assert.match(await decodeAnyImage(avif).then(String, String), /^FormatError: AVIF: the photo cannot be decoded \(/);
  });
});
