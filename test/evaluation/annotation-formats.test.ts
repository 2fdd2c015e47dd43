import * as assert from "uvu/assert";
import { readVocXml } from "../../cli/evaluate/voc-xml.ts";
import { createImage } from "../../engine/picture/image.ts";
import { photoFit } from "../../engine/picture/preprocess.ts";
import {
  type AnnotatedPhoto,
  annotatedPhoto,
  maskPhoto,
  parseMaskClasses,
  placeObjects,
  seededRandom,
  vocPhoto,
  yoloPhoto,
} from "../../evaluation/index.ts";
import { suite } from "../support/suite.ts";

const squash = { resize: "none", resizeTo: 0, channelOrder: "rgb", scale: 1, mean: [0], std: [1] } as const;

function rowsOf(photo: AnnotatedPhoto, width: number, height: number): string[] {
  const { mask } = placeObjects(
    photo,
    photo.objects,
    { width, height },
    photoFit({ width, height }, squash, [3, height, width]),
  );
  return Array.from({ length: height }, (_, y) => mask.slice(y * width, (y + 1) * width).join(""));
}

const refuses = (call: () => unknown, message: string): void =>
  assert.throws(call, (error: Error) => error.message === message || assert.is(error.message, message));

const object = (inner: string): string =>
  `<annotation><size><width>6</width><height>4</height></size>${inner}</annotation>`;
const box = (name: string, corners: readonly number[]): string =>
  `<object><name>${name}</name><bndbox>${["xmin", "ymin", "xmax", "ymax"].map((key, i) => `<${key}>${corners[i]}</${key}>`).join("")}</bndbox></object>`;

