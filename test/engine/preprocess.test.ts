import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Preprocessing } from "../../engine/graph/definition.ts";
import { createImage, type Image, onWhite, type Pixels } from "../../engine/picture/image.ts";
import { fitPhoto, pictureOf, preprocess } from "../../engine/picture/preprocess.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const torchvision: Preprocessing = {
  resize: "shorter",
  resizeTo: 256,
  channelOrder: "rgb",
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
const asIs: Preprocessing = { ...torchvision, resize: "none" };
const shape = [3, 224, 224];

/** The same pixels as a canvas gives them. */
function clamped({ width, height, data }: Image): Pixels {
  return { width, height, data: new Uint8ClampedArray(data) };
}

function gradient(width: number, height: number): Image {
  const image = createImage(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = (y * width + x) * 4;
      image.data[i] = Math.round((255 * x) / width);
      image.data[i + 1] = Math.round((255 * y) / height);
      image.data[i + 2] = (x * 7 + y * 3) % 256;
    }
  }
  return image;
}

/** FNV-1a over the R, G, B bytes: goldens of whole pictures without storing them. */
function hash(image: Image): string {
  let h = 0x811c9dc5;
  image.data.forEach((byte, i) => {
    if (i % 4 !== 3) h = Math.imul(h ^ byte, 0x01000193) >>> 0;
  });
  return h.toString(16);
}

