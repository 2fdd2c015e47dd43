import { type ColormapName, colormap } from "../../engine/picture/colormap.ts";
import type { Heatmap } from "../../engine/picture/heatmap.ts";
import { createImage } from "../../engine/picture/image.ts";
import type { Canvas, Color } from "./canvas.ts";
import { formatValue } from "./format.ts";
import type { Theme } from "./theme.ts";

/** The ends of a rendered map and the colours it was rendered in. */
export interface LegendMap extends Pick<Heatmap, "low" | "high"> {
  readonly colormap: ColormapName;
}

/** A rendered map with what its legend needs. */
export interface ColoredMap extends Heatmap, LegendMap {}

/** How much of a map's relevance speaks for the target and how much against it; see cli/explain/balance.ts. */
export interface Shares {
  readonly for: number;
  readonly against: number;
}

const barHeight = 14;
/** Room that a scale takes below a picture. */
export const scaleHeight: number = 16 + barHeight + 32;
/** Room for the bar of shares and its line. */
export const sharesHeight: number = 10 + 10 + 30;

/**
 * The colours of a map from low to high with the values at their ends, and what the ends mean.
 * @param ends words beside the values, low end first
 */
export function drawScale(
  canvas: Canvas,
  { faint, quiet }: Theme,
  map: LegendMap,
  ends: readonly [low: string, high: string],
  x: number,
  y: number,
  width: number,
): void {
  const { colors } = colormap(map.colormap);
  const bar = createImage(width, barHeight);
  for (let i = 0; i < width; i++) {
    const index = Math.round((255 * i) / Math.max(1, width - 1)) * 3;
    for (let row = 0; row < barHeight; row++) bar.data.set(colors.subarray(index, index + 3), (row * width + i) * 4);
  }
  const top = y + 16;
  canvas.fill(x - 1, top - 1, width + 2, barHeight + 2, faint);
  canvas.draw(bar, x, top);
  const baseline = top + barHeight + 26;
  const style = { face: "body", color: quiet } as const;
  // A low end that is next to nothing beside the high one would only print noise.
  const low = Math.abs(map.low) < 0.001 * Math.abs(map.high) ? 0 : map.low;
  canvas.text(`${formatValue(low)} ${ends[0]}`.trim(), x, baseline, style);
  if (low === -map.high && low !== 0) canvas.text("0", x + width / 2, baseline, { ...style, align: "center" });
  canvas.text(`${ends[1]} ${formatValue(map.high)}`.trim(), x + width, baseline, { ...style, align: "right" });
}

/** The most colourful entry of a colour map's upper or lower half, the one nearest to the middle: the very ends may be white. */
export function colorOfSign(name: ColormapName, isPositive: boolean): Color {
  const { colors } = colormap(name);
  let best: Color = [0, 0, 0];
  for (let distance = 0; distance < 128; distance++) {
    const index = 3 * (isPositive ? 128 + distance : 127 - distance);
    const color: Color = [colors[index]!, colors[index + 1]!, colors[index + 2]!];
    if (Math.max(...color) - Math.min(...color) > Math.max(...best) - Math.min(...best)) best = color;
  }
  return best;
}

/** How much of the relevance speaks against (left) and for the target (right), as a bar in the map's colours and in words. */
export function drawShares(
  canvas: Canvas,
  { quiet, faint, ink }: Theme,
  shares: Shares,
  name: ColormapName,
  x: number,
  y: number,
  width: number,
): void {
  const total = shares.for - shares.against;
  const share = total === 0 ? 0 : shares.for / total;
  const top = y + 10;
  canvas.fill(x, top, width, 10, faint);
  if (total > 0) {
    const middle = Math.round(width * (1 - share));
    canvas.fill(x, top, middle, 10, colorOfSign(name, false));
    canvas.fill(x + middle, top, width - middle, 10, colorOfSign(name, true));
  }
  const baseline = top + 10 + 26;
  if (total === 0) {
    canvas.text("no relevance", x, baseline, { face: "body", color: quiet });
    return;
  }
  canvas.text(`${formatPercent(1 - share)} against`, x, baseline, { face: "body", color: quiet });
  canvas.text(`${formatPercent(share)} speaks for it`, x + width, baseline, {
    face: "strong",
    color: ink,
    align: "right",
  });
}

/** `83 % for, 17 % against`, or that there is no relevance. */
export function describeShares(shares: Shares): string {
  const total = shares.for - shares.against;
  if (total === 0) return "no relevance";
  return `${formatPercent(shares.for / total)} for, ${formatPercent(-shares.against / total)} against`;
}

/** Whole percents; 0 and 100 are kept for nothing and everything. */
function formatPercent(share: number): string {
  if (share > 0 && share < 0.01) return "< 1 %";
  if (share > 0.99 && share < 1) return "> 99 %";
  return `${Math.round(100 * share)} %`;
}
