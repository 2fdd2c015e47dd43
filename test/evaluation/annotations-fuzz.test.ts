import { PNG } from "pngjs";
import { readVocXml } from "../../cli/evaluate/voc-xml.ts";
import { FormatError } from "../../engine/basics/errors.ts";
import { photoFit } from "../../engine/picture/preprocess.ts";
import {
  type AnnotatedPhoto,
  decodeRuns,
  maskPhoto,
  parseCoco,
  parseMaskClasses,
  placeObjects,
  vocPhoto,
  yoloPhoto,
} from "../../evaluation/index.ts";
import { decodeAnyImage } from "../../host/photos/decode.ts";
import { fuzz } from "../support/fuzz.ts";
import { suite } from "../support/suite.ts";

// Damaged files of every format of annotations, through to the mask that is measured on. FUZZ_COUNT sets how many; 400 of each by default.
const count = Number(process.env["FUZZ_COUNT"] ?? 400);
const preprocessing = { resize: "fit", resizeTo: 0, channelOrder: "rgb", scale: 1, mean: [0], std: [1] } as const;
const size = { width: 24, height: 16 };
const fit = photoFit(size, preprocessing, [3, 32, 32]);

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function place(photo: AnnotatedPhoto): void {
  placeObjects(photo, photo.objects, size, fit);
}

const coco = JSON.stringify({
  images: [{ id: 1, file_name: "a.jpg", ...size }],
  categories: [{ id: 3, name: "dog" }],
  annotations: [
    { id: 1, image_id: 1, category_id: 3, iscrowd: 0, bbox: [2, 3, 10, 8], segmentation: [[2, 3, 12, 3, 7, 11]] },
    { id: 2, image_id: 1, category_id: 3, bbox: [0, 0, 24, 16], segmentation: { size: [16, 24], counts: [5, 9, 370] } },
    { id: 3, image_id: 1, category_id: 3, bbox: [0, 0, 24, 16], segmentation: { size: [16, 24], counts: "52U;" } },
  ],
});

const voc = `<?xml version="1.0"?><annotation><filename>a.jpg</filename><size><width>24</width><height>16</height><depth>3</depth></size>
<object><name>dog &amp; cat</name><difficult>0</difficult><bndbox><xmin>2</xmin><ymin>1</ymin><xmax>9</xmax><ymax>12</ymax></bndbox></object>
<object><name>bird</name><bndbox><xmin>1.5</xmin><ymin>1</ymin><xmax>24</xmax><ymax>16</ymax></bndbox></object></annotation>`;

const yolo = "0 0.5 0.5 0.25 0.5\n1 0.1 0.1 0.9 0.1 0.5 0.9 0.2 0.7\n1 0.75 0.25 0.1 0.1\n";

function maskPng(): Uint8Array {
  const png = new PNG(size);
  for (let i = 0; i < 24 * 16; i++) png.data.set([i % 5, i % 5, i % 5, 255], 4 * i);
  return PNG.sync.write(png);
}

suite("evaluation/annotations-fuzz", (test) => {
  test("damaged COCO is read or refused", async () => {
    await fuzz(bytesOf(coco), count, async (damaged) => {
      let document: unknown;
      try {
        document = JSON.parse(textOf(damaged));
      } catch {
        throw new FormatError("no JSON");
      }
      for (const photo of parseCoco(document).photos.values()) place(photo);
    });
  });

  test("COCO with any value in any place is read or refused", async () => {
    const values = [null, true, "", "x", -1, 0, 0.5, 1e308, 2 ** 53, [], {}, [[]], [1e308, -1e308, 5, 5], [{}]];
    await fuzz(bytesOf("0".repeat(64)), count, async (damaged) => {
      const place0 = damaged.reduce((sum, byte) => (sum * 31 + byte) >>> 0, damaged.length);
      let at = place0 % 60;
      const changed: unknown = JSON.parse(coco, (_, value: unknown) =>
        at-- === 0 ? values[place0 % values.length] : value,
      );
      for (const photo of parseCoco(changed).photos.values()) place(photo);
    });
  });

  test("damaged Pascal VOC is read or refused", async () => {
    await fuzz(bytesOf(voc), count, async (damaged) => {
      const { size: told, objects } = readVocXml("a", textOf(damaged));
      place(vocPhoto("a", told, objects).photo);
    });
  });

  test("damaged YOLO is read or refused", async () => {
    await fuzz(bytesOf(yolo), count, async (damaged) => {
      place(yoloPhoto("a", textOf(damaged), ["cat", "dog"]).photo);
    });
  });

  test("damaged runs and classes of masks are read or refused", async () => {
    await fuzz(bytesOf("52U;0b1Pm03"), count, async (damaged) => decodeRuns(textOf(damaged)));
    await fuzz(bytesOf("#800000 dog\n2 grey cat\n"), count, async (damaged) => parseMaskClasses(textOf(damaged)));
  });

  test("damaged masks are read or refused", async () => {
    const classes = parseMaskClasses("1 a\n2 b\n#030303 c");
    await fuzz(maskPng(), count, async (damaged) => place(maskPhoto("a", await decodeAnyImage(damaged), classes)));
  });
});
