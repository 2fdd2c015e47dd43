import type { Explanation, Prediction } from "../../engine/explain.ts";
import { modelByName } from "../../engine/models/index.ts";
import { bundledModels } from "../../host/models/bundled.ts";
import { formatShare } from "../drawing/panel.ts";

/**
 * What an honest tool adds when a network of the package merely guesses: it knows few classes, names one for every photo, and a low
 * probability is the only sign that the photo shows none of them.
 * @param weights path of the weight file; other weights have other thresholds, so nothing is said about them
 * @returns undefined when the network is sure enough
 */
export function doubtNote(model: string, weights: string, likeliest: Prediction | undefined): string | undefined {
  const bundled = bundledModels().find((entry) => entry.name === model && entry.weights === weights);
  if (bundled === undefined || likeliest?.probability === undefined || likeliest.probability >= bundled.doubtBelow)
    return undefined;
  const { labels = [] } = modelByName(model);
  return `${model} is unsure (${formatShare(likeliest.probability)} for its likeliest class). It knows ${labels.length} classes alone: ${labels.join(", ")}. If the photo shows none of them, its map explains a guess.`;
}

/** The same in one short line, for the panel. */
export const doubtHeadline = "The network is unsure: the photo may show none of the classes it knows.";

/** Said when no input got any relevance: the layers behind are all at zero, and biases alone made the score. */
export const emptyMapNote =
  "no part of the photo has any relevance for this target: its score comes from the network's biases alone. The maps are empty.";

/** The same in one short line, for the panel. */
export const emptyMapHeadline = "No part of the photo has any relevance: the score comes from biases alone.";

/** The same below the heading of a column. */
export const emptyMapLine = "empty maps: biases alone";

/** True when the maps are empty. */
export function isEmptyMap({ relevance }: Explanation): boolean {
  return relevance.data.every((value) => value === 0);
}
