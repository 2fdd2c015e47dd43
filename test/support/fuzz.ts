import * as assert from "uvu/assert";
import { rng } from "./rng.ts";

/** Most that one attempt may take and reserve; the files are a few kB. */
const maximumMs = 1000;
const maximumBytes = 16 << 20;

// Numbers that loaders meet at their limits.
const edges = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** Damages a copy of `bytes`: flipped bits, extreme numbers, runs removed, doubled or swapped, truncation. */
export function mutate(bytes: Uint8Array, seed: number): Uint8Array {
  const random = rng(seed);
  let result = bytes.slice();
  for (let left = random.integer(1, 4); left > 0 && result.length > 0; left--) {
    const last = result.length - 1;
    // Structure lies at the start and at the end of most formats: damage these more often than the numbers between.
    const place = random.integer(0, 2);
    const near = Math.min(last, 512);
    const at = place === 0 ? random.integer(0, near) : last - random.integer(0, place === 1 ? near : last);
    const length = Math.min(random.integer(1, 64), result.length - at);
    switch (random.integer(0, 6)) {
      case 0:
        result[at] = (result[at] ?? 0) ^ (1 << random.integer(0, 7));
        break;
      case 1:
        result[at] = random.integer(0, 255);
        break;
      case 2: {
        const edge = edges[random.integer(0, edges.length - 1)] ?? 0n;
        const width = [1, 2, 4, 8][random.integer(0, 3)] ?? 1;
        for (let i = 0; i < width && at + i < result.length; i++)
          result[at + i] = Number((edge >> BigInt(8 * i)) & 255n);
        break;
      }
      case 3:
        result = Uint8Array.from([...result.subarray(0, at), ...result.subarray(at + length)]);
        break;
      case 4:
        result = Uint8Array.from([...result.subarray(0, at + length), ...result.subarray(at)]);
        break;
      case 5:
        result.copyWithin(random.integer(0, last), at, at + length);
        break;
      default:
        if (random.integer(0, 3) === 0) result = result.slice(0, at);
    }
  }
  return result;
}

/** Milliseconds of CPU that this process has used: on a busy machine wall time says nothing about a parser. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Feeds `attempt` with damaged copies of a real file. It may succeed (damage to numbers goes unnoticed) or refuse with one of
 * our error classes; every other error, a hang and a large allocation fail the test, naming the seed.
 */
export async function fuzz(
  bytes: Uint8Array,
  count: number,
  attempt: (damaged: Uint8Array) => Promise<unknown>,
): Promise<void> {
  let refused = 0;
  for (let seed = 1; seed <= count; seed++) {
    const damaged = mutate(bytes, seed);
    const started = cpuMs();
    const before = process.memoryUsage().arrayBuffers;
    try {
      await attempt(damaged);
    } catch (error) {
      refused++;
      const known = error instanceof Error && ["FormatError", "ShapeError", "UnsupportedError"].includes(error.name);
      assert.ok(known, `seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`);
    }
    const elapsed = cpuMs() - started;
    assert.ok(elapsed < maximumMs, `seed ${seed}: took ${elapsed.toFixed(0)} ms`);
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < maximumBytes, `seed ${seed}: reserved ${grown} bytes for a file of ${damaged.length}`);
  }
  assert.ok(refused > count / 10, `only ${refused} of ${count} damaged files were refused`);
}
