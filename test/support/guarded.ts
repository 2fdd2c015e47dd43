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
  const { arena } = kernels;
  const guards: number[] = [];
  const allocate = arena.allocate.bind(arena);
  const guard = (): number => {
    const address = allocate(guardBytes);
    guards.push(address);
    return address;
  };
  arena.allocate = (bytes) => {
    const before = guard();
    const address = allocate(bytes);
    const after = guard();
    for (const each of [before, after]) arena.i32(each, guardBytes / 4).fill(canary);
    // Sizes are rounded up to 64 bytes: the rest of the last line is a canary too, but reads of whole vectors may meet it.
    return address;
  };
  return {
    kernels,
    check(what) {
      for (const [index, address] of guards.entries()) {
        const damaged = arena.i32(address, guardBytes / 4).findIndex((value) => value !== canary);
        if (damaged >= 0) throw new Error(`${what}: canary ${index} at ${address} is damaged at element ${damaged}`);
      }
    },
  };
}
