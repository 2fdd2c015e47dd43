import * as assert from "uvu/assert";
import { fillValues } from "../cases/values.ts";
import { fenced } from "../support/canary.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

interface FlatCase {
  readonly reason: string;
  readonly outH: number;
  readonly outW: number;
  readonly taps: 3 | 5;
  readonly inC: number;
  readonly outC: number;
  readonly group: number;
  /** Value of a channel at a row and column. */
  value(y: number, x: number, c: number): number;
}

const noise = fillValues(1 << 16, "uniform", 5);
const at = (y: number, x: number, c: number): number => noise[(y * 571 + x * 31 + c) % noise.length]!;
const base = { outH: 11, outW: 13, taps: 3, inC: 16, outC: 24, group: 1 } as const;

const cases: readonly FlatCase[] = [
  { ...base, reason: "nothing is flat", value: at },
  { ...base, reason: "all of one colour", value: (_y, _x, c) => at(0, 0, c) },
  { ...base, reason: "columns of one colour: rows are equal", value: (_y, x, c) => at(0, x, c) },
  { ...base, reason: "rows of one colour: columns are equal", value: (y, _x, c) => at(y, 0, c) },
  { ...base, reason: "two colours side by side", value: (_y, x, c) => at(0, x < 6 ? 0 : 1, c) },
  { ...base, reason: "an object on white", value: (y, x, c) => (y > 3 && y < 8 && x > 4 && x < 9 ? at(y, x, c) : 1) },
  { ...base, reason: "zeros of both signs are equal", value: (y, x) => ((y + x) % 2 === 0 ? 0 : -0) },
  { ...base, reason: "differs in the last channel only", value: (y, x, c) => (c === 15 ? at(y, x, c) : 1) },
  {
    ...base,
    reason: "more areas than are computed together",
    outH: 48,
    outW: 61,
    value: (y, x, c) => at(y >> 2, x >> 2, c),
  },
  { ...base, reason: "a NaN equals nothing", value: () => Number.NaN },
  { ...base, reason: "width of whole vectors of marks", outW: 32, value: (y, x, c) => (x < 20 ? 1 : at(y, x, c)) },
  { ...base, reason: "width one more", outW: 33, value: (y, x, c) => (x > 15 ? 1 : at(y, x, c)) },
  { ...base, reason: "5x5", taps: 5, value: (y, x, c) => (x < 8 && y < 9 ? 1 : at(y, x, c)) },
  { ...base, reason: "two groups", inC: 8, outC: 16, group: 2, value: (y, x, c) => (x < 8 ? 1 : at(y, x, c)) },
];

