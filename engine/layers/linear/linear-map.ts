import type { Shape } from "../../basics/tensor.ts";
import type { Pads } from "../../graph/definition.ts";
import type { FeatureMap } from "../../memory/feature-map.ts";
import type { Modification } from "../../rules/rules.ts";

/**
 * A layer that multiplies its input by weights, as the relevance recipe sees it. Passes with `isExact` keep exact zeros: what has no
 * contribution is 0, not a rounding error, and an output's share goes nowhere but to its own inputs. Winograd's algorithm does not
 * promise that.
 */
export interface LinearMap {
  /** The layer's input and (activated) output. */
  readonly x: FeatureMap;
  readonly y: FeatureMap;
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** True when y is clamped to y >= 0 only, so that z = y wherever y > 0. */
  readonly isRectified: boolean;
  /** What y is clamped to, when the layer applies an activation. */
  readonly activation: { readonly low: number; readonly high: number } | undefined;
  /** True when y is the plain z. */
  readonly isUnclamped: boolean;
  /** Border of zeros that `transpose` reads around s. */
  readonly gradientBorder: Pads;
  /** Elements per row that `transpose` reads beyond the image (a vector rounded up to whole lanes). */
  readonly gradientPadding: number;
  /** Makes the weights of a modification ready; called while planning. */
  prepare(weights: Modification, direction: "forward" | "transposed", isExact: boolean): void;
  /**
   * Announces that `apply` with the layer's own input, these weights and no bias will be asked after the next forward pass: what is
   * cheaper beside that pass is computed there, as long as it is asked for. Called while planning.
   */
  expect?(weights: Modification): void;
  /** Address of the modified bias, 0 for none; called while planning. */
  bias(modification: Modification | undefined): number;
  /** z = W x + bias, unclamped; x has the layout of the layer's input. */
  apply(z: FeatureMap, x: FeatureMap, weights: Modification, bias: number, isExact: boolean): void;
  /** dx = W^T s; where `mask` is given, elements with mask = 0 may be left 0. */
  transpose(dx: FeatureMap, s: FeatureMap, weights: Modification, mask: FeatureMap | undefined, isExact: boolean): void;
}
