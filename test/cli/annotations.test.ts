import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import * as assert from "uvu/assert";
import { readAnnotations } from "../../cli/evaluate/read-annotations.ts";
import { unitsOf } from "../../cli/evaluate/units.ts";
import { modelByName } from "../../engine/models/index.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-annotations-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): void {
  mkdirSync(join(folder, name, ".."), { recursive: true });
  writeFileSync(join(folder, name), content);
}

async function messageOf(path: string): Promise<string> {
  return await readAnnotations(join(folder, path)).then(
    () => "none",
    (error: unknown) => (error instanceof Error ? error.message.replaceAll(`${folder}/`, "") : "no error"),
  );
}

const voc = (name: string): string =>
  `<annotation><size><width>9</width><height>9</height></size><object><name>${name}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object></annotation>`;

suite("cli/annotations", (test) => {
  test("a folder of Pascal VOC's XML: a broken file is told, the others count, unknown classes too", async () => {
    write("voc/a.xml", voc("golf ball"));
    write("voc/b.xml", "<annotation>");
    write("voc/c.xml", voc("unheard of"));
    const annotations = await readAnnotations(join(folder, "voc"));
    const photos = ["x/a.jpg", "x/b.jpg", "x/c.jpg"];
    const { units, leftOut } = unitsOf(photos, annotations, modelByName("alexnet-mini"));
    assert.equal(
      units.map(({ file, index }) => [file, index]),
      [["a.jpg", 8]],
    );
    assert.equal(leftOut, [
      'b.xml: annotations of "b": is no whole XML.',
      "b.jpg: the annotations do not have it.",
      'c.jpg: alexnet-mini does not know the class "unheard of".',
    ]);
  });

  test("crowd regions count as no object, photos that were not given are counted", () => {
    const box = { left: 0, top: 0, width: 3, height: 3 };
    const dog = { label: "golf ball", categoryId: -1, box };
    const photo = { file: "a.jpg", width: 9, height: 9, objects: [{ ...dog, isCrowd: true }] };
    const other = { ...photo, file: "b.jpg", objects: [...photo.objects, { ...dog, isCrowd: false }] };
    const photos = new Map([photo, other, { ...photo, file: "c.jpg" }].map((each) => [each.file, each]));
    const definition = modelByName("alexnet-mini");
    const { units, leftOut } = unitsOf(["a.jpg", "b.jpg"], { photos, notes: [] }, definition);
    assert.is(units.length, 1);
    assert.equal(leftOut, [
      "a.jpg: 1 crowd region, which count as no object.",
      "a.jpg: no object is left in its annotations.",
      "b.jpg: 1 crowd region, which count as no object.",
      "1 annotated photo was not given.",
    ]);
  });

  test("a folder of YOLO's text has its class names in it or around it", async () => {
    write("yolo/labels/a.txt", "1 0.5 0.5 0.2 0.2\n");
    assert.is(
      await messageOf("yolo/labels"),
      'annotations yolo/labels: needs a file classes.txt in this folder or the one around it: for YOLO a class name a line, for masks lines "#rrggbb NAME" or "INDEX NAME".',
    );
    write("yolo/classes.txt", "tench\ngolf ball\n");
    const { photos } = await readAnnotations(join(folder, "yolo/labels"));
    assert.is(photos.get("a")?.objects[0]?.label, "golf ball");
  });

  test("a folder of masks: colours and indices of a palette", async () => {
    const png = new PNG({ width: 3, height: 2 });
    png.data.set([0, 0, 0, 255, 0, 128, 0, 255]);
    write("masks/a.png", PNG.sync.write(png));
    write("masks/classes.txt", "#008000 golf ball\n");
    const { photos } = await readAnnotations(join(folder, "masks"));
    assert.equal(photos.get("a")?.objects[0]?.box, { left: 1, top: 0, width: 1, height: 1 });
    // 2x1 pixels of index 1 and 2, from Pillow 13: Image.new("P") with a palette of black, red, green.
    const palette = Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABAgMAAACJTJcZAAAACVBMVEUAAAD/AAAA/wD0g79+AAAACklEQVR4nGNIAAAAYgBhsZh58gAAAABJRU5ErkJggg==",
      "base64",
    );
    write("indexed/b.png", palette);
    write("indexed/classes.txt", "2 golf ball\n");
    const indexed = await readAnnotations(join(folder, "indexed"));
    assert.equal(indexed.notes, []);
    assert.is(indexed.photos.get("b")?.objects[0]?.box.width, 1);
  });

  test("what is none of them is refused in a sentence", async () => {
    mkdirSync(join(folder, "empty"));
    assert.is(
      await messageOf("empty"),
      "annotations empty: has no annotations: .xml files (Pascal VOC), .png (masks) or .txt (YOLO), one a photo.",
    );
    write("text.json", "x");
    assert.is(
      await messageOf("text.json"),
      "annotations text.json: is no JSON, as COCO's annotations are; of the other formats give the folder.",
    );
    assert.is(await messageOf("missing.json"), "annotations missing.json: there is no such file or folder.");
  });
});
