import * as assert from "uvu/assert";
import { fitText, loadFont, measureText } from "../../cli/drawing/font.ts";
import { formatConfidence, formatShare, type PanelContent, panel } from "../../cli/drawing/panel.ts";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { heatmap, overlay } from "../../engine/picture/heatmap.ts";
import { createImage, type Image } from "../../engine/picture/image.ts";
import { comparePicture } from "../support/golden.ts";
import { suite } from "../support/suite.ts";

const side = 32;

/** A bump at (cx, cy), so that upside-down or mirrored tiles would show. */
function bump(cx: number, cy: number, sign: number): Tensor {
  const data = new Float32Array(side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      data[y * side + x] = (sign * 40) / (40 + (x - cx) ** 2 + (y - cy) ** 2);
    }
  }
  return tensor([side, side], data);
}

function photo(): Image {
  const image = createImage(side, side, [90, 140, 90]);
  for (let y = 4; y < 14; y++) for (let x = 18; x < 28; x++) image.data.set([220, 60, 30], (y * side + x) * 4);
  return image;
}

function content(): PanelContent {
  const positive = bump(23, 9, 1);
  const negative = bump(6, 25, -0.6);
  const relevance = tensor([2, side, side], Float32Array.of(...positive.data, ...negative.data));
  return {
    photo: photo(),
    relevance: { ...heatmap(relevance), colormap: "bwr" },
    salientRelevance: { ...heatmap(positive, { colormap: "inferno" }), colormap: "inferno" },
    overlay: overlay(photo(), positive),
    target: { label: "red square", logit: 1, probability: 0.9134 },
    top: [
      { label: "red square", logit: 1, probability: 0.9134 },
      { label: "crème brûlée with a name too long for its place", logit: 1, probability: 0.0712 },
      { label: "green meadow", logit: 1, probability: 0.0001 },
      { label: "∞ unknown sign", logit: 1, probability: 0 },
    ],
    details: ["square.png", "testnet · li2019 · lab"],
  };
}

suite("cli/panel", (test) => {
  test("the panel is the picture that was looked at", () => comparePicture("panel", panel(content())));

  test("content as wide as 500 pixels is not enlarged, and a tiny one does not squeeze the header", () => {
    const wide = createImage(500, 500);
    const map = { ...heatmap(tensor([500, 500], new Float32Array(250000))), colormap: "bwr" };
    const big = panel({ ...content(), photo: wide, relevance: map, salientRelevance: map, overlay: wide });
    assert.is(big.width, 4 * 500 + 3 * 28 + 80);
    const dot = createImage(1, 1);
    const one = { ...heatmap(tensor([1, 1], Float32Array.of(1))), colormap: "bwr" };
    const small = panel({ ...content(), photo: dot, relevance: one, salientRelevance: one, overlay: dot });
    assert.is(small.width, 4 * 448 + 3 * 28 + 80);
  });

  test("shares never round to nothing", () => {
    assert.equal([1, 0.6134, 0.0005, 0.0004, 0].map(formatShare), ["100.0 %", "61.3 %", "0.1 %", "< 0.1 %", "0.0 %"]);
    assert.is(formatConfidence({ logit: 3, probability: 0.5 }), "50.0 %");
    assert.is(formatConfidence({ logit: -2.3456, probability: undefined }), "score −2.35");
  });

  test("texts that are too long end in an ellipsis inside their width", () => {
    const face = loadFont().faces.body;
    assert.is(fitText(face, "short", 500), "short");
    const cut = fitText(face, "a long text that does not fit", 120);
    assert.ok(cut.endsWith("…") && measureText(face, cut) <= 120 && cut.length > 5, cut);
    assert.is(fitText(face, "anything", 0), "…");
  });
});
