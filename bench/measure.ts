import Benchmark from "benchmark";

/** How long one call takes, in milliseconds. */
export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Mean CPU time of the process per call, all threads together: beside wall time it shows a shared machine. */
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

/** Times a synchronous function by benchmark.js, after three calls that let the compiler finish. */
export function measure(effort: Effort, run: () => void): Timing {
  let calls = 0;
  const counted = (): void => {
    calls++;
    run();
  };
  if (effort.once) {
    const [cpu, wall] = [cpuMs(), performance.now()];
    run();
    const ms = performance.now() - wall;
    return { medianMs: ms, minMs: ms, maxMs: ms, cpuMs: cpuMs() - cpu, samples: 1 };
  }
  for (let i = 0; i < 3; i++) run();
  const cpu = cpuMs();
  const bench = new Benchmark({ fn: counted, minSamples: 7, maxTime: 1.5, minTime: 0.02 }).run({ async: false });
  const perCall = (cpuMs() - cpu) / calls;
  const sample = bench.stats.sample.map((seconds) => 1000 * seconds);
  return {
    medianMs: median(sample),
    minMs: Math.min(...sample),
    maxMs: Math.max(...sample),
    cpuMs: perCall,
    samples: sample.length,
  };
}
