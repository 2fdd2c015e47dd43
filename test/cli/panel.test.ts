import * as assert from "uvu/assert";
import { fitText, loadFont, measureText, wrapText } from "../../cli/drawing/font.ts";
import { formatConfidence, formatShare } from "../../cli/drawing/format.ts";
import { type PanelContent, panel } from "../../cli/drawing/panel.ts";
import { photoOverlay } from "../../cli/drawing/photo-overlay.ts";
import { type SheetColumn, sheet } from "../../cli/drawing/sheet.ts";
import { themes } from "../../cli/drawing/theme.ts";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import { torchvisionPreprocessing } from "../../engine/models/preprocessing.ts";
import { heatmap, overlay } from "../../engine/picture/heatmap.ts";
import { createImage, type Image } from "../../engine/picture/image.ts";
import { photoFit } from "../../engine/picture/preprocess.ts";
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
    shares: { for: 3, against: -1 },
    clipQuantile: 0.995,
    warning: "The network is unsure: a warning long enough to go on in a second line of the panel, as real ones may.",
    target: { label: "red square", logit: 1, probability: 0.9134 },
    top: [
      { label: "red square", logit: 1, probability: 0.9134 },
      { label: "crème brûlée with a name too long for its place", logit: 1, probability: 0.0712 },
      { label: "green meadow", logit: 1, probability: 0.0001 },
      { label: "∞ unknown sign", logit: 1, probability: 0 },
    ],
    details: ["square.png", "testnet · features lab", "method: li2019"],
  };
}

suite("cli/panel", (test) => {
  test("the panel is the picture that was looked at, in both themes", () => {
    comparePicture("panel", panel(content(), themes.light));
    comparePicture("panel-dark", panel(content(), themes.dark));
  });

  test("the sheet is the picture that was looked at", () => {
    const { relevance, shares, salientRelevance } = content();
    const column = (heading: string): SheetColumn => ({ heading, lines: [], relevance, shares, salientRelevance });
    const columns = [column("li2019"), column("epsilonPlus")];
    comparePicture(
      "sheet",
      sheet({ title: "red square 91.3 %", details: ["square.png"], photo: photo(), columns }, themes.light),
    );
  });

  test("what the network did not see is dark in the overlay of the whole photo, and the map lies where it belongs", () => {
    const fit = photoFit({ width: 8, height: 4 }, { ...torchvisionPreprocessing, resizeTo: 2 }, [3, 2, 2]);
    assert.equal(fit, { resizedWidth: 4, resizedHeight: 2, left: 1, top: 0, width: 2, height: 2 });
    const image = photoOverlay(createImage(8, 4, [200, 200, 200]), tensor([2, 2], Float32Array.of(0, 1, 0, 0)), fit);
    const red = (x: number, y: number): number => image.data[4 * (8 * y + x)] ?? 0;
    assert.equal([red(0, 0), red(7, 3)], [81, 81], "0.45 of 0.9 of the photo");
    assert.is(red(2, 3), 180, "seen, and nothing stands out");
    assert.ok(red(5, 0) > 200, "what stands out");
  });

  test("every colour of text stands out from its background by 4.5 to 1 (WCAG 2.2, 1.4.3)", () => {
    const luminance = (color: readonly number[]): number => {
      const [r = 0, g = 0, b = 0] = color.map((byte) => {
        const c = byte / 255;
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    for (const [name, { background, ink, quiet, accent, warning }] of Object.entries(themes)) {
      for (const color of [ink, quiet, accent, warning]) {
        const [dark = 0, light = 0] = [luminance(background), luminance(color)].sort((a, b) => a - b);
        const contrast = (light + 0.05) / (dark + 0.05);
        assert.ok(contrast >= 4.5, `${name} ${color.join(",")}: ${contrast}`);
      }
    }
  });

  test("content as wide as 500 pixels is not enlarged, and a tiny one does not squeeze the header", () => {
    const wide = createImage(500, 500);
    const map = { ...heatmap(tensor([500, 500], new Float32Array(250000))), colormap: "bwr" } as const;
    const big = panel(
      { ...content(), photo: wide, relevance: map, salientRelevance: map, overlay: wide },
      themes.light,
    );
    assert.is(big.width, 2 * 500 + 28 + 80);
    const dot = createImage(1, 1);
    const one = { ...heatmap(tensor([1, 1], Float32Array.of(1))), colormap: "bwr" } as const;
    const small = panel(
      { ...content(), photo: dot, relevance: one, salientRelevance: one, overlay: dot },
      themes.light,
    );
    assert.is(small.width, 2 * 448 + 28 + 80);
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
    const lines = wrapText(face, "words that go on in a next line, and averyveryverylongword", 150);
    assert.is(lines.join(" "), "words that go on in a next line, and averyveryverylongword");
    assert.ok(lines.slice(0, -1).every((line) => measureText(face, line) <= 150));
  });
});
