import type { Tensor } from "../basics/tensor.ts";
import type { Network } from "../network/network.ts";
import type { Prediction } from "./explanation.ts";
import { labelOf, type Scores } from "./target.ts";

/** What targets are found in. */
export function scoresOf({ definition, graph }: Network, logits: Tensor, probabilities: Tensor): Scores {
  return {
    logits: logits.data,
    probabilities: probabilities.data,
    probabilityFunction: graph.probabilities,
    labels: definition.labels,
  };
}

/** A class with its score. */
export function predictionOf(scores: Scores, index: number): Prediction {
  const { logits, probabilities, probabilityFunction, labels } = scores;
  const hasProbability = logits.length > 1 || probabilityFunction === "sigmoid";
  return {
    index,
    label: labelOf(labels, index),
    logit: logits[index] ?? Number.NaN,
    probability: hasProbability ? probabilities[index] : undefined,
  };
}

/** The classes of the largest logits, the largest first. */
export function likeliest(scores: Scores, count: number): Prediction[] {
  const { logits } = scores;
  const order = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
  return order.slice(0, count).map((index) => predictionOf(scores, index));
}