suite("evaluation/annotation-formats", (test) => {
  test("Pascal VOC counts pixels from 1, the last one inside", () => {
    const { size, objects } = readVocXml("a", object(box("dog &amp; cat", [2, 1, 3, 3])));
    const { photo, notes } = vocPhoto("a", size, objects);
    assert.equal(rowsOf(photo, 6, 4), ["011000", "011000", "011000", "000000"]);
    assert.equal(notes, []);
    assert.is(photo.objects[0]?.label, "dog & cat");
  });

  test("VOC objects that cannot count are left out, each with a sentence", () => {
    const { size, objects } = readVocXml(
      "a",
      object(
        [
          box("dog", [4, 1, 3, 3]),
          box("dog", [9, 1, 12, 3]),
          box("", [1, 1, 2, 2]),
          "<object><name>dog</name></object>",
          box("dog", [1, 1, 6, 4]),
        ].join(""),
      ),
    );
    const { photo, notes } = vocPhoto("a", size, objects);
    assert.is(photo.objects.length, 1);
    assert.equal(notes, [
      "a, object 1: its box has no area (0 x 3), left out.",
      'a, object 2: its box lies outside "a", left out.',
      "a, object 3: has no name, left out.",
      "a, object 4: has no box of four numbers, left out.",
    ]);
  });

  test("XML that is none, of something else, without a size, or with a document type is refused", () => {
    refuses(() => readVocXml("a", "<annotation><size>"), 'annotations of "a": is no whole XML.');
    refuses(() => readVocXml("a", "no XML"), 'annotations of "a": is no whole XML.');
    refuses(
      () => readVocXml("a", "<svg/>"),
      'annotations of "a": must be Pascal VOC\'s XML, an "annotation", got "svg".',
    );
    const bomb = `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><annotation>&b;</annotation>`;
    refuses(
      () => readVocXml("a", bomb),
      'annotations of "a": the XML has a document type, which Pascal VOC\'s has not.',
    );
    const { size, objects } = readVocXml("a", "<annotation/>");
    refuses(
      () => vocPhoto("a", size, objects),
      'annotations of "a": must say the photo\'s size in pixels, got undefined x undefined.',
    );
  });

  test("a deep document ends in a sentence or is read, within a second", () => {
    const started = performance.now();
    const deep = `${"<annotation>".repeat(20000)}${"</annotation>".repeat(20000)}`;
    const { objects } = readVocXml("a", deep);
    assert.equal(objects, []);
    assert.ok(performance.now() - started < 1000 * 5);
  });

  test("YOLO's shares fit a photo of any size; an outline is one", () => {
    const names = ["cat", "dog"];
    const { photo, notes } = yoloPhoto("a", "1 0.5 0.5 0.5 0.5\n\n0 0 0 1 0 0 1\r\n", names);
    assert.equal(notes, []);
    assert.equal(
      photo.objects.map(({ label }) => label),
      ["dog", "cat"],
    );
    const dog = { ...photo, objects: photo.objects.slice(0, 1) };
    assert.equal(rowsOf(dog, 8, 4), ["00000000", "00111100", "00111100", "00000000"]);
    const cat = { ...photo, objects: photo.objects.slice(1) };
    assert.equal(rowsOf(cat, 4, 4), ["1110", "1100", "1000", "0000"]);
  });

  test("YOLO lines that cannot count are left out or, where they are none, refused", () => {
    const { photo, notes } = yoloPhoto("a", "7 0.5 0.5 0.5 0.5\n0 0.5 0.5 0 0.5\n0 2 2 0.1 0.1\n0 0.5 0.5 1 1", [
      "cat",
    ]);
    assert.is(photo.objects.length, 1);
    assert.equal(notes, [
      "a, line 1: class 7 has no name, left out.",
      "a, line 2: its box has no area (0 x 0.5), left out.",
      'a, line 3: its box lies outside "a", left out.',
    ]);
    refuses(
      () => yoloPhoto("a", "0 0.5 0.5 x 1", ["cat"]),
      'annotations of "a": line 1 must be a class number and 4 numbers (or the corners of an outline), got "0 0.5 0.5 x 1".',
    );
  });

  test("masks give one object a class, by colour, grey value or index of the palette", () => {
    const mask = createImage(4, 3);
    const paint = (x: number, y: number, color: readonly number[]): void => mask.data.set(color, 4 * (y * 4 + x));
    for (let i = 0; i < 12; i++) mask.data.set([0, 0, 0, 255], 4 * i);
    paint(1, 0, [128, 0, 0]);
    paint(1, 1, [128, 0, 0]);
    paint(3, 2, [2, 2, 2]);
    const byColor = maskPhoto("a", mask, parseMaskClasses("#800000 dog\n2 grey cat\n#00ff00 bird\n"));
    assert.equal(
      byColor.objects.map(({ label, box: { left, top, width, height } }) => [label, left, top, width, height]),
      [
        ["dog", 1, 0, 1, 2],
        ["grey cat", 3, 2, 1, 1],
      ],
    );
    const dog = { ...byColor, objects: byColor.objects.slice(0, 1) };
    assert.equal(rowsOf(dog, 4, 3), ["0100", "0100", "0000"]);
    const byIndex = maskPhoto("a", mask, parseMaskClasses("1 dog"), [0, 0x800000]);
    assert.equal(rowsOf(byIndex, 4, 3), ["0100", "0100", "0000"]);
    refuses(
      () => parseMaskClasses("dog"),
      'annotations: classes.txt of masks must have lines "#rrggbb NAME" or "INDEX NAME" with an index from 0 to 255, got "dog".',
    );
  });

  test("runs of a mask are as of each pixel by itself, on noise, stripes and a single colour", () => {
    const random = seededRandom(4);
    const classes = parseMaskClasses("0 a\n1 b\n#010101 as b\n#020202 c\n9 none");
    for (const [width, height, kinds] of [
      [7, 5, 3],
      [1, 9, 2],
      [9, 1, 2],
      [6, 6, 1],
    ] as const) {
      const mask = createImage(width, height);
      const values = Array.from({ length: width * height }, () => Math.floor(random() * kinds));
      for (const [i, value] of values.entries()) mask.data.fill(value, 4 * i, 4 * i + 3);
      const photo = maskPhoto("a", mask, classes);
      for (const [k, value] of [0, 1, 1, 2, 9].entries()) {
        const one = photo.objects.filter(({ categoryId }) => categoryId === -1 - k);
        assert.is(one.length, values.includes(value) ? 1 : 0);
        if (one.length === 0) continue;
        const expected = values.map((each) => Number(each === value)).join("");
        assert.is(rowsOf({ ...photo, objects: one }, width, height).join(""), expected);
      }
    }
  });

  test("a mask of another size than its photo is refused", () => {
    const photo = maskPhoto("a", createImage(4, 4, [1, 1, 1]), [{ label: "dog", index: 1 }]);
    refuses(
      () => rowsOf(photo, 8, 4),
      'annotations of "a": are for 4x4 pixels, the photo has 8x4. Annotate this photo, or give the one that was annotated.',
    );
  });

  test("photos are found by name, and by the name without its ending", () => {
    const photo = { file: "a", width: 1, height: 1, objects: [] };
    const named = { ...photo, file: "b.jpg" };
    const annotations = { photos: new Map([photo, named].map((each) => [each.file, each])), notes: [] };
    assert.is(annotatedPhoto(annotations, "a.png"), photo);
    assert.is(annotatedPhoto(annotations, "b.jpg"), named);
    assert.is(annotatedPhoto(annotations, "b.png"), undefined);
  });
});
