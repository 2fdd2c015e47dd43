// The composites of srmap/browser/minimal; the bundle's build puts this file in the place of composite-table.ts. Others can be given as data.
import { defaultRecipe, type Recipe } from "./composite-recipe.ts";

/** The composites of this build. */
export const composites: Readonly<Record<string, () => Recipe>> = { epsilonPlus: defaultRecipe };
