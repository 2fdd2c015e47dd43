import type { Metric } from "./metric.ts";
import type { ShownPhoto } from "./shown-photos.ts";
import type { Cell } from "./summary.ts";

/** Everything on the page. */
export interface EvaluationPage {
  readonly title: string;
  /** What was done, as names and texts. */
  readonly facts: readonly (readonly [name: string, text: string])[];
  /** Each map's name and what it is. */
  readonly maps: readonly (readonly [name: string, what: string])[];
  readonly cells: readonly Cell[];
  readonly help: ReadonlyMap<string, Pick<Metric, "help" | "isMoreBetter" | "axes">>;
  readonly against: string;
  readonly judgedBy: string;
  readonly best: readonly ShownPhoto[];
  readonly worst: readonly ShownPhoto[];
  readonly leftOut: readonly string[];
  readonly srmap: string;
}
