import { bootstrapMean, type Interval, maxBoxAcc, signFlipTest } from "../../evaluation/index.ts";
import type { Measurement } from "./metric.ts";

/** What was measured on one photo and class. */
export interface Row {
  readonly photo: string;
  readonly label: string;
  readonly index: number;
  /** Share of the input that the objects cover. */
  readonly area: number;
  readonly objects: number;
  readonly croppedAway: number;
  /** By map, then by metric. */
  readonly maps: Readonly<Record<string, Readonly<Record<string, Measurement>>>>;
  /** A sentence for each map that says nothing or could not be made. */
  readonly notes?: readonly string[];
}

/** One map's line of a metric. */
export interface Cell {
  readonly map: string;
  readonly metric: string;
  readonly interval: Interval;
  /** Against the chosen map, photo by photo; undefined for that map itself. */
  readonly difference: (Interval & { readonly p: number }) | undefined;
  /** Mean curve of the photos, where the metric has one. */
  readonly curve: readonly number[] | undefined;
  /** Of metric "box". */
  readonly maxBoxAcc: { readonly accuracy: number; readonly threshold: number } | undefined;
}

function meanCurve(curves: readonly (readonly number[])[]): number[] | undefined {
  const [first] = curves;
  return first?.map((_, i) => curves.reduce((sum, curve) => sum + (curve[i] ?? Number.NaN), 0) / curves.length);
}

/** Means, intervals and paired differences of all maps and metrics. JSON knows no NaN: what it wrote as null is NaN here. */
export function summarizeRows(
  rows: readonly Row[],
  maps: readonly string[],
  metrics: readonly string[],
  against: string,
  seed: number,
): Cell[] {
  const valuesOf = (map: string, metric: string): number[] =>
    rows.map((row) => row.maps[map]?.[metric]?.value ?? Number.NaN);
  return metrics.flatMap((metric) => {
    const base = valuesOf(against, metric);
    return maps.map((map): Cell => {
      const values = valuesOf(map, metric);
      const differences = values.map((value, i) => value - base[i]!);
      const found = rows.flatMap((row) => {
        const curve = row.maps[map]?.[metric]?.curve;
        return curve === undefined ? [] : [curve];
      });
      return {
        map,
        metric,
        interval: bootstrapMean(values, seed),
        difference:
          map === against
            ? undefined
            : { ...bootstrapMean(differences, seed), p: signFlipTest(differences, seed, 1999) },
        curve: meanCurve(found),
        maxBoxAcc: metric === "box" && found.length > 0 ? maxBoxAcc(found) : undefined,
      };
    });
  });
}
