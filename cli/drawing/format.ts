/** A score and, where the network gives one, a probability. */
export interface Confidence {
  readonly logit: number;
  readonly probability: number | undefined;
}

/** `61.3 %`; shares too small for a place after the point are told apart from nothing. */
export function formatShare(probability: number): string {
  const percent = probability * 100;
  if (percent > 0 && percent < 0.05) return "< 0.1 %";
  return `${percent.toFixed(1)} %`;
}

/** How sure the network is: `61.3 %`, or `score 2.31` where its only output is no probability. */
export function formatConfidence({ probability, logit }: Confidence): string {
  return probability === undefined ? `score ${formatValue(logit)}` : formatShare(probability);
}

/** Three significant digits, with a real minus sign. */
export function formatValue(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 0.001 && size < 10000 ? Number(size.toPrecision(3)).toString() : size.toExponential(1);
  return value < 0 ? `−${text}` : text;
}
