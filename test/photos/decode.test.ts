import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { resizeAndCrop } from "../../engine/picture/resize.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { parseNpy } from "../../weights-loader/numpy/npy.ts";
import { root } from "../support/paths.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

interface Manifest {
  decode: Record<string, { tolerance: number }>;
  resize: Record<string, { width: number; height: number; crop: [number, number, number, number]; tolerance: number }>;
  refuse: string[];
}

const golden = join(root, "test/golden/images");
const manifest = JSON.parse(readFileSync(join(golden, "manifest.json"), "utf8")) as Manifest;

function expected(file: string): { height: number; width: number; rgb: ArrayLike<number> } {
  const { shape, data } = parseNpy(readFileSync(join(golden, file)), file);
  if (!(data instanceof Uint8Array)) throw new TypeError(`${file}: uint8 expected`);
  return { height: shape[0] ?? 0, width: shape[1] ?? 0, rgb: data };
}

/** Largest difference of an RGBA picture from RGB rows; alpha must be opaque. */
function largestDifference(rgba: Uint8Array, rgb: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < rgba.length / 4; i++) {
    assert.is(rgba[i * 4 + 3], 255, `pixel ${i} is not opaque`);
    for (let c = 0; c < 3; c++)
      largest = Math.max(largest, Math.abs((rgba[i * 4 + c] ?? 999) - (rgb[i * 3 + c] ?? -999)));
  }
  return largest;
}

// What each refused file is told, word for word.
const again = "Get the photo again.";
const damaged = "The file is damaged.";
const refusals: Record<string, string> = {
  "empty.png": "image: the file is empty. Give a PNG or JPEG photo.",
  "text.png": "image: the file is neither PNG nor JPEG. Give a PNG or JPEG photo.",
  "truncated.png": `PNG: the file is truncated, chunk "IDAT" needs 1377 more bytes. ${again}`,
  "no-iend.png": `PNG: the file is truncated, its end is missing. ${again}`,
  "crc.png": `PNG: the checksum of chunk "IDAT" is wrong. ${again}`,
  "idat-crc.png": `PNG: the checksum of chunk "IDAT" is wrong. ${again}`,
  "crc-only.png": `PNG: the checksum of chunk "IHDR" is wrong. ${again}`,
  "huge-30000.png": "PNG: 30000x30000 are 900 megapixels, the limit is 100 megapixels. Scale it down first.",
  "two-headers.png": `PNG: there is a second header. ${damaged}`,
  "too-long.png": `PNG: the pixel data are longer than the 40x40 pixels of the header. ${damaged}`,
  "too-long-interlaced.png": `PNG: the pixel data are longer than the 40x40 pixels of the header. ${damaged}`,
  "short-pixels.png": `PNG: the pixel data are truncated, 500 of 4840 bytes are there. ${again}`,
  "broken-deflate.png": `PNG: the pixel data are damaged. ${again}`,
  "no-pixels.png": `PNG: the pixel data are truncated, 0 of 4840 bytes are there. ${again}`,
  "interrupted.png": `PNG: the pixel data are interrupted by another chunk. ${damaged}`,
  "zero-width.png": "PNG: the picture must have pixels, the header says 0x40.",
  "depth-3.png": `PNG: colour type 0 with 3 bits does not exist. ${damaged}`,
  "no-palette.png": `PNG: the pixels are of a palette, which is missing. ${damaged}`,
  "palette-length.png": `PNG: a palette must have 1 to 256 colours of 3 bytes, got 10 bytes. ${damaged}`,
  "palette-index.png": `PNG: a pixel has colour 3 of a palette of 3. ${damaged}`,
  "palette-late.png": `PNG: chunk "PLTE" must come before the pixel data. ${damaged}`,
  "unknown-chunk.png": 'PNG: chunk "CgBI" is needed to show the picture, and it is none of the standard\'s.',
  "filter.png": `PNG: a row has filter 5, which does not exist. ${damaged}`,
  "truncated.jpg": `JPEG: the file is truncated. ${again}`,
  "header-only.jpg": `JPEG: the file is truncated. ${again}`,
  "missing-middle.jpg": `JPEG: the pixel data end too early. ${damaged}`,
  "missing-table.jpg": `JPEG: component 1 uses quantisation table 0, which is missing. ${damaged}`,
  "huffman-bits.jpg": `JPEG: a Huffman table has coefficients of more than 15 bits. ${damaged}`,
  "huffman-all-ones.jpg": `JPEG: a Huffman table is no code. ${damaged}`,
  "extension.jpg": `JPEG: there is no segment of kind f0. ${damaged}`,
  "two-frames.jpg": `JPEG: two frame headers in one picture. ${damaged}`,
  "first-scans.jpg": `JPEG: the last scans are missing, coefficient 0 of component 1 is not complete. ${again}`,
  "scan-twice.jpg": `JPEG: a scan sends coefficient 1 of component 1 again or out of order. ${damaged}`,
  "huge-60000.jpg": "JPEG: 60000x60000 are 3600 megapixels, the limit is 100 megapixels. Scale it down first.",
  "claims-98-megapixels.jpg": `JPEG: the file is truncated. ${again}`,
  "12-bit.jpg": "JPEG: samples must have 8 bits, got 12. Save the photo as a common JPEG or as PNG.",
  "no-scan.jpg": "JPEG: there is no picture in this file.",
  "other.gif": "image: GIF is not supported. Convert the photo to PNG or JPEG.",
  "short.bmp": `BMP: the file is truncated. ${again}`,
  "index.bmp": `BMP: a pixel has colour 16 of a palette of 16. ${damaged}`,
  "endless-runs.bmp": `BMP: the pixel data are longer than the header says. ${damaged}`,
  "huge.bmp": "BMP: 60000x60000 are 3600 megapixels, the limit is 100 megapixels. Scale it down first.",
  "jpeg-inside.bmp": "BMP: compression 4 with 0 bits a pixel is not supported. Save the photo as PNG.",
  "other.tiff": "image: TIFF is not supported. Convert the photo to PNG or JPEG.",
  "other.webp": "image: WebP is not supported. Convert the photo to PNG or JPEG.",
  "other.heic": "image: HEIC is not supported. Convert the photo to PNG or JPEG.",
  "other.avif": "image: AVIF is not supported. Convert the photo to PNG or JPEG.",
};

