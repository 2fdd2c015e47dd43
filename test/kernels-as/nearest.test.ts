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
    y: round(random.f32(places, 0, 3), 1),
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
  const dy = f(value(y, j) - value(y, i));
  const w = f(f(Math.sqrt(f(f(dx * dx) + f(dy * dy)))) + 1);
  return f(w * w);
}

/** d^2 of a pair, bit for bit. */
function pairDistance(w: World, i: number, j: number, length: number): number {
  const d = f(squaredDistance(w.values, i, j, length) + f(value(w.rest, i) + value(w.rest, j)));
  return f(d / weight(w, i, j));
}

/** Norm of the elements of place i from `from` on. */
function norm(w: World, length: number, i: number, from: number): number {
  return Math.sqrt(w.values.subarray(i * length + from, (i + 1) * length).reduce((sum, v) => sum + v * v, 0));
}

/** The first three elements of the values, as [blocks,3,8]. */
function nearTerms(w: World, length: number): Float32Array {
  const out = new Float32Array(w.blocks * 8 * 3);
  for (let i = 0; i < w.blocks * 8; i++) {
    for (let k = 0; k < 3; k++) out[((i >> 3) * 3 + k) * 8 + (i & 7)] = value(w.values, i * length + k);
  }
  return out;
}

/** The values' elements in steps of 16 bits, two and two. */
interface Pairs {
  readonly shared: number;
  readonly count: number;
  /** [blocks,count,8] of two i16. */
  readonly data: Int16Array;
  readonly unit: Float32Array;
}

/** Pairs of the first 2 `shared` elements; the next with the norm of those after it; it again and so on up to `used`, and the norm of the rest. */
function pairsOf(w: World, length: number, shared: number, used: number): Pairs {
  const count = shared + 1 + Math.ceil((used - 2 * shared + 1) / 2);
  const data = new Int16Array(w.blocks * count * 16);
  const unit = new Float32Array(w.blocks * 8);
  for (let i = 0; i < w.blocks * 8; i++) {
    const step = f(norm(w, length, i, 0) / 32000);
    unit[i] = step;
    const at = (k: number): number =>
      k < used ? value(w.values, i * length + k) : k === used ? norm(w, length, i, k) : 0;
    const pairs = Array.from({ length: count }, (_, n) => {
      const k = 2 * (n > shared ? n - 1 : n);
      return n === shared ? [at(k), norm(w, length, i, k + 1)] : [at(k), at(k + 1)];
    });
    pairs.flat().forEach((v, k) => {
      data[(((i >> 3) * count + (k >> 1)) * 8 + (i & 7)) * 2 + (k & 1)] = step > 0 ? Math.round(v / step) : 0;
    });
  }
  return { shared, count, data, unit };
}

/** Half of |v|^2 + rest, a little lessened; `nowhere` in empty places. */
function halves(w: World, length: number): Float32Array {
  return Float32Array.from({ length: w.blocks * 8 }, (_, i) => {
    const norm = w.values.subarray(i * length, (i + 1) * length).reduce((sum, v) => sum + v * v, value(w.rest, i));
    return w.isTaken[i] ? 0.5 * norm * (1 - 1e-5) : nowhere;
  });
}

