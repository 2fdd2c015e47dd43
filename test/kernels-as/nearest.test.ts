import * as assert from "uvu/assert";
import { fenced } from "../support/canary.ts";
import { testKernels } from "../support/kernels.ts";
import { type Rng, rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

const f = Math.fround;
const nowhere = 3e38;

/** Candidates in blocks of eight, some places empty. */
interface World {
  readonly blocks: number;
  readonly values: Float32Array;
  readonly rest: Float32Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly isTaken: readonly boolean[];
}

function world(random: Rng, blocks: number, length: number, isCoarse: boolean): World {
  const places = blocks * 8;
  // Coarse values make many equal distances.
  const round = (data: Float32Array, steps: number): Float32Array =>
    isCoarse ? data.map((v) => Math.floor(v * steps) / steps) : data;
  return {
    blocks,
    values: round(random.f32(places * length, 0, 1), 2),
    rest: round(random.f32(places, 0, 1), 2),
    x: round(random.f32(places, 0, 3), 1),
    y: round(random.f32(blocks, 0, 3), 1),
    isTaken: Array.from({ length: places }, (_, i) => i % 8 < 3 || random.uniform() < 0.8),
  };
}

const value = (data: Float32Array, i: number): number => data[i] ?? Number.NaN;

/** The kernel's sum: two accumulators of four lanes, lanes added in pairs, every operation rounded to float32. */
function squaredDistance(values: Float32Array, i: number, j: number, length: number): number {
  const lanes = new Float32Array(8);
  for (let k = 0; k < length; k++) {
    const d = f(value(values, i * length + k) - value(values, j * length + k));
    lanes[k % 8] = f(value(lanes, k % 8) + f(d * d));
  }
  const sum = [0, 1, 2, 3].map((l) => f(value(lanes, l) + value(lanes, l + 4)));
  return f(f((sum[0] ?? 0) + (sum[1] ?? 0)) + f((sum[2] ?? 0) + (sum[3] ?? 0)));
}

function weight({ x, y }: World, i: number, j: number): number {
  const dx = f(value(x, j) - value(x, i));
  const dy = f(value(y, j >> 3) - value(y, i >> 3));
  const w = f(f(Math.sqrt(f(f(dx * dx) + f(dy * dy)))) + 1);
  return f(w * w);
}

/** d^2 of a pair, bit for bit. */
function pairDistance(w: World, i: number, j: number, length: number): number {
  const d = f(squaredDistance(w.values, i, j, length) + f(value(w.rest, i) + value(w.rest, j)));
  return f(d / weight(w, i, j));
}

function meanOfSmallest(w: World, i: number, length: number, neighbours: number): number {
  const all: number[] = [];
  for (let j = 0; j < w.blocks * 8; j++) if (w.isTaken[j] && j !== i) all.push(pairDistance(w, i, j, length));
  all.sort((a, b) => a - b);
  const sum = all.slice(0, neighbours).reduce((s, v) => s + BigInt(Math.trunc(Math.sqrt(v) * 2 ** 40)), 0n);
  return Number(sum) / (2 ** 40 * neighbours);
}

suite("nearest kernels", (test) => {
  const kernels = testKernels();
  const { call } = kernels;

  for (const [blocks, length, neighbours, isCoarse, rank] of [
    [2, 4, 1, false, 0],
    [2, 4, 9, true, 0],
    [9, 12, 30, false, 0],
    [70, 8, 64, false, 20],
    [70, 8, 64, true, 20],
    [70, 20, 5, false, 1], // a guess that is often too low
    [70, 20, 5, true, 1],
    [64, 148, 100, false, 50],
    [130, 52, 64, true, 16],
  ] as const) {
    const what = `${blocks} blocks, length ${length}, ${neighbours} neighbours${isCoarse ? ", ties" : ""}, rank ${rank}`;
    test(`meanNearest is the mean of exactly the smallest: ${what}`, () => {
      const random = rng(blocks + length);
      const w = world(random, blocks, length, isCoarse);
      const places = blocks * 8;
      // Bounds from some of the elements themselves: sure lower bounds of the distance.
      const terms = Math.min(3, length);
      const coefs = new Float32Array(places * terms);
      const middle = new Float32Array(places * 4);
      const half = new Float32Array(places).fill(nowhere);
      for (let i = 0; i < places; i++) {
        let norm = 0;
        for (let k = 0; k < terms; k++) {
          const v = value(w.values, i * length + k);
          coefs[((i >> 3) * terms + k) * 8 + (i & 7)] = v;
          norm += v * v;
        }
        for (let k = 0; k < 4; k++) middle[i * 4 + k] = value(w.values, i * length + k);
        if (w.isTaken[i]) half[i] = 0.5 * norm * (1 - 1e-5);
      }
      const quads: number[] = [];
      for (let first = 0; first < places && quads.length < 24; first += 4) {
        if ([0, 1, 2, 3].some((q) => w.isTaken[first + q])) quads.push(first);
      }
      const expected = new Float64Array(places);
      for (const first of quads) {
        for (let i = first; i < first + 4; i++)
          if (w.isTaken[i]) expected[i] = meanOfSmallest(w, i, length, neighbours);
      }
      const inputs = [Int32Array.from(quads), w.values, w.rest, middle, coefs, half, w.x, w.y].map((data) =>
        fenced(kernels, data),
      );
      const [q = 0, v = 0, r = 0, m = 0, c = 0, h = 0, x = 0, y = 0] = inputs.map(({ address }) => address);
      const scratch = fenced(kernels, new Uint8Array(call.meanNearestScratch(neighbours)));
      const run = (middleLength: number, ranges: readonly (readonly [number, number])[]): Float64Array => {
        const out = fenced(kernels, new Float64Array(places));
        const [o, s] = [out.address, scratch.address];
        for (const [begin, end] of ranges) {
          const slack = 1e-5;
          call.meanNearest(
            o,
            s,
            q,
            v,
            r,
            m,
            c,
            h,
            x,
            y,
            blocks,
            length,
            middleLength,
            terms,
            neighbours,
            slack,
            rank,
            begin,
            end,
          );
        }
        for (const buffer of [out, scratch, ...inputs]) buffer.check("meanNearest");
        return out.f64();
      };
      assert.equal(run(4, [[0, quads.length]]), expected);
      assert.equal(run(0, [[0, quads.length]]), expected, "without the second test");
      const singles = quads.map((_, i) => [quads.length - 1 - i, quads.length - i] as const);
      assert.equal(run(4, singles), expected, "one quad at a time, backwards");
      const cut = quads.length >> 1;
      assert.equal(
        run(4, [
          [cut, quads.length],
          [0, cut],
        ]),
        expected,
        "two ranges",
      );
    });
  }

  test("filterTile and listHits list what passes the bound, from every half block", () => {
    const blocks = 11;
    const terms = 5;
    const random = rng(9);
    const w = world(random, blocks, terms, false);
    const coefs = new Float32Array(blocks * 8 * terms);
    const half = new Float32Array(blocks * 8);
    for (let i = 0; i < blocks * 8; i++) {
      let norm = 0;
      for (let k = 0; k < terms; k++) {
        coefs[((i >> 3) * terms + k) * 8 + (i & 7)] = value(w.values, i * terms + k);
        norm += value(w.values, i * terms + k) ** 2;
      }
      half[i] = w.isTaken[i] ? norm / 2 : nowhere;
    }
    const limits = Float32Array.of(0.05, 0.1, 0.2, 0.4);
    const inputs = [coefs, half, w.x, w.y, limits].map((data) => fenced(kernels, data));
    const [c = 0, h = 0, x = 0, y = 0, l = 0] = inputs.map(({ address }) => address);
    for (let first = 0; first < 24; first += 4) {
      for (const [begin, end] of [
        [0, 8],
        [2, 11],
        [10, 11],
      ] as const) {
        const masks = fenced(kernels, new Uint8Array(256));
        call.filterTile(masks.address, c, h, x, y, l, first, terms, begin, end);
        masks.check("filterTile");
        for (let q = 0; q < 4; q++) {
          const list = fenced(kernels, new Int32Array(64 * 8));
          const count = call.listHits(list.address, masks.address + 64 * q, 64, begin * 8);
          list.check("listHits");
          const listed = new Set(new Int32Array(list.bytes().buffer).slice(0, count));
          assert.is(listed.size, count, "each once");
          for (let j = begin * 8; j < end * 8; j++) {
            const i = first + q;
            let dot = 0;
            for (let k = 0; k < terms; k++) dot += value(w.values, i * terms + k) * value(w.values, j * terms + k);
            const margin = dot + value(limits, q) * weight(w, i, j) - value(half, i) - value(half, j);
            // Nearer to the edge than rounding of numbers below 10, either answer is right.
            if (Math.abs(margin) > 1e-5) assert.is(listed.has(j), margin > 0, `query ${i}, candidate ${j}`);
          }
        }
      }
    }
  });

  test("guessLimit is the rank-th smallest bound when 128 candidates are asked", () => {
    const [blocks, terms] = [16, 3];
    const w = world(rng(10), blocks, terms, false);
    const coefs = new Float32Array(blocks * 8 * terms);
    const half = new Float32Array(blocks * 8);
    for (let i = 0; i < blocks * 8; i++) {
      for (let k = 0; k < terms; k++) {
        coefs[((i >> 3) * terms + k) * 8 + (i & 7)] = value(w.values, i * terms + k);
        half[i]! += value(w.values, i * terms + k) ** 2 / 2;
      }
    }
    const inputs = [coefs, half, w.x, w.y].map((data) => fenced(kernels, data));
    const [c = 0, h = 0, x = 0, y = 0] = inputs.map(({ address }) => address);
    const scratch = fenced(kernels, new Float32Array(128));
    for (const [i, rank] of [
      [0, 1],
      [13, 40],
      [127, 128],
    ] as const) {
      const bounds = Array.from({ length: 128 }, (_, j) => {
        let sum = 0;
        for (let k = 0; k < terms; k++) sum += (value(w.values, i * terms + k) - value(w.values, j * terms + k)) ** 2;
        return sum / weight(w, i, j);
      }).sort((a, b) => a - b);
      const got = call.guessLimit(scratch.address, c, h, x, y, i, terms, rank, 0, blocks);
      const [low = 0, high = 0] = [bounds[rank - 1], bounds[rank] ?? nowhere];
      assert.ok(got >= low - 1e-5 && got <= high + 1e-5, `${got} between ${low} and ${high}`);
      scratch.check("guessLimit");
    }
  });
});
