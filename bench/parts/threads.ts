import { explain } from "../../engine/explain.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { loadKernels } from "../../host/threads/load-kernels.ts";
import type { SeededNetName } from "../../test/cases/seeded-nets.ts";
import { checked } from "../measure/difference.ts";
import { type Effort, measureInTurns } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";
import { buildSeeded, topStart } from "../nets/seeded.ts";

/** The same work on one, two and three threads, in turns; every result must have the bytes of one thread. */
export async function benchThreads(name: SeededNetName, effort: Effort): Promise<Result[]> {
  const counts = [1, 2, 3];
  const pools = await Promise.all(counts.map((threads) => loadKernels({ threads })));
  try {
    const candidates = pools.map((kernels) => {
      const { network, input } = buildSeeded(kernels, name);
      const start = topStart(network.forward(input).data);
      const plan = network.relevancePlan(compositeByName("li2019"));
      const { relevance } = plan.run(start);
      const salient = salientRelevance(kernels, relevance).map.data;
      const run = {
        forward: () => void network.forward(input),
        "li2019 without forward": () => void plan.run(start),
        "SR step, exact": () => void salientRelevance(kernels, relevance),
        explanation: () => void explain(network, input, { composite: "li2019" }),
      };
      return { run, results: { forward: start, relevance: relevance.data, salient } };
    });
    const [one] = candidates;
    if (one === undefined) return [];
    for (const { results } of candidates) {
      for (const key of ["forward", "relevance", "salient"] as const)
        checked(`${name} ${key} on threads`, results[key], one.results[key], "one thread", 0);
    }
    return (Object.keys(one.run) as (keyof typeof one.run)[]).flatMap((what) => {
      const timings = measureInTurns(
        effort,
        candidates.map(({ run }) => run[what]),
      );
      return timings.map((timing, i): Result => {
        const threads = counts[i] ?? 0;
        return { group: `threads, ${name}`, name: what, by: "srmap", threads, check: "bytes of one thread", timing };
      });
    });
  } finally {
    await Promise.all(pools.map((kernels) => kernels.close()));
  }
}