suite("photos", (test) => {
  for (const [file, { tolerance }] of Object.entries(manifest.decode)) {
    test(`decodes ${file}`, () => {
      const image = decodeImage(readFileSync(join(golden, "decode", file)));
      const { width, height, rgb } = expected(`decode/${file}.npy`);
      assert.equal([image.width, image.height], [width, height]);
      const largest = largestDifference(image.data, rgb);
      assert.ok(largest <= tolerance, `off by ${largest} grey levels, ${tolerance} allowed`);
    });
  }

  for (const file of manifest.refuse) {
    test(`refuses ${file}`, () => {
      let message = "nothing was thrown";
      try {
        decodeImage(readFileSync(join(golden, "refuse", file)));
      } catch (error) {
        message = error instanceof Error ? error.message : String(error);
      }
      assert.is(message, refusals[file]);
    });
  }

  test("the size limit is the caller's", () => {
    const bytes = readFileSync(join(golden, "decode/rgb8.png"));
    assert.throws(
      () => decodeImage(bytes, { maxPixels: 1000 }),
      /37x29 are 0.00107 megapixels, the limit is 0.001 megapixels/,
    );
  });

  test("every truncation of a PNG or JPEG is refused, never half read", () => {
    for (const file of ["rgb8-interlaced.png", "baseline420.jpg", "progressive420.jpg"]) {
      const bytes = readFileSync(join(golden, "decode", file));
      for (let length = 0; length < bytes.length; length += 7) {
        assert.throws(() => decodeImage(bytes.subarray(0, length)), undefined, `${file} cut at ${length}`);
      }
    }
  });

  test("damaged bytes are decoded or refused in our words, never anything else", () => {
    const seed = 4;
    const random = rng(seed);
    const files = Object.keys(manifest.decode);
    for (let i = 0; i < 600; i++) {
      const file = files[random.integer(0, files.length - 1)] ?? "";
      const bytes = Uint8Array.from(readFileSync(join(golden, "decode", file)));
      for (let k = random.integer(1, 4); k > 0; k--) {
        // More often near the start, where the structure is.
        bytes[random.integer(0, random.integer(0, bytes.length - 1))] = random.integer(0, 255);
      }
      try {
        const { width, height, data } = decodeImage(bytes);
        assert.is(data.length, width * height * 4);
      } catch (error) {
        const name = error instanceof Error ? error.name : String(error);
        assert.ok(
          ["FormatError", "UnsupportedError", "RangeError"].includes(name),
          `${file}, seed ${seed}, ${i}: ${error}`,
        );
      }
    }
  });

  test("resize and crop are Pillow's, bit for bit", () => {
    const input = decodeImage(readFileSync(join(golden, "resize/input.png")));
    for (const [name, { width, height, crop, tolerance }] of Object.entries(manifest.resize)) {
      const [left, top, cropWidth, cropHeight] = crop;
      const image = resizeAndCrop(input, width, height, { left, top, width: cropWidth, height: cropHeight });
      const largest = largestDifference(image.data, expected(`resize/${name}.npy`).rgb);
      assert.ok(largest <= tolerance, `${name}: off by ${largest} grey levels, ${tolerance} allowed`);
    }
  });
});