suite("engine/preprocess", (test) => {
  test("pixels of a canvas, clamped bytes, give what bytes give", () => {
    const photo = gradient(300, 280);
    assert.equal(preprocess(clamped(photo), torchvision, shape), preprocess(photo, torchvision, shape));
    photo.data.fill(60, 1000, 5000); // half-transparent somewhere
    assert.equal(onWhite(clamped(photo)), onWhite(photo));
    const gray: Preprocessing = { ...torchvision, channelOrder: "gray", mean: [0.5], std: [0.5] };
    assert.equal(preprocess(clamped(photo), gray, [1, 224, 224]), preprocess(photo, gray, [1, 224, 224]));
  });

  test("pixel values are scaled in double and rounded once, in the order of the network", () => {
    const photo = createImage(2, 1, [10, 128, 250]);
    const rgb = preprocess(photo, asIs, [3, 1, 2]).tensor;
    assert.equal(rgb.shape, [3, 1, 2]);
    const want = [10, 128, 250].map((v, c) => Math.fround((v / 255 - (asIs.mean[c] ?? 0)) / (asIs.std[c] ?? 0)));
    for (let c = 0; c < 3; c++) {
      // scale is 1/255 rounded, so v * scale may differ from v / 255 in the last place of a double.
      assert.ok(Math.abs((rgb.data[c * 2] ?? 9) - (want[c] ?? -9)) <= 2 ** -23, `channel ${c}`);
      assert.is(rgb.data[c * 2 + 1], rgb.data[c * 2]);
    }
    const caffe: Preprocessing = { ...asIs, channelOrder: "bgr", scale: 1, mean: [104, 117, 123], std: [1, 1, 1] };
    assert.equal([...preprocess(photo, caffe, [3, 1, 2]).tensor.data], [146, 146, 11, 11, -113, -113]);
  });

  test("the picture is what the network saw", () => {
    const { picture } = preprocess(gradient(224, 224), asIs, shape);
    assert.equal(picture, gradient(224, 224));
  });

  test("a tensor can be turned back into its picture, in either channel order", () => {
    const caffe: Preprocessing = { ...asIs, channelOrder: "bgr", scale: 1, mean: [104, 117, 123], std: [1, 1, 1] };
    for (const preprocessing of [asIs, caffe]) {
      const { tensor, picture } = preprocess(gradient(224, 224), preprocessing, shape);
      assert.equal(pictureOf(tensor, preprocessing), picture);
    }
    const outside = { shape: [3, 1, 1], data: Float32Array.of(-1000, 0, 1000) };
    assert.equal([...pictureOf(outside, caffe).data], [255, 117, 0, 255]);
    const two = { shape: [2, 1, 2], data: Float32Array.of(0, 1, 2, 7) };
    assert.equal([...pictureOf(two, asIs).data], [0, 0, 0, 255, 255, 255, 255, 255], "means stretched");
    assert.equal([...pictureOf(outside, undefined).data], [128, 128, 128, 255], "no preprocessing, one value");
  });

  test("a network of one channel sees Pillow's gray; colours treated unlike are refused", () => {
    const photo = createImage(2, 1);
    photo.data.set([200, 100, 30, 255, 0, 255, 7, 255]);
    const plain: Preprocessing = { ...asIs, scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
    // Image.fromarray([[[200, 100, 30], [0, 255, 7]]]).convert("L") of Pillow 13: 122, 150
    const { tensor, picture } = preprocess(photo, plain, [1, 1, 2]);
    assert.equal(tensor.data, Float32Array.of((122 / 255 - 0.5) / 0.5, (150 / 255 - 0.5) / 0.5));
    assert.equal([...picture.data], [122, 122, 122, 255, 150, 150, 150, 255]);
    assert.equal(pictureOf(tensor, plain), picture);
    assert.throws(
      () => preprocess(photo, { ...plain, mean: [0.4, 0.5, 0.6] }, [1, 1, 2]),
      /takes one channel, but its photos are prepared with a mean \[0\.4,0\.5,0\.6\]/,
    );
    const inGray: Preprocessing = { ...plain, channelOrder: "gray", mean: [0], std: [1] };
    assert.throws(
      () => preprocess(photo, inGray, [3, 1, 2]),
      (error: Error) =>
        error.message ===
        "preprocess: photos in gray are for networks of one channel, this one takes 3. Name the order of its colours: rgb or bgr.",
    );
  });

  test("fit squashes to the network's own size; nobody's preprocessing is refused", () => {
    const fit: Preprocessing = { ...asIs, resize: "fit" };
    const { picture } = preprocess(gradient(64, 48), fit, [3, 20, 31]);
    assert.equal([picture.width, picture.height], [31, 20]);
    assert.throws(
      () => preprocess(gradient(9, 9), undefined, shape),
      /neither the weights nor you say how photos are prepared/,
    );
  });

  test("margins that are odd are halved as Python rounds: to even", () => {
    // 256 x 301: margins 32 and 77, 77 / 2 = 38.5 -> 38; 256 x 303: 79 / 2 = 39.5 -> 40
    for (const [height, top] of [
      [301, 38],
      [303, 40],
    ] as const) {
      const photo = gradient(256, height);
      const picture = fitPhoto(photo, torchvision, shape);
      assert.equal(picture.data.subarray(0, 4), photo.data.subarray((top * 256 + 16) * 4, (top * 256 + 16) * 4 + 4));
    }
  });

  test("a photo 1 pixel high and 30,000 long costs no more than its crop", () => {
    const picture = fitPhoto(gradient(30000, 1), torchvision, shape);
    assert.equal([picture.width, picture.height], [224, 224]);
  });

  test("squash ignores the aspect ratio", () => {
    const picture = fitPhoto(createImage(300, 100, [9, 8, 7]), { ...torchvision, resize: "squash" }, shape);
    assert.equal([...picture.data.subarray(0, 4)], [9, 8, 7, 255]);
  });

  test("none refuses other sizes", () => {
    assert.throws(
      () => preprocess(createImage(225, 224), asIs, shape),
      (error: Error) =>
        error.message ===
        "preprocess: this network takes photos of 224x224 pixels as they are, got 225x224. Resize the photo first.",
    );
  });

  test("transparency is put on white before anything else, whoever hands the pixels over", () => {
    // What a canvas or a decoder gives: 40 % of a red, and nothing at all of a black that must not be seen.
    const clear = createImage(256, 256);
    for (let i = 0; i < clear.data.length; i += 4) clear.data.set(i % 8 === 0 ? [200, 0, 0, 102] : [0, 0, 0, 0], i);
    const solid = createImage(256, 256, [255, 255, 255]);
    // 200 * 0.4 + 255 * 0.6 = 233, 255 * 0.6 = 153.
    for (let i = 0; i < solid.data.length; i += 8) solid.data.set([233, 153, 153, 255], i);
    assert.equal(preprocess(clear, torchvision, shape), preprocess(solid, torchvision, shape));
  });

  test("wrong preprocessing is refused", () => {
    assert.throws(
      () => preprocess(createImage(9, 9), { ...torchvision, resizeTo: 200 }, shape),
      /resizeTo 200 makes 200x200 pixels, less than the network's 224x224/,
    );
    assert.throws(
      () => preprocess(createImage(9, 9), torchvision, [4, 28, 28]),
      /photos fit networks with input \[3,H,W\] or \[1,H,W\]/,
    );
    assert.throws(
      () => preprocess(createImage(9, 9), { ...torchvision, mean: [1] }, shape),
      /must have 3 values, got 1 and 3/,
    );
    assert.throws(
      () => preprocess({ width: 2, height: 2, data: new Uint8Array(3) }, torchvision, shape),
      /2x2 pixels of RGBA need 16 bytes, got 3/,
    );
  });

  // Pillow 13.0.0: Image.resize(torchvision's size, BILINEAR), then torchvision's centre crop; FNV-1a of the RGB bytes.
  test("photos are fitted as Pillow and torchvision do, bit for bit", () => {
    const fit = (name: string, preprocessing: Preprocessing): string =>
      hash(fitPhoto(decodeImage(readFileSync(join(root, "examples", name))), preprocessing, shape));
    assert.is(fit("cat.jpg", torchvision), "21552294");
    assert.is(fit("coffee.jpg", torchvision), "812b1c4e");
    assert.is(fit("coffee.jpg", { ...torchvision, resize: "squash", resizeTo: 227 }), "12fcf00");
  });
});
