import type { Shape } from "../../engine/basics/tensor.ts";
import { fillValues } from "./values.ts";

/** The size that networks make maps of. */
export const mapShape: Shape = [3, 224, 224];

/**
 * A relevance map of full size that needs no file: signed speckle a few pixels wide, alike in the channels, around two
 * objects on a quiet ground. A little harder to search than maps of photos (measured by time).
 */
export function speckledMap(): Float32Array {
  const [channels = 0, height = 0, width = 0] = mapShape;
  const reach = 4;
  const pitch = width + reach - 1;
  const plane = pitch * (height + reach - 1);
  const noise = fillValues((channels + 1) * plane, "uniform", 224);
  const near = (y: number, x: number, radius: number): number => 1 / (1 + (y * y + x * x) / (radius * radius));
  const smooth = (from: number): number => {
    let sum = 0;
    for (let i = 0; i < reach * reach; i++) sum += noise[from + Math.floor(i / reach) * pitch + (i % reach)] ?? 0;
    return sum;
  };
  return Float32Array.from({ length: channels * height * width }, (_, i) => {
    const x = i % width;
    const y = Math.floor(i / width) % height;
    const c = Math.floor(i / (width * height));
    const objects = near(y - 90, x - 80, 30) ** 2 + 0.6 * near(y - 150, x - 170, 20) ** 2;
    const at = y * pitch + x;
    return (smooth(channels * plane + at) + 0.2 * smooth(c * plane + at)) * (0.005 + objects);
  });
}

/**
 * Un-normalised saliency of that map at a few patch centres of the default settings, by the float64 oracle
 * (test/cases/salient-relevance-224.test.ts computes them): what a benchmark checks before it measures.
 */
export const spots: readonly {
  readonly feature: "lab" | "gray";
  readonly scale: number;
  readonly row: number;
  readonly column: number;
  readonly value: number;
}[] = [
  { feature: "lab", scale: 1, row: 0, column: 0, value: 0.0024741733293107693 },
  { feature: "lab", scale: 1, row: 40, column: 33, value: 0.5664083003866355 },
  { feature: "lab", scale: 1, row: 60, column: 70, value: 0.073125808520495 },
  { feature: "lab", scale: 1, row: 83, column: 83, value: 0.0033485205109313743 },
  { feature: "lab", scale: 0.8, row: 30, column: 28, value: 0.44764633471548887 },
  { feature: "lab", scale: 0.8, row: 10, column: 60, value: 0.0023036687590156646 },
  { feature: "lab", scale: 0.5, row: 18, column: 15, value: 0.4948979023887339 },
  { feature: "lab", scale: 0.5, row: 41, column: 0, value: 0.0015113520486440546 },
  { feature: "lab", scale: 0.3, row: 9, column: 8, value: 0.4403906170618741 },
  { feature: "lab", scale: 0.3, row: 16, column: 19, value: 0.32381423768451445 },
  { feature: "gray", scale: 1, row: 0, column: 0, value: 0.002462598596471355 },
  { feature: "gray", scale: 1, row: 40, column: 33, value: 0.5115209712188109 },
  { feature: "gray", scale: 1, row: 60, column: 70, value: 0.06555980838215747 },
  { feature: "gray", scale: 1, row: 83, column: 83, value: 0.002288893097987854 },
  { feature: "gray", scale: 0.8, row: 30, column: 28, value: 0.3129554738449005 },
  { feature: "gray", scale: 0.8, row: 10, column: 60, value: 0.0023618286263998867 },
  { feature: "gray", scale: 0.5, row: 18, column: 15, value: 0.44013741314803834 },
  { feature: "gray", scale: 0.5, row: 41, column: 0, value: 0.001762910786050731 },
  { feature: "gray", scale: 0.3, row: 9, column: 8, value: 0.3960913239671786 },
  { feature: "gray", scale: 0.3, row: 16, column: 19, value: 0.28476374564736484 },
];
