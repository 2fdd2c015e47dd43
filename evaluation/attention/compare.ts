import { refuseUnknownOptions } from "../../engine/basics/errors.ts";
import { spearman } from "../agreement/spearman.ts";
import type { AttentionSummary } from "./summary.ts";

/** What was recorded of a photo. */
export interface Attention extends AttentionSummary {
  readonly photo: string;
  /** SHA-256 of the file. */
  readonly sha256: string;
  readonly prediction: { readonly index: number; readonly label: string; readonly probability?: number };
  /** Share of the map inside the annotated objects; absent without annotations. */
  readonly inside?: number;
  /** Share of the relevance on the forbidden region; absent without one. */
  readonly forbidden?: number;
  /** SHA-256 of the map's float32 values. */
  readonly mapSha256: string;
}

/** What may change before a photo fails. */
export interface AttentionThresholds {
  /** Rank correlation of the grids, at least. */
  readonly minCorrelation: number;
  /** Share inside the object, down by at most. */
  readonly maxInsideLoss: number;
  /** Share of the relevance on the forbidden region, at most. */
  readonly maxForbidden: number;
  readonly mayPredictionChange: boolean;
}

/** What became of a photo. */
export interface AttentionOutcome {
  readonly photo: string;
  /** Rank correlation of the grids; NaN when one of them is constant. */
  readonly correlation: number;
  readonly isIdentical: boolean;
  /** A sentence for each threshold that was crossed; none when the photo passes. */
  readonly failures: readonly string[];
}

const share = (value: number): string => `${(100 * value).toFixed(1)} %`;

const thresholdNames = Object.keys({
  minCorrelation: true,
  maxInsideLoss: true,
  maxForbidden: true,
  mayPredictionChange: true,
} satisfies Record<keyof AttentionThresholds, true>);

/** Compares a photo with what was recorded of it. @throws TypeError for a threshold that does not exist */
export function compareAttention(
  before: Attention,
  after: Attention,
  thresholds: AttentionThresholds,
): AttentionOutcome {
  refuseUnknownOptions("compareAttention", thresholds, thresholdNames);
  const failures: string[] = [];
  const isIdentical = before.mapSha256 === after.mapSha256;
  const correlation = isIdentical ? 1 : spearman(Float64Array.from(before.grid), Float64Array.from(after.grid));
  if (!thresholds.mayPredictionChange && before.prediction.index !== after.prediction.index) {
    failures.push(`the prediction changed from "${before.prediction.label}" to "${after.prediction.label}".`);
  }
  if (!(correlation >= thresholds.minCorrelation)) {
    failures.push(
      `attention moved: rank correlation of the grids ${correlation.toFixed(3)}, at least ${thresholds.minCorrelation} is asked for.`,
    );
  }
  if (
    before.inside !== undefined &&
    after.inside !== undefined &&
    before.inside - after.inside > thresholds.maxInsideLoss
  ) {
    failures.push(
      `less attention on the object: ${share(before.inside)} before, ${share(after.inside)} now, down by at most ${share(thresholds.maxInsideLoss)} is asked for.`,
    );
  }
  if (after.forbidden !== undefined && after.forbidden > thresholds.maxForbidden) {
    failures.push(
      `relevance on the forbidden region: ${share(after.forbidden)}, at most ${share(thresholds.maxForbidden)} is asked for.`,
    );
  }
  return { photo: after.photo, correlation, isIdentical, failures };
}
