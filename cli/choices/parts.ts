import { didYouMean } from "../../engine/basics/errors.ts";
import type { Arguments, OptionTable } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/errors.ts";

/** A part of what is written of a photo. */
export type Part = "panel" | "overlay" | "photo" | "maps" | "npy" | "json" | "zarr";

const parts: readonly Part[] = ["panel", "overlay", "photo", "maps", "npy", "json", "zarr"];
const usualParts: readonly Part[] = ["panel", "overlay", "maps", "npy", "json"];
// They show the Salient Relevance map.
const partsOfSalient: readonly Part[] = ["panel", "overlay", "photo"];

/** The options that choose what is computed and written. */
export const partOptions: OptionTable = {
  write: {
    value: "LIST",
    help: `What is written: ${parts.join(", ")}. Photo is photo-overlay.png, the overlay in the photo's own size; maps are relevance.png and salient-relevance.png; npy the numbers of each photo; zarr the numbers of all photos in one store, DIR/run.zarr. explanation.json (json) is always written. Default ${usualParts.join(",")}.`,
  },
  "no-salient": {
    help: "Leave the Salient Relevance step out, which takes most of the time: relevance alone, no panel and no overlay.",
  },
};

/**
 * The parts from `--write`.
 * @throws UsageError
 */
export function readParts(given: Arguments): ReadonlySet<Part> {
  const typed = given.value("write");
  const hasSalient = !given.has("no-salient");
  if (typed === undefined) return new Set(usualParts.filter((part) => hasSalient || !partsOfSalient.includes(part)));
  const chosen = typed.split(",").map((entry) => {
    const name = entry.trim();
    const part = parts.find((known) => known === name);
    if (part === undefined) {
      throw new UsageError(`--write must be a list of ${parts.join(", ")}, got "${name}".${didYouMean(name, parts)}`);
    }
    if (!hasSalient && partsOfSalient.includes(part)) {
      throw new UsageError(`--write ${part} shows the Salient Relevance map, which --no-salient leaves out.`);
    }
    return part;
  });
  return new Set([...chosen, "json"]);
}
