import type { Tensor } from "../../engine/basics/tensor.ts";
import type { Network } from "../../engine/network/network.ts";
import type { BaselineKind, PlacedObjects } from "../../evaluation/index.ts";
import type { RandomisedNetworks } from "./randomised.ts";

/** What replaces a pixel: an input, or noisy linear imputation of what is missing. */
export type Replacement = BaselineKind | "linear";

/** Every `Replacement`. */
export const replacements: readonly Replacement[] = ["mean", "blur", "noise", "linear"];

/** What a map is measured on. */
export interface Measured {
  readonly map: Float64Array;
  readonly width: number;
  readonly placed: PlacedObjects;
  readonly network: Network;
  readonly input: Tensor;
  readonly index: number;
  readonly seed: number;
  /** Forward passes that a curve may take, besides the first. */
  readonly steps: number;
  /** What replaces pixels, where it is not what the metric's source says. */
  readonly baseline: Replacement | undefined;
  /** The map of another input, class or network; undefined for one that a file gave. */
  readonly remake:
    | ((other: { readonly input?: Tensor; readonly index?: number; readonly network?: Network }) => Float64Array)
    | undefined;
  readonly randomised: RandomisedNetworks;
}

/** A number, or a curve of which the numbers are made later. */
export type Measurement = { readonly value: number; readonly curve?: readonly number[] };

/** What a metric's curve shows, for the page: what its first and last point are, and what is measured. */
export interface CurveAxes {
  readonly first: string;
  readonly last: string;
  readonly measured: string;
}

/** What `--metrics` can name. */
export interface Metric {
  readonly help: string;
  /** Of a metric whose `curve` is one to be drawn. */
  readonly axes?: CurveAxes;
  /** Whether more is better. */
  readonly isMoreBetter: boolean;
  measure(what: Measured): Measurement | Promise<Measurement>;
}
