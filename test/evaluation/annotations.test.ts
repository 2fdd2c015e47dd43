import * as assert from "uvu/assert";
import type { Preprocessing } from "../../engine/graph/definition.ts";
import { photoFit } from "../../engine/picture/preprocess.ts";
import { decodeRuns, parseCoco, placeObjects } from "../../evaluation/index.ts";
import { cpuMs } from "../support/fuzz.ts";
import { suite } from "../support/suite.ts";

const plain: Preprocessing = { resize: "none", resizeTo: 0, channelOrder: "rgb", scale: 1, mean: [0], std: [1] };
const shorter: Preprocessing = { ...plain, resize: "shorter", resizeTo: 8 };

function coco(width: number, height: number, annotations: readonly object[]): unknown {
  return {
    images: [{ id: 7, file_name: "a.jpg", width, height }],
    categories: [{ id: 3, name: "dog" }],
    annotations: annotations.map((each, id) => ({ id, image_id: 7, category_id: 3, ...each })),
  };
}

function placed(width: number, height: number, annotation: object, preprocessing: Preprocessing, side: number) {
  const photo = parseCoco(coco(width, height, [annotation])).photos.get("a.jpg");
  assert.ok(photo);
  return placeObjects(photo, photo.objects, photo, photoFit(photo, preprocessing, [3, side, side]));
}

const rows = (mask: Uint8Array, side: number): string[] =>
  Array.from({ length: side }, (_, y) => mask.slice(y * side, (y + 1) * side).join(""));

suite("evaluation/annotations", (test) => {
  test("a box covers the pixels whose centres it holds", () => {
    const { mask, boxes } = placed(4, 4, { bbox: [0.6, 1.4, 2, 1.2] }, plain, 4);
    assert.equal(rows(mask, 4), ["0000", "0110", "0110", "0000"]);
    assert.is(boxes.length, 1);
  });

  test("boxes follow the photo through resize and crop, and are cut at the edges", () => {
    // 32x16 to 16x8, of which columns 5 to 10 and rows 1 to 6 are seen: a pixel is 2x2 of the photo's.
    const { mask, boxes } = placed(32, 16, { bbox: [0, 0, 14, 6] }, shorter, 6);
    assert.equal(rows(mask, 6), ["110000", "110000", "000000", "000000", "000000", "000000"]);
    assert.equal(boxes, [{ left: 0, top: 0, width: 2, height: 2 }]);
  });

  test("an object that is cropped away is counted, one pixel further in it is seen", () => {
    assert.is(placed(32, 16, { bbox: [0, 0, 10, 16] }, shorter, 6).croppedAway, 1);
    assert.is(placed(32, 16, { bbox: [0, 0, 12, 16] }, shorter, 6).croppedAway, 0);
  });

  test("polygons and both kinds of RLE give their pixels", () => {
    const triangle = { bbox: [0, 0, 4, 4], segmentation: [[0, 0, 4, 0, 0, 4]] };
    assert.equal(rows(placed(4, 4, triangle, plain, 4).mask, 4), ["1110", "1100", "1000", "0000"]);
    // Columns from the left: 5 of 0 end in the second column's first pixel, then 2 of 1.
    const counts = [5, 2, 9];
    const runs = { bbox: [1, 1, 1, 2], segmentation: { size: [4, 4], counts } };
    assert.equal(rows(placed(4, 4, runs, plain, 4).mask, 4), ["0000", "0100", "0100", "0000"]);
    assert.equal(decodeRuns("529"), counts);
  });

  test("what cannot count is left out with a sentence, the others stay", () => {
    const { photos, notes } = parseCoco(
      coco(4, 4, [
        { bbox: [0, 0, 0, 3] },
        { bbox: [9, 0, 2, 3] },
        { bbox: [0, 0, 2, 2], image_id: 8 },
        { bbox: [0, 0, 2, 2], segmentation: { counts: [3, 4] } },
        { bbox: [0, 0, 2, 2], iscrowd: 1 },
        { bbox: [0, 0, 2, 2] },
      ]),
    );
    assert.equal(notes, [
      "annotation 0: its box has no area (0 x 3), left out.",
      'annotation 1: its box lies outside "a.jpg", left out.',
      "annotation 2: belongs to an image that the file does not list, left out.",
      'annotation 3: its segmentation does not fit "a.jpg", left out.',
    ]);
    assert.equal(
      photos.get("a.jpg")?.objects.map(({ isCrowd }) => isCrowd),
      [true, false],
    );
  });

  test("photos are found by their names, whatever folders an export puts before them; of two of one name neither counts", () => {
    const image = { width: 4, height: 4 };
    const { photos, notes } = parseCoco({
      categories: [],
      images: [
        { ...image, id: 1, file_name: "train/a.jpg" },
        { ...image, id: 2, file_name: "train\\b.jpg" },
        { ...image, id: 3, file_name: "val/b.jpg" },
        { id: 4, file_name: "c.jpg", width: 0, height: 4 },
      ],
      annotations: [{ id: 0, image_id: 4, category_id: 1, bbox: [0, 0, 1, 1] }],
    });
    assert.equal([...photos.keys()], ["a.jpg"]);
    assert.equal(notes, [
      'image "c.jpg": has no "width" and "height" above 0, left out.',
      "b.jpg: the annotations have several photos of this name, left out.",
    ]);
  });

  test("runs of a huge picture, a polygon of a hundred thousand corners and many objects take their own memory alone", () => {
    const side = 2 ** 20;
    const corners = Array.from({ length: 100_000 }, (_, i) => {
      const turn = (2 * Math.PI * i) / 100_000;
      return [side * (0.5 + 0.4 * Math.cos(turn)), side * (0.5 + 0.4 * Math.sin(turn))];
    }).flat();
    const huge = [
      { bbox: [0, 0, side, side], segmentation: { counts: [side * side - 5, 5] } },
      { bbox: [0, 0, side, side], segmentation: [corners] },
      ...Array.from({ length: 2000 }, () => ({ bbox: [0, 0, 1, side] })),
    ];
    const before = process.memoryUsage().arrayBuffers;
    const started = process.cpuUsage();
    const photo = parseCoco(coco(side, side, huge)).photos.get("a.jpg");
    assert.ok(photo);
    const size = { width: 8, height: 8 };
    const fit = photoFit(size, plain, [3, 8, 8]);
    const circle = placeObjects(photo, photo.objects.slice(1, 2), size, fit);
    assert.equal(rows(circle.mask, 8), [
      "00000000",
      "00111100",
      "01111110",
      "01111110",
      "01111110",
      "01111110",
      "00111100",
      "00000000",
    ]);
    assert.is(placeObjects(photo, photo.objects, size, fit).croppedAway, 2001);
    assert.ok(process.memoryUsage().arrayBuffers - before < 16 << 20);
    assert.ok(cpuMs(started) < 5000);
  });

  test("a document that is none of COCO's and annotations of another photo are refused", () => {
    assert.throws(
      () => parseCoco({ images: 1, categories: [] }),
      (error: Error) => error.message === 'annotations: "images" must be a list of objects, as COCO\'s JSON has it.',
    );
    const photo = parseCoco(coco(40, 40, [{ bbox: [0, 0, 9, 9] }])).photos.get("a.jpg");
    assert.ok(photo);
    const size = { width: 80, height: 40 };
    assert.throws(
      () => placeObjects(photo, photo.objects, size, photoFit(size, shorter, [3, 6, 6])),
      (error: Error) =>
        error.message ===
        'annotations of "a.jpg": are for 40x40 pixels, the photo has 80x40. Annotate this photo, or give the one that was annotated.',
    );
  });
});
