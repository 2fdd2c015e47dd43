import { hasTargets } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";
import { type Tensor, tensor } from "../basics/tensor.ts";
import { valueNamed } from "../graph/compiled-graph.ts";
import type { Network } from "../network/network.ts";
import type { RelevanceResult } from "../network/relevance-plan.ts";
import type { Composite } from "../rules/composite.ts";
import type { ResolvedTarget, Target } from "./target.ts";

/** Start of a channel target: the channel's activation, or 1 where it is positive for composites that start from 1. */
function channelStart(network: Network, from: number, channel: number, start: "score" | "one"): Float32Array {
  const { shape, data } = network.memory.readFeatureMap(from);
  const area = data.length / mustHave(shape[0], "channels");
  return data.map((value, i) => {
    if (Math.floor(i / area) !== channel) return 0;
    return start === "score" ? value : Number(value > 0);
  });
}

const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);

/** max(0, R - N R_other) with N = sum R / sum R_other (Gu, Yang and Tresp 2018, CLRP). */
function contrast(own: RelevanceResult, other: RelevanceResult): RelevanceResult {
  const otherSum = sum(other.relevance.data);
  const factor = otherSum === 0 ? 0 : sum(own.relevance.data) / otherSum;
  const less = (a: Tensor, b: Tensor): Tensor =>
    tensor(
      a.shape,
      a.data.map((r, i) => r - factor * b.data[i]!),
    );
  return {
    relevance: tensor(
      own.relevance.shape,
      less(own.relevance, other.relevance).data.map((r) => Math.max(r, 0)),
    ),
    kept: new Map(
      [...own.kept].map(([id, relevance]) => [id, less(relevance, mustHave(other.kept.get(id), "relevance"))]),
    ),
    ledger: own.ledger.map((row, index) => {
      const dual = other.ledger[index];
      if (dual === undefined) return row;
      const of = (key: "relevanceOut" | "relevanceIn" | "bias" | "stabilizer" | "dropped"): number =>
        row[key] - factor * dual[key];
      return {
        ...row,
        relevanceOut: of("relevanceOut"),
        relevanceIn: of("relevanceIn"),
        bias: of("bias"),
        stabilizer: of("stabilizer"),
        dropped: of("dropped"),
      };
    }),
  };
}

/**
 * Propagates one target's relevance, in two backward passes for a contrastive target.
 * @param keep ids of the values whose relevance is kept too
 */
export function propagate(
  network: Network,
  composite: Composite,
  target: Target,
  resolved: ResolvedTarget,
  keep: readonly number[],
): RelevanceResult {
  if (hasTargets && typeof target === "object" && "layer" in target) {
    const from = valueNamed(network.graph, target.layer);
    const start = channelStart(network, from, target.channel, composite.start);
    return network.relevancePlan(composite, from).run(start, keep);
  }
  const plan = network.relevancePlan(composite);
  const own = plan.run(resolved.start ?? new Float32Array(network.classCount), keep);
  return !hasTargets || resolved.other === undefined ? own : contrast(own, plan.run(resolved.other, keep));
}
