import { readFileSync } from "node:fs";
import { type Effort, measure } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";

/** What this machine allows one thread of strict 128-bit WebAssembly. */
export interface Roof {
  /** Multiplications and additions of float32 in registers, 10^9 operations a second. */
  readonly gflops: number;
  /** Reading memory that no cache holds, 10^9 bytes a second. */
  readonly gigabytes: number;
}

interface RoofExports {
  readonly memory: WebAssembly.Memory;
  mulAdd(rounds: number, m: number, a: number): number;
  readSum(at: number, bytes: number): number;
  stream(to: number, share: number, from: number, bytes: number): number;
}

/** The bench's own module, without anything in its memory. */
function roofModule(): RoofExports {
  const module = new WebAssembly.Module(readFileSync(new URL("../roof.wasm", import.meta.url)));
  return new WebAssembly.Instance(module, {}).exports as unknown as RoofExports; // roof.wat
}

const firstByte = 65536;
const chunk = 4096;

/**
 * Measures how long it takes to read and write as many bytes as a layer does, one after the other, again and again: no layer of that size can
 * be faster, wherever in the caches it lies.
 * @returns a function of both numbers of bytes: milliseconds, of the fastest sample
 */
export function streaming(effort: Effort): (readBytes: number, writtenBytes: number) => number {
  const { memory, stream } = roofModule();
  return (readBytes, writtenBytes) => {
    const bytes = Math.ceil(readBytes / chunk) * chunk;
    const share = 64 * Math.max(1, Math.round((writtenBytes / bytes) * (chunk / 64)));
    const to = firstByte + bytes;
    const words = new Int32Array(memory.buffer, firstByte, bytes / 4);
    let sum = 0;
    for (let i = 0; i < words.length; i++) {
      words[i] = i;
      sum = (sum + i) | 0;
    }
    if (stream(to, share, firstByte, bytes) !== sum) throw new Error("roof: stream misses something.");
    const last = new Int32Array(memory.buffer, to + (share * bytes) / chunk - 64, 16);
    if (last.reduce((total, value) => (total + value) | 0, 0) !== sum)
      throw new Error("roof: stream writes too little.");
    for (let i = 0; !effort.once && i < 300; i++) stream(to, share, firstByte, bytes);
    return measure(effort, () => void stream(to, share, firstByte, bytes), 0.1).minMs;
  };
}

const operationsPerRound = 96;
const bufferBytes = 2 ** 28; // more than any cache that one core reads at full speed

/** mulAdd by its definition: every step rounded to float32. */
function mulAddReference(rounds: number, m: number, a: number): number {
  const lane = (value: number): number => {
    let v = value;
    for (let i = 0; i < rounds; i++) v = Math.fround(Math.fround(v * m) + a);
    return v;
  };
  const sums = [0, 1, 2, 3].map((l) => {
    const chain = (c: number): number => lane(c + l);
    const pair = (c: number): number => Math.fround(chain(c) + chain(c + 1));
    const low = Math.fround(Math.fround(pair(0) + pair(2)) + Math.fround(pair(4) + pair(6)));
    return Math.fround(low + Math.fround(pair(8) + pair(10)));
  });
  const [a0 = 0, a1 = 0, a2 = 0, a3 = 0] = sums;
  return Math.fround(Math.fround(a0 + a1) + Math.fround(a2 + a3));
}

/** Measures the roof with the bench's own module (bench/roof.wat): its fastest sample, since a roof is what is possible. */
export function benchRoof(effort: Effort): { roof: Roof; results: Result[] } {
  const { memory, mulAdd, readSum } = roofModule();
  const [got, expected] = [mulAdd(37, 0.75, 0.125), mulAddReference(37, 0.75, 0.125)];
  if (got !== expected) throw new Error(`roof: mulAdd gives ${got}, its definition ${expected}.`);
  const words = new Int32Array(memory.buffer, firstByte, bufferBytes / 4);
  let sum = 0;
  for (let i = 0; i < words.length; i++) {
    words[i] = i;
    sum = (sum + i) | 0;
  }
  if (readSum(firstByte, bufferBytes) !== sum) throw new Error("roof: readSum misses something.");
  // Short calls first: V8 changes a function's code only between calls.
  for (let i = 0; i < 300; i++) mulAdd(20_000, 0.75, 0.125);
  for (let i = 0; i < 300; i++) readSum(firstByte, 2 ** 20);
  const rounds = 2_000_000;
  const common = { group: "roof", by: "this machine", threads: 1, check: "by definition" };
  const arithmetic = measure(effort, () => void mulAdd(rounds, 0.75, 0.125));
  const reading = measure(effort, () => void readSum(firstByte, bufferBytes));
  const roof = {
    gflops: (rounds * operationsPerRound) / arithmetic.minMs / 1e6,
    gigabytes: bufferBytes / reading.minMs / 1e6,
  };
  return {
    roof,
    results: [
      { ...common, name: "f32x4 multiply and add, strict", value: roof.gflops, unit: "GFLOP/s" },
      { ...common, name: "reading memory", value: roof.gigabytes, unit: "GB/s" },
    ],
  };
}
