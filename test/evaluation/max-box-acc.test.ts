import * as assert from "uvu/assert";
import { type Box, boxIou, boxIous, boxThresholds, gaussianBlur, seededRandom } from "../../evaluation/index.ts";
import { suite } from "../support/suite.ts";

/** The slow twin: each threshold by itself, its areas by flood filling. */
function boxAround(isOn: (i: number) => boolean, width: number, length: number): Box | undefined {
  const seen = new Set<number>();
  let best: number[] = [];
  for (let seed = 0; seed < length; seed++) {
    if (seen.has(seed) || !isOn(seed)) continue;
    const area = [seed];
    seen.add(seed);
    for (const pixel of area) {
      for (const dy of [-1, 0, 1]) {
        for (const dx of [-1, 0, 1]) {
          const [x, y] = [(pixel % width) + dx, Math.floor(pixel / width) + dy];
          const next = y * width + x;
          if (x < 0 || x >= width || next < 0 || next >= length || seen.has(next) || !isOn(next)) continue;
          seen.add(next);
          area.push(next);
        }
      }
    }
    if (area.length > best.length) best = area;
  }
  if (best.length === 0) return undefined;
  const [xs, ys] = [best.map((pixel) => pixel % width), best.map((pixel) => Math.floor(pixel / width))];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left + 1, height: Math.max(...ys) - top + 1 };
}

suite("evaluation/max-box-acc", (test) => {
  test("equals flood filling at each threshold, on noise, steps, smooth maps and a constant one", () => {
    const [width, height] = [31, 23];
    const boxes = [
      { left: 3, top: 4, width: 10, height: 9 },
      { left: 17, top: 9, width: 9, height: 12 },
    ];
    for (let seed = 1; seed <= 12; seed++) {
      const random = seededRandom(seed);
      const noise = Float64Array.from({ length: width * height }, () => random() - 0.2);
      const maps = [
        noise,
        noise.map((value) => Math.round(value * 6) / 6),
        gaussianBlur(noise, width, 2),
        noise.fill(2),
      ];
      for (const map of maps) {
        const [low, high] = [Math.min(...map), Math.max(...map)];
        const expected = boxThresholds.map((threshold) => {
          const found = boxAround((i) => (map[i]! - low) / (high - low || 1) >= threshold, width, map.length);
          return found === undefined ? 0 : Math.max(...boxes.map((box) => boxIou(box, found)));
        });
        assert.equal(boxIous(map, width, boxes), expected, `seed ${seed}`);
      }
    }
  });

  test("thresholds count in any order", () => {
    const random = seededRandom(2);
    const map = Float64Array.from({ length: 400 }, () => random());
    const boxes = [{ left: 5, top: 5, width: 8, height: 8 }];
    const turned = boxIous(map, 20, boxes, [...boxThresholds].reverse());
    assert.equal(turned.reverse(), boxIous(map, 20, boxes));
  });
});
