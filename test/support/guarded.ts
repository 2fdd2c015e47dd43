import type { Arena } from "../../engine/memory/arena.ts";
import type { Kernels } from "../../engine/memory/kernels.ts";
import { testKernels } from "./kernels.ts";

const guardBytes = 256;
const canary = 0x7fc0dead; // a quiet NaN: what reads it shows in the result

/** Kernels whose arena puts canaries before and after every block it hands out. */
export interface GuardedKernels {
  readonly kernels: Kernels;
  /** Throws unless every canary is as it was. */
  check(what: string): void;
}

/**
 * Kernels with a guarded arena: a kernel that writes outside its block destroys a canary, and one that reads outside and uses
 * what it read gets NaN. Blocks keep their 64-byte alignment.
 */
export function guardedKernels(): GuardedKernels {
  const kernels = testKernels();
  const damages: string[] = [];
  const arenas = [guardArena(kernels.arena, damages)];
  const { scope } = kernels.arena;
  kernels.arena.scope = () => {
    const own = scope.call(kernels.arena);
    arenas.push(guardArena(own, damages));
    return own;
  };
  return {
    kernels,
    check(what) {
      for (const { lookAtAll } of arenas) lookAtAll();
      const [first] = damages;
      if (first !== undefined) throw new Error(`${what}: ${first}`);
    },
  };
}

/** Makes an arena put canaries around what it hands out, and report damaged ones. */
function guardArena(arena: Arena, damages: string[]): { lookAtAll(): void } {
  const allocate = arena.allocate.bind(arena);
  const reserve = arena.reserve.bind(arena);
  const release = arena.release.bind(arena);
  const giveBack = arena.giveBack.bind(arena);
  let guards: { readonly address: number; readonly index: number }[] = [];
  let count = 0;
  const guard = (): number => {
    const address = reserve(guardBytes);
    guards.push({ address, index: count++ });
    return address;
  };
  /** Takes memory by `take` between two canaries. */
  const between = (take: () => number): number => {
    const before = guard();
    const address = take();
    const after = guard();
    for (const each of [before, after]) arena.i32(each, guardBytes / 4).fill(canary);
    // Sizes are rounded up to 64 bytes: the rest of the last line is a canary too, but reads of whole vectors may meet it.
    return address;
  };
  const lookAt = ({ address, index }: (typeof guards)[number]): void => {
    const damaged = arena.i32(address, guardBytes / 4).findIndex((value) => value !== canary);
    if (damaged >= 0) damages.push(`canary ${index} at ${address} is damaged at element ${damaged}`);
  };
  // `allocate` calls `reserve`: it gets the plain one.
  arena.allocate = (bytes) =>
    between(() => {
      const guarded = arena.reserve;
      arena.reserve = reserve;
      const address = allocate(bytes);
      arena.reserve = guarded;
      return address;
    });
  arena.reserve = (bytes) => between(() => reserve(bytes));
  // What is given back is looked at for the last time.
  arena.release = (mark) => {
    for (const each of guards.filter(({ address }) => address >= mark)) lookAt(each);
    guards = guards.filter(({ address }) => address < mark);
    release(mark);
  };
  arena.giveBack = () => {
    for (const each of guards.splice(0)) lookAt(each);
    giveBack();
  };
  return {
    lookAtAll() {
      for (const each of guards) lookAt(each);
    },
  };
}
