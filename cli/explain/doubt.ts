import type { RelevanceExplanation } from "../../engine/explain.ts";
import { modelByName } from "../../engine/models/index.ts";
import { bundledModels } from "../../host/models/bundled.ts";
import { formatShare } from "../drawing/format.ts";
import { balanceOf } from "./balance.ts";
import { calibratedProbability } from "./calibration.ts";

/** Something an honest tool adds to a map. It states what was computed and no more. */
export interface Note {
  readonly text: string;
  /** The same in one short line, for the panel. */
  readonly headline: string;
}

/**
 * Below this probability the likeliest class counts as a guess, whatever the network: 20 % of 10 classes, 4 % of 100, 0.8 % of
 * 1000. Our choice: two to eight times what guessing gives.
 */
function nearChance(classes: number): number {
  return classes ** -0.7;
}

// As many class names as a note can list.
const listedClasses = 20;

/**
 * Said when a network merely guesses. One of the package names a class that it knows for every photo, and a low calibrated probability is
 * the only sign that the photo shows none of them; any other network is compared with chance, or, where it ends in sigmoids, with a half.
 * @param weights path of the weight file; the package's temperatures and thresholds are for its own weights
 * @returns undefined when the network is sure enough
 */
export function doubtNote(
  {
    model,
    top,
    logits,
    probabilityFunction,
  }: Pick<RelevanceExplanation, "model" | "top" | "logits" | "probabilityFunction">,
  weights: string,
): Note | undefined {
  const [likeliest] = top;
  if (likeliest?.probability === undefined) return undefined;
  const classes = logits.data.length;
  const bundled = bundledModels().find((entry) => entry.name === model && entry.weights === weights);
  if (bundled !== undefined) {
    const probability = calibratedProbability(logits.data, likeliest.index, bundled.temperature);
    if (probability >= bundled.doubtBelow) return undefined;
    const { labels = [] } = modelByName(model);
    const names = labels.length > listedClasses ? "" : `: ${labels.join(", ")}`;
    return {
      text: `${model} is unsure: of answers like this one about ${Math.round(100 * probability)} % are right. It knows ${labels.length} classes alone${names}. If the photo shows none of them, its map explains a guess.`,
      headline: `The network is unsure: of answers like this one about ${Math.round(100 * probability)} % are right.`,
    };
  }
  const share = formatShare(likeliest.probability);
  if (probabilityFunction === "sigmoid") {
    if (likeliest.probability >= 0.5) return undefined;
    return {
      text: `${model} finds no class likelier than not: its likeliest, ${likeliest.label}, has ${share}.`,
      headline: "The network finds no class likelier than not.",
    };
  }
  if (classes < 2 || likeliest.probability >= nearChance(classes)) return undefined;
  return {
    text: `${model} is near chance: ${share} for its likeliest class of ${classes}, where guessing gives ${formatShare(1 / classes)}. Its map explains a guess. Check the weights and how photos are prepared.`,
    headline: "The network is near chance: this explains a guess.",
  };
}

/** Said when no input value got any relevance. Why is not computed, so it is not said. */
export const emptyMapNote: Note = {
  text: "no part of the photo has any relevance for this target by this composite. The maps are empty.",
  headline: "No part of the photo has any relevance: the maps are empty.",
};

/** The same below the heading of a column. */
export const emptyMapLine = "empty maps: no relevance";

/** Said when twice as much relevance speaks against a target as for it: its map glows all the same. Rules that let both signs pass
 * give about half of each for any target, which says nothing. */
export function againstNote(explanation: RelevanceExplanation): Note | undefined {
  const balance = balanceOf(explanation.relevance);
  if (2 * balance.for + balance.against >= 0) return undefined;
  const share = Math.round((100 * balance.against) / (balance.against - balance.for));
  const about = explanation.targetDescription;
  return {
    text: `${share} % of the relevance speaks against ${about}. What glows in the Salient Relevance map mattered, for or against; --salient-sign for shows what speaks for it.`,
    headline: `${share} % of the relevance speaks against ${about}.`,
  };
}

/** True when the maps are empty. */
export function isEmptyMap({ relevance }: Pick<RelevanceExplanation, "relevance">): boolean {
  return relevance.data.every((value) => value === 0);
}

/** All that is to be said of one target's explanation. */
export function notesOf(explanation: RelevanceExplanation, weights: string): Note[] {
  return [doubtNote(explanation, weights), isEmptyMap(explanation) ? emptyMapNote : againstNote(explanation)].filter(
    (note) => note !== undefined,
  );
}
