import { didYouMean, notInThisBuild } from "../basics/errors.ts";
import { hasTargets } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";

/** A class by index, by name, or the most probable one ("top1"). */
export type ClassReference = number | string;

/**
 * What is explained.
 *   a class: its logit. probability: its probability, by softmax or, where the network ends in sigmoids, by its own. difference: the first class's logit less the second's.
 *   contrastive: the class against all others (Gu et al. 2018). logits: any relevance over the logits.
 *   layer and channel: what a hidden channel's activation saw.
 */
export type Target =
  | ClassReference
  | { readonly probability: ClassReference }
  | { readonly difference: readonly [ClassReference, ClassReference] }
  | { readonly contrastive: ClassReference }
  | { readonly logits: ArrayLike<number> }
  | { readonly layer: string; readonly channel: number };

/** A target's form. */
export type TargetKind = "class" | "probability" | "difference" | "contrastive" | "logits" | "channel";

/** A target with its classes found. */
export interface ResolvedTarget {
  readonly kind: TargetKind;
  /** For people: `tench`, `tench less church`, `conv5, channel 12`. */
  readonly description: string;
  /** The class it is about; the most probable one for logits and channels. */
  readonly index: number;
  /** Relevance to start from, over the logits; undefined for a channel. */
  readonly start: Float32Array | undefined;
  /** A second start, of all other classes; the map becomes max(0, R - N R_other), N = sum R / sum R_other. */
  readonly other: Float32Array | undefined;
}

/** What targets are resolved against. */
export interface Scores {
  readonly logits: Float32Array;
  readonly probabilities: Float32Array;
  /** What made the probabilities of the logits; softmax unless said. */
  readonly probabilityFunction?: "softmax" | "sigmoid";
  readonly labels: readonly string[] | undefined;
}

/** Index of the largest value, the first one on ties. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Class name of an index; `class 7` where the network has no names. */
export function labelOf(labels: readonly string[] | undefined, index: number): string {
  return labels?.[index] ?? `class ${index}`;
}

/**
 * Index of the class that a reference means. Names are compared without regard to case, `_` and blanks being the same.
 * @throws RangeError for an index outside the classes or a name that no class, or more than one, has
 */
export function resolveClass(reference: ClassReference, { logits, labels }: Scores): number {
  if (reference === "top1") return argmax(logits);
  const classes = logits.length;
  const asNumber = typeof reference === "string" && /^\d+$/.test(reference) ? Number(reference) : reference;
  if (typeof asNumber === "number") {
    if (!Number.isSafeInteger(asNumber) || asNumber < 0 || asNumber >= classes) {
      throw new RangeError(
        `target ${asNumber}: must be a class index from 0 to ${classes - 1}, "top1" or a class name.`,
      );
    }
    return asNumber;
  }
  const plain = (name: string): string => name.toLowerCase().replaceAll("_", " ").trim();
  const found: number[] = [];
  labels?.forEach((label, index) => {
    if (index < classes && plain(label) === plain(asNumber)) found.push(index);
  });
  const [index] = found;
  if (index === undefined) {
    throw new RangeError(
      `target "${asNumber}": no class has this name.${didYouMean(asNumber, labels ?? [])} Give a class index from 0 to ${classes - 1}, "top1" or a class name.`,
    );
  }
  if (found.length > 1) {
    throw new RangeError(`target "${asNumber}": the classes ${found.join(" and ")} have this name. Give the index.`);
  }
  return index;
}

/** What the kinds of targets share: the network's answer and how much relevance a class starts with. */
interface Answer {
  readonly scores: Scores;
  name(index: number): string;
  score(index: number): number;
  /** Relevance of the logits, 0 but for these. */
  vector(...entries: readonly (readonly [index: number, value: number])[]): Float32Array;
}

/** The gradient of a class's probability: softmax lets the others take part, a sigmoid does not. */
function probabilityGradient({ probabilities, probabilityFunction }: Scores, index: number, p: number): Float32Array {
  return probabilities.map((q, i) => {
    if (i === index) return p * (1 - p);
    return probabilityFunction === "sigmoid" ? 0 : -p * q;
  });
}

function probabilityTarget(reference: ClassReference, answer: Answer, start: "score" | "one"): ResolvedTarget {
  const { probabilities } = answer.scores;
  const index = resolveClass(reference, answer.scores);
  const p = mustHave(probabilities[index], "probability");
  return {
    kind: "probability",
    description: `probability of ${answer.name(index)}`,
    index,
    start: start === "score" ? answer.vector([index, p]) : probabilityGradient(answer.scores, index, p),
    other: undefined,
  };
}

function differenceTarget(references: readonly ClassReference[], answer: Answer): ResolvedTarget {
  const [a, b] = references.map((reference) => resolveClass(reference, answer.scores));
  if (a === undefined || b === undefined || a === b) {
    throw new RangeError(`target difference: needs two different classes, got ${JSON.stringify(references)}.`);
  }
  const { name, score, vector } = answer;
  const description = `${name(a)} less ${name(b)}`;
  return { kind: "difference", description, index: a, start: vector([a, score(a)], [b, -score(b)]), other: undefined };
}

