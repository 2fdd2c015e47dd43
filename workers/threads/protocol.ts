// How the threads of a pool talk: one shared block, written by the calling thread before it publishes a job.
// A job is published in one word: its number, the parts it has and the next part to take. Whoever exchanges the word for one
// with the next part taken owns that part, and the job cannot end before it is done: so a thread that wakes late can never act
// on arguments of another job.

/** Places in the block, in 32-bit words. */
export const word = { claim: 0, done: 1, failed: 2 } as const;
/** The claim word that tells threads to leave. */
export const leave = -1;
/** Where the arguments lie, in 64-bit words: kernel, range length, number of arguments, then value and stride of each. */
export const argumentsAt = 16;
/** Where a failed thread leaves its message, in bytes. */
export const messageAt = 2048;
export const blockBytes = 4096;
/** Looks at a word before a thread goes to sleep: about 50 us, longer than the pause between two kernels. */
export const spins = 20000;

/** The claim word of a fresh job. */
export function openJob(number: number, parts: number): number {
  return ((number & 0x7fff) << 16) | (parts << 8);
}

/** Parts of the job in a claim word, and the next one to take. */
export function jobOf(claim: number): { parts: number; next: number } {
  return { parts: (claim >> 8) & 0xff, next: claim & 0xff };
}

/** Where part `part` of [0, length) begins; multiples of four for long ranges, so that the tiles of a part stay whole. */
export function beginOf(part: number, parts: number, length: number): number {
  const begin = Math.floor((length * part) / parts);
  return part === parts || length < 8 * parts ? begin : begin & ~3;
}

/** Takes parts of the published job until none is left; a part that failed is reported before it counts as done. */
export function work(
  control: Int32Array,
  args: Float64Array,
  thread: number,
  kernels: readonly ((...args: number[]) => void)[],
  fail: (kernel: number, error: unknown) => void,
): void {
  for (;;) {
    const claim = Atomics.load(control, word.claim);
    if (claim === leave) return;
    const { parts, next } = jobOf(claim);
    if (next >= parts) return;
    if (Atomics.compareExchange(control, word.claim, claim, claim + 1) !== claim) continue;
    const length = args[argumentsAt + 1]!;
    const count = args[argumentsAt + 2]!;
    const values: number[] = [];
    for (let i = 0; i < count; i++) {
      values.push(args[argumentsAt + 3 + 2 * i]! + thread * args[argumentsAt + 4 + 2 * i]!);
    }
    try {
      kernels[args[argumentsAt]!]?.(...values, beginOf(next, parts, length), beginOf(next + 1, parts, length));
    } catch (error) {
      fail(args[argumentsAt]!, error);
    }
    Atomics.add(control, word.done, 1);
    Atomics.notify(control, word.done);
  }
}
