import type { Tensor } from "../../engine/basics/tensor.ts";
import { explainTargets } from "../../engine/explain.ts";
import type { Network } from "../../engine/network/network.ts";
import type { Target } from "../../engine/request/target.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { checked } from "../measure/difference.ts";
import { type Effort, measure } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";

/** Several targets of one photo: one forward pass, a relevance pass each; and whole explanations of them. */
export function benchTargets(network: Network, input: Tensor, effort: Effort): Result[] {
  const common = { group: `targets, ${network.definition.name}`, by: "srmap", threads: network.kernels.threads };
  const logits = network.forward(input).data;
  const best = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!);
  const startOf = (target: number): Float32Array => Float32Array.from(logits, (logit, i) => (i === target ? logit : 0));
  const starts = best.slice(0, 8).map(startOf);
  const plan = network.relevancePlan(compositeByName("li2019"));
  const targets: Target[] = best.slice(0, 4).map((index) => index);
  // A target among others has the map that it has alone.
  const alone = plan.run(starts[3] ?? logits).relevance.data;
  const among = explainTargets(network, input, targets, { composite: "li2019" })[3]?.relevance.data ?? [];
  const check = checked("targets", among, alone, "alone", 0);
  const counts = [1, 2, 4, 8];
  const relevance = counts.map((count) =>
    measure(effort, () => {
      network.forward(input);
      for (const start of starts.slice(0, count)) plan.run(start);
    }),
  );
  const perExtra = ((relevance[3]?.medianMs ?? 0) - (relevance[0]?.medianMs ?? 0)) / 7;
  const explained = effort.once ? [1, 2] : [1, 4];
  const explanations = explained.map((count) =>
    measure(effort, () => void explainTargets(network, input, targets.slice(0, count), { composite: "li2019" })),
  );
  const perExplanation =
    ((explanations[1]?.medianMs ?? 0) - (explanations[0]?.medianMs ?? 0)) / ((explained[1] ?? 0) - (explained[0] ?? 0));
  return [
    ...relevance.map((timing, i) => ({ ...common, name: `forward and li2019, targets: ${counts[i]}`, check, timing })),
    { ...common, name: "li2019, each further target", value: perExtra, unit: "ms" },
    ...explanations.map((timing, i) => ({ ...common, name: `explanation, targets: ${explained[i]}`, check, timing })),
    { ...common, name: "explanation, each further target", value: perExplanation, unit: "ms" },
  ];
}
