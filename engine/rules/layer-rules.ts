import type { ActivationRule, LinearRule, LrnRule, MaxPoolRule, ProductRule, SumRule } from "./rules.ts";

/** The rules a composite chose for one layer; a layer reads the one that concerns it. */
export interface LayerRules {
  readonly linear: LinearRule;
  readonly maxPool: MaxPoolRule;
  readonly lrn: LrnRule;
  /** Functions of one value. */
  readonly activation: ActivationRule;
  /** Average pooling and add. */
  readonly sum: SumRule;
  /** Products of two feature maps. */
  readonly product: ProductRule;
  /** Stabiliser of layers without weights that divide: average pooling, add, LRN's epsilon. */
  readonly normStabilizer: number;
}
