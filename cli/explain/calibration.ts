/**
 * Probability of a class by temperature scaling (Guo et al. 2017, section 4.2): softmax(logits / temperature).
 * @param logits of one photo, before softmax
 * @param temperature over 0; fitted on labelled photos that the network was not trained on (models/calibrate.mjs)
 */
export function calibratedProbability(logits: Float32Array, index: number, temperature: number): number {
  const own = logits[index] ?? Number.NaN;
  let sum = 0;
  for (const logit of logits) sum += Math.exp((logit - own) / temperature);
  return 1 / sum;
}
