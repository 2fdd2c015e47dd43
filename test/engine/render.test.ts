import * as assert from "uvu/assert";
import { tensor } from "../../engine/basics/tensor.ts";
import { imagenetLabels } from "../../engine/labels/imagenet.ts";
import { colormap, colormapNames } from "../../engine/picture/colormap.ts";
import { type HeatmapOptions, heatmap, overlay } from "../../engine/picture/heatmap.ts";
import { createImage, type Image } from "../../engine/picture/image.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

function pixels(image: Image): string[] {
  return Array.from({ length: image.width * image.height }, (_, i) =>
    [...image.data.subarray(i * 4, i * 4 + 3)].map((b) => b.toString(16).padStart(2, "0")).join(""),
  );
}

function colorsOf(values: readonly number[], options: HeatmapOptions = {}): string[] {
  return pixels(heatmap(tensor([1, values.length], Float32Array.from(values)), options).image);
}

suite("engine/render", (test) => {
  test("every diverging map is neutral at 128, every map goes from its first to its last colour", () => {
    // First, middle and last colour, written from the maps' definitions.
    const ends: Record<string, string> = {
      gray: "000000 808080 ffffff",
      wred: "ffffff ff7f7f ff0000",
      wblue: "ffffff 7f7fff 0000ff",
      hot: "000000 ff8100 ffffff",
      cold: "000000 0000ff 00ffff",
      viridis: "440154 21918c fde725",
      magma: "000004 b73779 fcfdbf",
      inferno: "000004 bc3754 fcffa4",
      bwr: "0000ff ffffff ff0000",
      seismic: "00004c ffffff 800000",
      coldnhot: "00ffff 000000 ffffff",
      france: "0055a4 ffffff ef4135",
      coolio: "00d0d0 d0d0d0 d000d0",
      coleus: "00d000 d0d0d0 d000d0",
    };
    assert.equal([...colormapNames], Object.keys(ends));
    for (const name of colormapNames) {
      const { colors } = colormap(name);
      assert.is(colors.length, 768);
      const hex = (i: number): string =>
        [...colors.subarray(i * 3, i * 3 + 3)].map((b) => b.toString(16).padStart(2, "0")).join("");
      assert.is([hex(0), hex(128), hex(255)].join(" "), ends[name], name);
    }
  });

  test("an unknown colour map names the nearest", () => {
    assert.throws(
      () => colormap("infreno"),
      (error: Error) => error instanceof RangeError && error.message.endsWith('got "infreno". Did you mean "inferno"?'),
    );
    assert.throws(() => colormap("toString"), /got "toString"/);
  });

  test("symmetric: 0 is the middle colour and both signs have one scale", () => {
    assert.equal(colorsOf([-1, 0, 2]), ["8080ff", "ffffff", "ff0000"]);
    assert.equal(colorsOf([-2, 0, 2]), ["0000ff", "ffffff", "ff0000"]);
    const { low, high } = heatmap(tensor([1, 3], Float32Array.of(-3, 0, 2)));
    assert.equal([low, high], [-3, 3]);
  });

  test("not symmetric: smallest and largest value are the ends", () => {
    assert.equal(colorsOf([5, 6, 7], { colormap: "gray" }), ["000000", "808080", "ffffff"]);
    assert.equal(colorsOf([5, 6, 7], { colormap: "bwr", symmetric: false }), ["0000ff", "ffffff", "ff0000"]);
  });

  test("channels are summed", () => {
    const map = tensor([2, 1, 2], Float32Array.of(1, -3, 1, 1));
    assert.equal(pixels(heatmap(map).image), ["ff0000", "0000ff"]);
  });

  test("constant maps get the middle or low colour", () => {
    assert.equal(colorsOf([0, 0]), ["ffffff", "ffffff"]);
    assert.equal(colorsOf([7, 7], { colormap: "gray" }), ["000000", "000000"]);
  });

  test("the clip quantile leaves outliers out of the scale", () => {
    const values = Array.from({ length: 100 }, (_, i) => i + 1);
    values[99] = 1e6;
    const { low, high } = heatmap(tensor([10, 10], Float32Array.from(values)), { clipQuantile: 0.99 });
    assert.equal([low, high], [-99, 99]);
    const oneSided = heatmap(tensor([10, 10], Float32Array.from(values)), { clipQuantile: 0.98, colormap: "hot" });
    assert.equal([oneSided.low, oneSided.high], [3, 98]);
  });

  test("gamma follows the power function", () => {
    const random = rng(11);
    for (let i = 0; i < 200; i++) {
      const gamma = random.uniform(0.1, 4);
      const value = Math.fround(random.uniform(0, 1));
      const [, color = ""] = colorsOf([0, value, 1], { colormap: "gray", gamma });
      const want = 255 * value ** gamma;
      assert.ok(Math.abs(Number.parseInt(color.slice(0, 2), 16) - want) <= 0.5001, `${value} ^ ${gamma}, seed 11`);
    }
    assert.equal(colorsOf([-0.25, 0, 1], { gamma: 0.5 }), ["8080ff", "ffffff", "ff0000"]);
  });

  test("bad maps and options are refused", () => {
    assert.throws(() => colorsOf([Number.NaN]), /heatmap: map must be finite, got NaN/);
    assert.throws(() => colorsOf([Number.POSITIVE_INFINITY]), /must be finite, got Infinity/);
    assert.throws(() => colorsOf([1], { gamma: 0 }), /gamma must be over 0/);
    assert.throws(() => colorsOf([1], { clipQuantile: 1.1 }), /clipQuantile must be over 0 and at most 1, got 1.1/);
    assert.throws(
      () => heatmap(tensor([4], new Float32Array(4))),
      /must be \[C,H,W\] or \[H,W\] with no side 0, got \[4\]/,
    );
    assert.throws(() => heatmap(tensor([0, 4], new Float32Array(0))), /no side 0/);
  });

  test("the overlay keeps half of the photo's colours where the map is low and glows where it is high", () => {
    const image = overlay(createImage(3, 1, [100, 150, 200]), tensor([1, 3], Float32Array.of(0, 0.5, 1)));
    const gray = 0.299 * 100 + 0.587 * 150 + 0.114 * 200;
    const dim = [100, 150, 200].map((c) => 0.9 * (0.5 * gray + 0.5 * c));
    assert.equal([...image.data.subarray(0, 4)], [...dim.map(Math.round), 255]);
    const end = [0xfc, 0xff, 0xa4].map((c, i) => Math.round((dim[i] ?? 0) * 0.25 + c * 0.75));
    assert.equal([...image.data.subarray(8, 12)], [...end, 255]);
    assert.throws(
      () => overlay(createImage(3, 2), tensor([1, 3], new Float32Array(3))),
      /photo and map must have one size, got 3x2 and 3x1/,
    );
  });

  test("there are 1000 different class names", () => {
    assert.is(imagenetLabels.length, 1000);
    assert.is(new Set(imagenetLabels).size, 1000);
  });

  test("class names are in ILSVRC2012's order", () => {
    const known = {
      0: "tench",
      217: "English springer",
      482: "cassette player",
      491: "chain saw",
      497: "church",
      566: "French horn",
      569: "garbage truck",
      571: "gas pump",
      574: "golf ball",
      701: "parachute",
      999: "toilet tissue",
    };
    for (const [index, name] of Object.entries(known)) {
      assert.is(imagenetLabels[Number(index)]?.toLowerCase(), name.toLowerCase());
    }
  });
});