/** Room for the boxes of the blocks. */
function emptyBoxes(blocks: number): Float32Array {
  const groups = Math.ceil(blocks / 4);
  return new Float32Array(groups * 44).fill(nowhere, (groups * 11 - 1) * 4);
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
      // Bounds from some of the elements themselves.
      const half = halves(w, length);
      const near = nearTerms(w, length);
      const pairs = pairsOf(w, length, 1, 4);
      const quads: number[] = [];
      for (let first = 0; first < places && quads.length < 24; first += 4) {
        if ([0, 1, 2, 3].some((q) => w.isTaken[first + q])) quads.push(first);
      }
      const expected = new Float64Array(places);
      for (const first of quads) {
        for (let i = first; i < first + 4; i++)
          if (w.isTaken[i]) expected[i] = meanOfSmallest(w, i, length, neighbours);
      }
      const boxes = fenced(kernels, emptyBoxes(blocks));
      const inputs = [Int32Array.from(quads), w.values, w.rest, near, pairs.data, pairs.unit, half, w.x, w.y].map(
        (data) => fenced(kernels, data),
      );
      const [q = 0, v = 0, r = 0, n = 0, p = 0, u = 0, h = 0, x = 0, y = 0] = inputs.map(({ address }) => address);
      call.boundBlocks(boxes.address, n, r, h, x, y, 0, blocks);
      const scratch = fenced(kernels, new Uint8Array(call.meanNearestScratch(neighbours)));
      const run = (ranges: readonly (readonly [number, number])[]): Float64Array => {
        const out = fenced(kernels, new Float64Array(places));
        const [o, s] = [out.address, scratch.address];
        for (const [begin, end] of ranges) {
          const b = boxes.address;
          const sizes = [blocks, length, pairs.shared, pairs.count, neighbours, rank] as const;
          call.meanNearest(o, s, q, v, r, n, p, u, h, x, y, b, ...sizes, begin, end);
        }
        for (const buffer of [out, scratch, boxes, ...inputs]) buffer.check("meanNearest");
        return out.f64();
      };
      assert.equal(run([[0, quads.length]]), expected);
      const singles = quads.map((_, i) => [quads.length - 1 - i, quads.length - i] as const);
      assert.equal(run(singles), expected, "one quad at a time, backwards");
      const cut = quads.length >> 1;
      assert.equal(
        run([
          [cut, quads.length],
          [0, cut],
        ]),
        expected,
        "two ranges",
      );
    });
  }

  test("boundBlocks and nearBlocks keep every block in which a pair may be near, and no block far away", () => {
    const [blocks, length] = [23, 3];
    const w = world(rng(8), blocks, length, false);
    // Blocks that lie together, or boxes would tell nothing apart.
    for (let i = 0; i < blocks * 8; i++) {
      for (let k = 0; k < length; k++)
        w.values[i * length + k] = value(w.values, i * length + k) * 0.1 + ((i >> 3) % 5);
      w.x[i] = value(w.x, i) * 0.1 + ((i >> 3) % 3);
    }
    const inputs = [nearTerms(w, length), w.rest, halves(w, length), w.x, w.y].map((data) => fenced(kernels, data));
    const [n = 0, r = 0, h = 0, x = 0, y = 0] = inputs.map(({ address }) => address);
    const boxes = fenced(kernels, emptyBoxes(blocks));
    call.boundBlocks(boxes.address, n, r, h, x, y, 9, blocks);
    call.boundBlocks(boxes.address, n, r, h, x, y, 0, 9);
    const limits = fenced(kernels, Float32Array.of(0.02, 0.1, 0.2, 0.4));
    const scratch = fenced(kernels, new Float32Array(2 * 24));
    let left = 0;
    for (let first = 0; first < 24; first += 4) {
      for (const [begin, end] of [
        [0, 23],
        [4, 12],
        [20, 23],
      ] as const) {
        const list = fenced(kernels, new Int32Array(27));
        const [s, l] = [scratch.address, limits.address];
        const count = call.nearBlocks(list.address, s, n, r, x, y, boxes.address, l, first, begin, end);
        for (const buffer of [list, scratch, limits, boxes, ...inputs]) buffer.check("nearBlocks");
        const kept = new Int32Array(list.bytes().buffer).slice(0, count);
        assert.ok(
          kept.every((b, at) => b >= begin && b < end && (at === 0 || b > (kept[at - 1] ?? 0))),
          "in order",
        );
        for (let b = begin; b < end; b++) {
          const isNear = [0, 1, 2, 3].some((q) =>
            Array.from({ length: 8 }, (_, lane) => b * 8 + lane).some(
              (j) => w.isTaken[j] && pairDistance(w, first + q, j, length) <= 2 * (limits.f32()[q] ?? 0) * (1 - 1e-6),
            ),
          );
          if (isNear) assert.ok(kept.includes(b), `block ${b} for query ${first}`);
          left += kept.includes(b) ? 0 : 1;
        }
      }
    }
    assert.ok(left > 60, `${left} blocks left out`);
  });

  test("keepBlocks, filterTile and listHits list what passes the bounds, from every half block", () => {
    const [blocks, length] = [11, 9];
    const w = world(rng(9), blocks, length, false);
    w.rest.fill(0);
    for (let i = 0; i < blocks * 8 * length; i++)
      w.values[i] = 0.3 * value(w.values, i) + (Math.floor(i / (8 * length)) % 3) * 0.2;
    const halfLimits = Float32Array.of(0.001, 0.002, 0.003, 0.004);
    const pairs = pairsOf(w, length, 1, 6);
    const data = [pairs.data, pairs.unit, halves(w, length), w.x, w.y, halfLimits];
    const inputs = data.map((each) => fenced(kernels, each));
    const [p = 0, u = 0, h = 0, x = 0, y = 0, l = 0] = inputs.map(({ address }) => address);
    const boxes = fenced(kernels, emptyBoxes(blocks));
    call.boundBlocks(boxes.address, fenced(kernels, nearTerms(w, length)).address, h, h, x, y, 0, blocks);
    /** Half of limit * W less half of the squared distance of the first k elements and the norms of the others. */
    const margin = (i: number, j: number, k: number, q: number, weighted: number): number => {
      let sum = (norm(w, length, i, k) - norm(w, length, j, k)) ** 2;
      for (let e = 0; e < k; e++) sum += (value(w.values, i * length + e) - value(w.values, j * length + e)) ** 2;
      return value(halfLimits, q) * weighted - sum / 2;
    };
    const taken = (b: number): number[] => lanes(b).filter((j) => w.isTaken[j]);
    /** How far the corner of the block's box lies that is farthest away. */
    const farthest = (i: number, b: number): number => {
      const far = (p: Float32Array): number => Math.max(...taken(b).map((j) => Math.abs(value(p, j) - value(p, i))));
      return Math.hypot(far(w.x), far(w.y));
    };
    const lanes = (b: number): number[] => [0, 1, 2, 3, 4, 5, 6, 7].map((lane) => b * 8 + lane);
    const room = 2e-3; // norms of about 1, times the slack
    let left = 0;
    let apart = 0;
    for (let first = 0; first < 24; first += 4) {
      const given = Int32Array.of(0, 1, 2, 4, 5, 7, 8, 9, 10);
      const list = fenced(kernels, given);
      const sums = fenced(kernels, new Int32Array(given.length * 32));
      const scratch = fenced(kernels, new Float32Array(8));
      const [s, at, t] = [sums.address, list.address, scratch.address];
      const slack = call.slackOf(pairs.count);
      const sizes = [given.length, first, pairs.shared, pairs.count, slack] as const;
      const kept = call.keepBlocks(at, s, at, p, u, h, x, y, boxes.address, l, t, ...sizes);
      const blocksKept = new Int32Array(list.bytes().buffer).slice(0, kept);
      for (const b of given) {
        const most = [0, 1, 2, 3].map((q) => {
          const i = first + q;
          if (!w.isTaken[i]) return Number.NEGATIVE_INFINITY;
          const weighted = (1 + farthest(i, b)) ** 2;
          return Math.max(...taken(b).map((j) => margin(i, j, 3, q, weighted)));
        });
        const margins = Math.max(...most);
        // Nearer to the edge than the lessened norms and rounding to 16 bits, what is kept may lie beyond.
        if (margins > 0 || margins < -room)
          assert.is(blocksKept.includes(b), margins > 0, `block ${b}, query ${first}`);
        left += blocksKept.includes(b) ? 0 : 1;
      }
      const masks = fenced(kernels, new Uint8Array(256));
      const farPairs = pairs.count - pairs.shared - 1;
      const [b, k, n] = [boxes.address, pairs.shared, pairs.count];
      call.filterTile(masks.address, s, at, p, u, h, x, y, b, l, t, kept, first, k, farPairs, n);
      for (const buffer of [masks, sums, scratch, list, boxes, ...inputs]) buffer.check("filterTile");
      for (let q = 0; q < 4; q++) {
        const hits = fenced(kernels, new Int32Array(64 * 8));
        const count = call.listHits(hits.address, masks.address + 64 * q, at, kept);
        hits.check("listHits");
        const listed = new Set(new Int32Array(hits.bytes().buffer).slice(0, count));
        assert.is(listed.size, count, "each once");
        const i = first + q;
        for (const j of [...blocksKept].flatMap(lanes)) {
          if (!w.isTaken[i] || !w.isTaken[j]) {
            assert.not(listed.has(j), `no query ${i} or no candidate ${j}`);
            continue;
          }
          if (margin(i, j, 6, q, weight(w, i, j)) > 0) assert.ok(listed.has(j), `query ${i}, candidate ${j}`);
          // The bound of W that takes no root.
          const c = Math.max(0.05, farthest(i, j >> 3));
          const r = Math.hypot(value(w.x, j) - value(w.x, i), value(w.y, j) - value(w.y, i));
          const isFar = margin(i, j, 6, q, 1 + c + (1 + 1 / c) * r * r) < -room;
          if (isFar) assert.not(listed.has(j), `query ${i}, candidate ${j}, is far`);
          apart += isFar ? 1 : 0;
        }
      }
    }
    assert.ok(left > 5, `${left} blocks left out`);
    assert.ok(apart > 400, `${apart} pairs left out`);
  });

  test("slackOf covers what rounding takes from a product of two vectors", () => {
    const random = rng(11);
    for (const count of [1, 4, 24]) {
      for (let n = 0; n < 200; n++) {
        const [a, b] = [random.f32(2 * count, -1, 1), random.f32(2 * count, -1, 1)].map((v) => {
          const scale = 32000 / Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
          return Float64Array.from(v, (x) => x * scale);
        });
        const dot = (x: Float64Array, y: Float64Array): number =>
          x.reduce((sum, v, k) => sum + v * (y[k] ?? Number.NaN), 0);
        const [p, q] = [a ?? new Float64Array(), b ?? new Float64Array()];
        assert.ok(dot(p.map(Math.round), q.map(Math.round)) + call.slackOf(count) >= dot(p, q));
        // The worst case: every rounding loses half a step against the other vector.
        const away = q.map((v) => Math.round(v) + (v < 0 ? -0.5 : 0.5));
        const short = dot(p.map(Math.round), q.map(Math.round));
        assert.ok(short + call.slackOf(count) >= dot(p.map(Math.round), away));
      }
    }
  });

  test("guessLimit is the rank-th smallest bound when 128 candidates are asked", () => {
    const [blocks, used, length] = [16, 4, 5];
    const w = world(rng(10), blocks, length, false);
    const pairs = pairsOf(w, length, used / 2, length);
    const half = new Float32Array(blocks * 8);
    for (let i = 0; i < blocks * 8; i++) {
      for (let k = 0; k < used; k++) half[i]! += value(w.values, i * length + k) ** 2 / 2;
    }
    const inputs = [pairs.data, pairs.unit, half, w.x, w.y].map((data) => fenced(kernels, data));
    const [p = 0, u = 0, h = 0, x = 0, y = 0] = inputs.map(({ address }) => address);
    const scratch = fenced(kernels, new Float32Array(128));
    for (const [i, rank] of [
      [0, 1],
      [13, 40],
      [127, 128],
    ] as const) {
      const bounds = Array.from({ length: 128 }, (_, j) => {
        let sum = 0;
        for (let k = 0; k < used; k++) sum += (value(w.values, i * length + k) - value(w.values, j * length + k)) ** 2;
        return sum / weight(w, i, j);
      }).sort((a, b) => a - b);
      const got = call.guessLimit(scratch.address, p, u, h, x, y, i, pairs.count, used / 2, rank, 0, blocks);
      const [low = 0, high = 0] = [bounds[rank - 1], bounds[rank] ?? nowhere];
      assert.ok(got >= low - 1e-3 && got <= high + 1e-3, `${got} between ${low} and ${high}`);
      scratch.check("guessLimit");
    }
  });
});