suite("flatConv2d", (test) => {
  for (const { reason, outH, outW, taps, inC, outC, group, value } of cases) {
    test(reason, () => {
      const kernels = testKernels();
      const { call } = kernels;
      const [height, width] = [outH + taps - 1, outW + taps - 1];
      const channels = inC * group;
      const image = Float32Array.from({ length: height * width * channels }, (_, i) => {
        const pixel = Math.floor(i / channels);
        return value(Math.floor(pixel / width), pixel % width, i % channels);
      });
      const isEqual = (a: number, b: number): boolean => {
        for (let c = 0; c < channels; c++) if (image[a * channels + c] !== image[b * channels + c]) return false;
        return true;
      };
      const x = fenced(kernels, image);

      // The marks, in any parts.
      const rowBytes = Math.ceil((outW + taps + 15) / 16) * 16;
      const marks = fenced(kernels, new Uint8Array(rowBytes * (height + 1)));
      const image4 = [x.address, width * channels, channels, height, width, channels, taps] as const;
      const groups = Math.ceil(height / taps);
      for (const [begin, end] of [
        [1, groups],
        [0, 1],
      ] as const)
        call.markSamples(marks.address, rowBytes, ...image4, begin, end);
      for (const [begin, end] of [
        [3, height],
        [0, 3],
      ] as const)
        call.markAroundSamples(marks.address, rowBytes, ...image4, begin, end);
      const markAt = (y: number, col: number): number => {
        const pixel = y * width + col;
        const right = col + 1 < width && isEqual(pixel, pixel + 1) ? 1 : 0;
        return right + (y + 1 < height && isEqual(pixel, pixel + width) ? 2 : 0);
      };
      const around = (n: number): number[] => [n - (n % taps), n - (n % taps) + (n % taps === 0 ? 0 : taps)];
      const expectedMarks = new Uint8Array(rowBytes * (height + 1));
      for (let y = 0; y < height; y++) {
        for (let col = 0; col < width; col++) {
          // A pixel whose samples are all different need not be compared.
          const samples = around(y).flatMap((sy) =>
            around(col).map((sx) => (sy < height && sx < width ? markAt(sy, sx) : 0)),
          );
          expectedMarks[y * rowBytes + col] = samples.some((mark) => mark > 0) ? markAt(y, col) : 0;
        }
      }
      assert.equal(marks.bytes(), expectedMarks);

      // Which outputs have a neighbour with an equal patch, from the definition.
      const patchEquals = (y: number, col: number, dy: number, dx: number): boolean => {
        if (y + dy < 0 || y + dy >= outH || col + dx < 0 || col + dx >= outW) return false;
        for (let i = 0; i < taps; i++) {
          for (let j = 0; j < taps; j++) {
            const pixel = (y + i) * width + col + j;
            if (!isEqual(pixel, pixel + dy * width + dx)) return false;
          }
        }
        return true;
      };
      const isFlat = (y: number, col: number): boolean =>
        patchEquals(y, col, 0, 1) ||
        patchEquals(y, col, 0, -1) ||
        patchEquals(y, col, 1, 0) ||
        patchEquals(y, col, -1, 0);

      // The tiles of which all outputs are so.
      for (const size of [2, 4]) {
        const [tilesY, tilesX] = [Math.ceil(outH / size), Math.ceil(outW / size)];
        const skip = fenced(kernels, new Uint8Array(tilesY * tilesX));
        const space = fenced(kernels, new Uint8Array(2 * rowBytes));
        for (const [begin, end] of [
          [1, tilesY],
          [0, 1],
        ] as const)
          call.markFlatTiles(skip.address, marks.address, space.address, rowBytes, outH, outW, taps, size, begin, end);
        const whole = Uint8Array.from({ length: tilesY * tilesX }, (_, t) => {
          const [top, left] = [Math.floor(t / tilesX) * size, (t % tilesX) * size];
          for (let y = top; y < Math.min(top + size, outH); y++) {
            for (let col = left; col < Math.min(left + size, outW); col++) if (!isFlat(y, col)) return 0;
          }
          return 1;
        });
        assert.equal(skip.bytes(), whole, `tiles of ${size}`);
        space.check("markFlatTiles");
      }

      const weight = fillValues(outC * group * inC * taps * taps, "uniform", 9);
      const packBytes = 4 * outC * taps * taps * inC;
      const pack = fenced(kernels, new Float32Array((packBytes / 4) * group));
      const rows = fenced(kernels, weight);
      const bias = fenced(kernels, fillValues(outC * group, "uniform", 10));
      const scratch = fenced(kernels, new Uint8Array(2 * rowBytes + 1152));
      const before = fillValues(outH * outW * outC * group, "uniform", 11);
      const direct = fenced(kernels, new Float32Array(before.length));
      const results = [
        [0, outH],
        [0, 4, outH],
        [0, 1, 2, 7, outH],
      ].map((cuts) => {
        const y = fenced(kernels, before);
        for (let g = 0; g < group; g++) {
          const [from, to] = [x.address + 4 * g * inC, pack.address + g * packBytes];
          const own = bias.address + 4 * g * outC;
          const rowsOf = rows.address + 4 * g * outC * inC * taps * taps;
          kernels.arena.f32(to, packBytes / 4).fill(0);
          call.conv2dPack(to, rowsOf, 0, 0, outC, inC, taps, taps);
          // biome-ignore format: one group of arguments a line
          call.conv2dForward(direct.address + 4 * g * outC, outW * outC * group, outC * group, from, width * channels, channels, to, own, scratch.address,
            outW, outC, inC, taps, taps, 1, 1, 1, 1, 0, 1, outH, 0, outH);
          for (let k = cuts.length - 1; k > 0; k--) {
            // biome-ignore format: one group of arguments a line
            call.flatConv2d(y.address + 4 * g * outC, outW * outC * group, outC * group, from, width * channels, channels, to, own, scratch.address,
              marks.address, rowBytes, outW, outC, inC, taps, 0, 1, cuts[k - 1]!, cuts[k]!);
          }
        }
        for (const buffer of [x, y, marks, pack, rows, bias, scratch]) buffer.check("flatConv2d");
        return y.f32().slice();
      });
      const defined = direct.f32();
      const expected = before.map((value, i) => {
        const pixel = Math.floor(i / (outC * group));
        return isFlat(Math.floor(pixel / outW), pixel % outW) ? defined[i]! : value;
      });
      for (const result of results) assert.equal(result, expected);
    });
  }
});
