import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import * as assert from "uvu/assert";
import { runCli } from "../../cli/cli.ts";
import { isSignal, layerCurve, relevanceCurves, salientCurve, salientOverlay } from "../../cli/drawing/curve.ts";
import { themes } from "../../cli/drawing/theme.ts";
import { tensor } from "../../engine/basics/tensor.ts";
import type { Image } from "../../engine/picture/image.ts";
import { writeNpy } from "../../weights-loader/numpy/npy.ts";
import { comparePicture } from "../support/golden.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const producers = join(root, "test/fixtures/producers");

interface ProducerCase {
  readonly file: string;
  readonly shape: readonly number[];
  readonly input: readonly number[];
}

const readCases = (): ProducerCase[] => JSON.parse(readFileSync(join(producers, "cases.json"), "utf8"));

const zeros = (channels: number, length: number) => tensor([channels, 1, length], new Float32Array(channels * length));

/** A triangle, exact in every runtime. */
const triangle = (i: number, period: number): number => Math.abs((i % period) - period / 2) / period;

const pixel = ({ width, data }: Image, x: number, y: number): number[] => [
  ...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 3),
];

suite("cli/curves", (test) => {
  test("signals have one row or one column; vectors and images are none", () => {
    assert.equal([[1, 1, 96], [12, 500, 1], [3, 1, 1], [3, 2, 96], [4]].map(isSignal), [
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test("relevance for the class is red above the middle, against it blue below, where it lies and as high as it is", () => {
    const relevance = zeros(1, 4);
    relevance.data.set([0, 1, -1, 0.5]);
    const { relevance: drawn, size } = relevanceCurves(zeros(1, 4), relevance, { colormap: "bwr" }, themes.light);
    const { image, low, high } = drawn;
    assert.equal([image.width, image.height, low, high, size], [640, 112, -1, 1, "1 channel of 4 values"]);
    const [background, red, blue] = [
      [255, 255, 255],
      [255, 0, 0],
      [0, 0, 255],
    ];
    const quarters = [80, 240, 400];
    assert.equal(
      quarters.map((x) => pixel(image, x, 30)),
      [background, red, background],
    );
    assert.equal(
      quarters.map((x) => pixel(image, x, 80)),
      [background, background, blue],
    );
    // Half of the relevance: half as high and half as red.
    assert.equal(pixel(image, 560, 20), background);
    assert.equal(pixel(image, 560, 40)[0], 255);
    assert.ok(Math.abs(pixel(image, 560, 40)[1]! - 128) < 3);
  });

  test("relevance at a layer is summed over its channels: one curve, up for the class and down against it", () => {
    const relevance = zeros(2, 4);
    relevance.data.set([0.25, 2, -1, 0, -0.25, -1, -1, 0.5]);
    for (const shape of [
      [2, 1, 4],
      [2, 4, 1],
    ]) {
      const image = layerCurve(tensor(shape, relevance.data), { colormap: "bwr" }, themes.light);
      assert.equal([image.width, image.height], [640, 112]);
      const at = (y: number): number[][] => [80, 240, 400, 560].map((x) => pixel(image, x, y));
      const [background, half, blue] = [
        [255, 255, 255],
        [255, 129, 129],
        [0, 0, 255],
      ];
      assert.equal(at(20), [background, background, background, background]);
      assert.equal(at(40), [background, half, background, background]);
      assert.equal(at(100), [background, background, blue, background]);
    }
  });

  test("a peak of one value among 100,000 is seen in the signal and in its relevance", () => {
    const [signal, relevance] = [zeros(1, 100_000), zeros(1, 100_000)];
    signal.data[50_100] = 1;
    relevance.data[50_100] = 1;
    const curves = relevanceCurves(signal, relevance, { colormap: "bwr" }, themes.light);
    const column = Math.floor((50_100 / 100_000) * 640);
    assert.ok(pixel(curves.signal, column, 40)[0]! < 200, "the line goes up");
    assert.equal(pixel(curves.signal, column - 4, 40), [255, 255, 255]);
    assert.ok(pixel(curves.relevance.image, column, 30)[1]! < 200, "the relevance is drawn");
  });

  test("of many channels the six of most relevance are drawn, and the picture says which", () => {
    const relevance = zeros(12, 5);
    for (const c of [1, 3, 4, 7, 9, 11]) relevance.data[c * 5] = -1 - c;
    const { signal, size } = relevanceCurves(zeros(12, 5), relevance, {}, themes.light);
    assert.is(size, "channels 2, 4, 5, 8, 10, 12 of 12 (most relevance), 5 values");
    assert.is(signal.height, 6 * 112);
  });

  test("a constant signal without relevance is a line in the middle", () => {
    const { signal, relevance } = relevanceCurves(zeros(1, 9), zeros(1, 9), {}, themes.dark);
    assert.equal([relevance.low, relevance.high].map(Math.abs), [0, 0]);
    assert.ok(pixel(signal, 300, 56)[0]! > 150, "the line");
    assert.equal(pixel(signal, 300, 20), [...themes.dark.background]);
  });

  test("srmap explain draws a signal of a convolutional network as curves, in its panel and its pictures", async () => {
    const folder = mkdtempSync(join(tmpdir(), "srmap-curves-"));
    try {
      const input = join(folder, "signal.npy");
      const [first] = readCases().filter(({ file }) => file === "keras2-signal-layers-graph/model.json");
      assert.ok(first !== undefined);
      writeFileSync(input, writeNpy(tensor(first.shape, Float32Array.from(first.input))));
      const weights = join(producers, "keras2-signal-layers-graph/model.json");
      const layer = "StatefulPartitionedCall/sequential/separable_conv1d/BiasAdd";
      const options = ["--preprocess", "plain", "--at", layer, "--threads", "1", "--out", join(folder, "out")];
      let told = "";
      const code = await runCli(["explain", input, "--weights", weights, ...options], {
        out: () => undefined,
        err: (text) => {
          told += text;
        },
        redraw: () => undefined,
        isInteractive: false,
        columns: 80,
      });
      assert.is(code, 0, told);
      const [channels = 0] = first.shape;
      const size = (name: string): number[] => {
        const { width, height } = PNG.sync.read(readFileSync(join(folder, "out", name)));
        return [width, height];
      };
      const curves = ["overlay.png", "relevance.png", "salient-relevance.png"];
      assert.equal(
        curves.map(size),
        curves.map(() => [640, 112 * Math.min(6, channels)]),
      );
      assert.is(size("panel.png")[0], 2 * 640 + 28 + 80);
      assert.equal(size(`relevance-at-${layer.replaceAll("/", "-")}.png`), [640, 112]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("the curves are the pictures that were looked at", () => {
    const [signal, relevance] = [zeros(2, 90), zeros(2, 90)];
    signal.data.forEach((_, i) => {
      signal.data[i] = triangle(i, 30) + triangle(i, 8) / 4;
      relevance.data[i] = (triangle(i, 44) - 0.2) * (i < 90 ? 1 : -0.5);
    });
    const map = tensor(
      [1, 90],
      Float32Array.from({ length: 90 }, (_, i) => 2 * triangle(i, 60)),
    );
    const curves = relevanceCurves(signal, relevance, { colormap: "coldnhot" }, themes.dark);
    comparePicture("curves-relevance-dark", curves.relevance.image);
    comparePicture("curves-salient", salientCurve(map, 112, { colormap: "inferno" }, themes.light).image);
    comparePicture("curves-overlay", salientOverlay(signal, relevance, map, { colormap: "inferno" }, themes.light));
  });
});
