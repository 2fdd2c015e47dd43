import Benchmark from "benchmark";

/** How long one call takes, in milliseconds. */
export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** CPU time of the process per call, all threads together: beside wall time it shows a shared machine. */
  readonly cpuMs: number;
  readonly samples: number;
}

/** How thoroughly the bench measures. */
export interface Effort {
  /** One call of everything: the gate's way of seeing that no benchmark has rotted. */
  readonly once: boolean;
}

/** Milliseconds of CPU that this process has used. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Median of a list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Summary of samples in milliseconds; `cpu` holds their CPU times. */
export function timingOf(wall: readonly number[], cpu: readonly number[]): Timing {
  return {
    medianMs: median(wall),
    minMs: Math.min(...wall),
    maxMs: Math.max(...wall),
    cpuMs: median(cpu),
    samples: wall.length,
  };
}

/** Wall and CPU milliseconds of one call. */
function sample(run: () => void): { wall: number; cpu: number } {
  const [cpu, wall] = [cpuMs(), performance.now()];
  run();
  return { wall: performance.now() - wall, cpu: cpuMs() - cpu };
}

/**
 * Times a synchronous function by benchmark.js, after three calls that let the compiler finish.
 * @param seconds for how long samples are taken, at least seven
 */
export function measure(effort: Effort, run: () => void, seconds = 1.5): Timing {
  if (effort.once) {
    const { wall, cpu } = sample(run);
    return timingOf([wall], [cpu]);
  }
  let calls = 0;
  const counted = (): void => {
    calls++;
    run();
  };
  for (let i = 0; i < 3; i++) run();
  const cpu = cpuMs();
  const bench = new Benchmark({ fn: counted, minSamples: 7, maxTime: seconds, minTime: 0.02 }).run({ async: false });
  const perCall = (cpuMs() - cpu) / calls;
  const wall = bench.stats.sample.map((each) => 1000 * each);
  return { ...timingOf(wall, wall), cpuMs: perCall };
}

/**
 * Times functions whose ratio matters in turns, so that what the machine does beside hits all of them alike.
 * @returns one timing per function
 */
export function measureInTurns(effort: Effort, runs: readonly (() => void)[], rounds = 9): Timing[] {
  const samples = runs.map(() => ({ wall: [] as number[], cpu: [] as number[] }));
  const warmUps = effort.once ? 0 : 2;
  for (let round = 0; round < (effort.once ? 1 : warmUps + rounds); round++) {
    for (const [index, run] of runs.entries()) {
      const { wall, cpu } = sample(run);
      if (round < warmUps) continue;
      samples[index]?.wall.push(wall);
      samples[index]?.cpu.push(cpu);
    }
  }
  return samples.map(({ wall, cpu }) => timingOf(wall, cpu));
}
