import { didYouMean } from "../basics/errors.ts";
import type { Composite } from "./composite.ts";
import { lrp, type Recipe } from "./composite-recipe.ts";
import { composites } from "./composite-table.ts";

/**
 * The composite when none is named: of those here its maps lie best on the objects that people marked (models/squeezenet1_1-caffe.md has
 * the measurement). `li2019` is the paper's.
 */
export const defaultComposite = "epsilonPlus";

/** Names of the composites that come with the engine. */
export function compositeNames(): readonly string[] {
  return Object.keys(composites);
}

function recipeOf(name: string): Recipe {
  const make = Object.hasOwn(composites, name) ? composites[name] : undefined;
  if (make === undefined) {
    throw new RangeError(
      `composite "${name}": unknown.${didYouMean(name, compositeNames())} Known are ${compositeNames().join(", ")}.`,
    );
  }
  return make();
}

/**
 * A composite by name.
 * @throws RangeError for an unknown name, with the nearest one
 */
export function compositeByName(name: string): Composite {
  const { summary: _, assignments = [], ...settings } = recipeOf(name);
  return { ...lrp, ...settings, name, assignments };
}

/**
 * One line that says what a composite does.
 * @throws RangeError for an unknown name
 */
export function compositeSummary(name: string): string {
  return recipeOf(name).summary;
}
