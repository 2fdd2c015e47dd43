import { type Fill, fillValues } from "./values.ts";

/** A dense layer to check or to time. */
export interface DenseCase {
  readonly name: string;
  readonly reason: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly hasBias: boolean;
  readonly fill: Fill;
}

type Row = Pick<DenseCase, "name" | "reason"> & Partial<DenseCase>;

const base: Omit<DenseCase, "name" | "reason"> = { inFeatures: 24, outFeatures: 10, hasBias: true, fill: "uniform" };
const tails = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];

const rows: Row[] = [
  { name: "base", reason: "a small head" },
  ...tails.map((inFeatures): Row => ({ name: `${inFeatures} in`, reason: "lane tails of the reduction", inFeatures })),
  ...tails.map((outFeatures): Row => ({ name: `${outFeatures} out`, reason: "lane tails of the rows", outFeatures })),
  { name: "25088 in", reason: "VGG's longest sum: rounding grows with it", inFeatures: 25088, outFeatures: 3 },
  {
    name: "25088 in, rectified",
    reason: "the same after a ReLU",
    inFeatures: 25088,
    outFeatures: 3,
    fill: "rectified",
  },
  { name: "9216 in, 17 out", reason: "AlexNet's longest sum with a row tail", inFeatures: 9216, outFeatures: 17 },
  { name: "1 in 1000 out", reason: "many rows of one", inFeatures: 1, outFeatures: 1000 },
  { name: "no bias", reason: "sums start at 0", hasBias: false },
  { name: "zeros", reason: "the bias alone", fill: "zeros" },
  { name: "rectified", reason: "skipped zeros must not change the sum", fill: "rectified", inFeatures: 67 },
  { name: "denormals", reason: "no flush to zero is relied on", fill: "denormal" },
  { name: "huge values", reason: "no overflow before the result has it", fill: "huge" },
  { name: "integers", reason: "exact in float32: the result must be too", fill: "integers" },
];

/** The dense layers that every implementation is checked with. */
export const denseCases: readonly DenseCase[] = rows.map((row) => ({ ...base, ...row }));

/** Seeded input, weights [out,in] and bias of a case. */
export function denseData(
  c: DenseCase,
  seed: number,
): { x: Float32Array; weight: Float32Array; bias: Float32Array | undefined } {
  const weightFill = c.fill === "integers" ? "integers" : c.fill === "huge" ? "huge" : "uniform";
  return {
    x: fillValues(c.inFeatures, c.fill, seed),
    weight: fillValues(c.inFeatures * c.outFeatures, weightFill, seed + 1),
    bias: c.hasBias ? fillValues(c.outFeatures, weightFill, seed + 2) : undefined,
  };
}