function contrastiveTarget(reference: ClassReference, answer: Answer): ResolvedTarget {
  const index = resolveClass(reference, answer.scores);
  const classes = answer.scores.logits.length;
  if (classes < 2) throw new RangeError("target contrastive: the network has no other class.");
  const share = answer.score(index) / (classes - 1);
  return {
    kind: "contrastive",
    description: `${answer.name(index)} against all others`,
    index,
    start: answer.vector([index, answer.score(index)]),
    other: new Float32Array(classes).map((_, i) => (i === index ? 0 : share)),
  };
}

function logitsTarget(given: ArrayLike<number>, { logits }: Scores): ResolvedTarget {
  const start = Float32Array.from(given);
  if (start.length !== logits.length || !start.every(Number.isFinite)) {
    throw new RangeError(`target logits: needs ${logits.length} finite numbers, one per class, got ${start.length}.`);
  }
  const description = "given relevance of the logits";
  return { kind: "logits", description, index: argmax(logits), start, other: undefined };
}

const forms = [["probability"], ["difference"], ["contrastive"], ["logits"], ["layer", "channel"]];

/** @throws TypeError for an object that is none of the forms, or more than one: a misspelt one would explain something else */
function checkForm(target: unknown): void {
  if (typeof target === "number" || typeof target === "string") return;
  const names = typeof target === "object" && target !== null ? Object.keys(target) : [];
  if (forms.some((form) => form.length === names.length && form.every((name) => names.includes(name)))) return;
  const got = names.length > 0 ? `an object with ${names.slice(0, 5).join(", ")}` : String(target);
  const words = forms.map((form) => `{ ${form.join(", ")} }`).join(", ");
  throw new TypeError(`target: must be a class (index, name or "top1") or one of ${words}, got ${got}.`);
}

/**
 * Finds a target's classes and makes its start.
 * @param start "score": relevance starts from the target's score; "one": from 1, as gradients do
 * @throws RangeError for classes that do not exist, a contrast in a network of one class, or logits of another length; TypeError for
 *   what is no target
 */
export function resolveTarget(target: Target, scores: Scores, start: "score" | "one"): ResolvedTarget {
  if (hasTargets) checkForm(target);
  const { logits, labels } = scores;
  const answer: Answer = {
    scores,
    name: (index) => labelOf(labels, index),
    score: (index) => (start === "score" ? mustHave(logits[index], "logit") : 1),
    vector(...entries) {
      const result = new Float32Array(logits.length);
      for (const [index, value] of entries) result[index]! += value;
      return result;
    },
  };
  if (typeof target === "number" || typeof target === "string") {
    const index = resolveClass(target, scores);
    const { name, score, vector } = answer;
    return { kind: "class", description: name(index), index, start: vector([index, score(index)]), other: undefined };
  }
  if (!hasTargets) throw notInThisBuild("target: one that is no class");
  if ("probability" in target) return probabilityTarget(target.probability, answer, start);
  if ("difference" in target) return differenceTarget(target.difference, answer);
  if ("contrastive" in target) return contrastiveTarget(target.contrastive, answer);
  if ("logits" in target) return logitsTarget(target.logits, scores);
  return {
    kind: "channel",
    description: `${target.layer}, channel ${target.channel}`,
    index: argmax(logits),
    start: undefined,
    other: undefined,
  };
}

/**
 * Refuses a target that no photo could have: what `resolveTarget` refuses, before there are scores.
 * @param classes number of the network's classes
 * @throws RangeError, TypeError as resolveTarget
 */
export function checkTarget(target: Target, classes: number, labels: readonly string[] | undefined): void {
  const none = new Float32Array(classes);
  const scores: Scores = { logits: none, probabilities: none, labels };
  if (hasTargets) checkForm(target);
  if (hasTargets && typeof target === "object" && "difference" in target && target.difference.includes("top1")) {
    // Which class is the most probable one is not known yet, so the two cannot be compared.
    for (const reference of target.difference) resolveClass(reference, scores);
  } else {
    resolveTarget(target, scores, "one");
  }
}

/**
 * A target from the text that people type: `top1`, `217`, `English springer`, `probability:CLASS`, `difference:CLASS,CLASS`,
 * `contrastive:CLASS`, `channel:LAYER:NUMBER`. Classes are checked when the target is resolved.
 * @throws RangeError for a difference without two classes or a channel without its number
 */
export function parseTarget(text: string): Target {
  const [, form = "", rest = ""] = /^(probability|difference|contrastive|channel):(.*)$/s.exec(text) ?? [];
  switch (form) {
    case "probability":
      return { probability: rest };
    case "contrastive":
      return { contrastive: rest };
    case "difference": {
      const [a, b, ...more] = rest.split(",").map((part) => part.trim());
      if (!a || !b || more.length > 0) {
        throw new RangeError(`target "${text}": a difference is written difference:CLASS,CLASS.`);
      }
      return { difference: [a, b] };
    }
    case "channel": {
      const [, layer, channel] = /^(.+):(\d+)$/s.exec(rest) ?? [];
      if (layer === undefined || channel === undefined) {
        throw new RangeError(`target "${text}": a channel is written channel:LAYER:NUMBER.`);
      }
      return { layer, channel: Number(channel) };
    }
    default:
      return text;
  }
}
