import { hasRuleLibrary } from "../../basics/features.ts";
import { mustHave } from "../../basics/must-have.ts";
import { type FeatureMap, featureMapAt, featureMapBytes } from "../../memory/feature-map.ts";
import type { Scratch, Slot } from "../../memory/pass-scratch.ts";
import type { Branch, InputPart, LinearRule } from "../../rules/rules.ts";
import type { RelevanceContext } from "../layer-kind.ts";
import type { LinearMap } from "./linear-map.ts";

/** What stands for the input in the terms of a rule, in the layout of the layer's input, borders included. */
export interface InputParts {
  /** Computes the parts that depend on the photo. */
  fill(addresses: readonly number[]): void;
  get(part: InputPart, addresses: readonly number[]): FeatureMap;
}

/** A part that is the same for every photo: ones, or the bounds of the box. */
function constantPart(map: LinearMap, context: RelevanceContext, rule: LinearRule, part: InputPart): FeatureMap {
  const { arena } = context.kernels;
  const { x } = map;
  const bounds = part === "ones" ? undefined : part === "low" ? rule.low : rule.high;
  if (part !== "ones" && bounds?.length !== x.channels) {
    throw new RangeError(
      `rule "${rule.name}": "${context.layer}" needs ${part} with one bound per input channel (${x.channels}), got ${bounds ? `[${bounds.join(",")}]` : "none"}.`,
    );
  }
  const image = featureMapAt(arena.allocate(featureMapBytes(map.inputShape, x.border)), map.inputShape, x.border);
  for (let row = 0; row < x.height; row++) {
    const view = arena.f32(image.address + 4 * row * x.rowStride, x.width * x.channels);
    for (let i = 0; i < view.length; i++)
      view[i] = bounds === undefined ? 1 : mustHave(bounds[i % x.channels], "bound");
  }
  return image;
}

/** Reserves the parts that the branches ask for. */
export function prepareParts(
  map: LinearMap,
  context: RelevanceContext,
  branches: readonly Branch[],
  scratch: Scratch,
): InputParts {
  const { x } = map;
  const { split } = context.kernels;
  const images = new Map<InputPart, Slot<FeatureMap>>([["input", () => x]]);
  const fillers: ((addresses: readonly number[]) => void)[] = [];
  for (const { input: part } of branches.flatMap(({ terms }) => terms)) {
    if (images.has(part)) continue;
    if (hasRuleLibrary && part !== "positive" && part !== "negative") {
      const image = constantPart(map, context, context.rules.linear, part);
      images.set(part, () => image);
      continue;
    }
    const image = scratch.reserveImage(map.inputShape, x.border);
    const [low, high] = part === "positive" ? [0, Number.POSITIVE_INFINITY] : [Number.NEGATIVE_INFINITY, 0];
    const borderBytes = 4 * (x.border[0] * x.rowStride + x.border[1] * x.channels);
    const count = featureMapBytes(map.inputShape, x.border) / 4;
    images.set(part, image);
    // Border and image in one row: the border's zeros stay zeros.
    fillers.push((addresses) =>
      split("clamp", 1, image(addresses).address - borderBytes, 0, x.address - borderBytes, 0, count, low, high),
    );
  }
  return {
    fill(addresses) {
      for (const filler of fillers) filler(addresses);
    },
    get: (part, addresses) => mustHave(images.get(part), `input part "${part}"`)(addresses),
  };
}
