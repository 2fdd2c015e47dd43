import { type Activation, activationAt, activationBytes, noBorder } from "./activation.ts";
import { UnsupportedError } from "./errors.ts";
import type { Pads } from "./graph.ts";
import { bookTheRest, type LedgerTerms, nothingLost } from "./ledger.ts";
import type { RelevanceContext, RelevancePass } from "./ops/op.ts";
import { type Branch, type InputPart, type Modification, type Term, unmodified } from "./rules.ts";
import { formatShape, type Shape, sameShape } from "./tensor.ts";

/** A layer that multiplies its input by weights, as the relevance recipe sees it. */
export interface LinearMap {
  /** The layer's input and (activated) output. */
  readonly x: Activation;
  readonly y: Activation;
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
  prepare(weights: Modification, direction: "forward" | "transposed"): void;
  /** Address of the modified bias, 0 for none; called while planning. */
  bias(modification: Modification | undefined): number;
  /** z = W x + bias, unclamped; x has the layout of the layer's input. */
  apply(z: Activation, x: Activation, weights: Modification, bias: number): void;
  /** dx = W^T s; where `mask` is given, elements with mask = 0 may be left 0. */
  transpose(dx: Activation, s: Activation, weights: Modification, mask: Activation | undefined): void;
}

/** True when the stored output can stand for the branch's Z. */
function outputIsZ(branch: Branch, map: LinearMap, context: RelevanceContext): boolean {
  const [term, second] = branch.terms;
  if (second !== undefined || term === undefined || branch.bias === undefined) return false;
  const plain = (m: Modification): boolean => m.kind === "signed" && m.positive === 1 && m.negative === 1;
  if (term.input !== "input" || term.sign !== 1 || !plain(term.weight) || !plain(branch.bias)) return false;
  return map.isUnclamped || (map.isRectified && context.vanishesWithOutput);
}

/** Terms that can contribute: of a non-negative input the negative part is zero and the positive part is the input. */
function usefulTerms(terms: readonly Term[], isNonNegative: boolean): readonly Term[] {
  if (!isNonNegative) return terms;
  return terms
    .filter((term) => term.input !== "negative")
    .map((term) => (term.input === "positive" ? { ...term, input: "input" } : term));
}

/** Hands out scratch memory by size while planning and by address while running. */
class Scratch {
  readonly bytes: number[] = [];
  addresses: readonly number[] = [];

  /** Reserves memory; the result gives its address at run time. */
  reserve(bytes: number): () => number {
    const slot = this.bytes.push(bytes) - 1;
    return () => this.addresses[slot] ?? 0;
  }

  /** Reserves an image of this shape. */
  reserveImage(shape: Shape, border: Pads, padding = 0): () => Activation {
    const address = this.reserve(activationBytes(shape, border) + 4 * padding);
    return () => activationAt(address(), shape, border);
  }
}

/** Applies the rule of the layer's own activation to the relevance of its output, in place; returns what that took away. */
function prepareActivation(map: LinearMap, context: RelevanceContext, scratch: Scratch): () => number {
  const { kernels, relevance: r, rules } = context;
  const { activation, y } = map;
  if (activation === undefined || rules.activation === "pass") return () => 0;
  const { call, arena } = kernels;
  const sums = scratch.reserve(8 * y.height);
  const total = (): number => {
    call.sumRows(sums(), r.address, r.rowStride, r.rowStride, 0, r.height);
    return arena.f64(sums(), r.height).reduce((a, b) => a + b, 0);
  };
  const positiveOnly = rules.activation === "gradient" ? 0 : 1;
  const gate = rules.activation === "deconvnet" ? 0 : y.address;
  return () => {
    const before = total();
    // biome-ignore format: one group of arguments a line
    call.rectify(r.address, r.rowStride, r.address, r.rowStride, gate, y.rowStride, y.width * y.channels,
      activation.low, activation.high, positiveOnly, 0, y.height);
    return before - total();
  };
}

/**
 * The relevance pass of a layer with weights, by the rule its composite chose.
 * @throws RangeError for a rule that lacks its box, UnsupportedError for "pass" between different shapes
 */
export function prepareLinearRelevance(map: LinearMap, context: RelevanceContext): RelevancePass {
  switch (context.rules.linear.propagation) {
    case "recipe":
      return prepareRecipe(map, context);
    case "gradient":
      return prepareGradient(map, context);
    case "pass":
      return preparePass(map, context);
    default:
      return context.rules.linear.propagation satisfies never;
  }
}

/** R_in = R. */
function preparePass(map: LinearMap, context: RelevanceContext): RelevancePass {
  const {
    kernels,
    relevance: r,
    inputRelevance: [dx],
    layer,
  } = context;
  if (dx === undefined || !sameShape(map.inputShape, map.outputShape)) {
    throw new UnsupportedError(
      `rule "pass": cannot serve "${layer}", whose input ${formatShape(map.inputShape)} and output ${formatShape(map.outputShape)} differ. Give that layer another rule.`,
    );
  }
  const scratch = new Scratch();
  const activate = prepareActivation(map, context, scratch);
  return {
    scratchBytes: scratch.bytes,
    run(addresses) {
      scratch.addresses = addresses;
      const dropped = activate();
      const count = r.height * r.rowStride;
      kernels.call.copyChannels(dx.address, 0, count, r.address, 0, count, 1, count, 0, 1);
      return { ...nothingLost, dropped };
    },
  };
}

/** R_in = W^T R. */
function prepareGradient(map: LinearMap, context: RelevanceContext): RelevancePass {
  const {
    kernels,
    relevance: r,
    inputRelevance: [dx],
  } = context;
  if (dx === undefined) throw new RangeError("linear layer without input");
  const { call } = kernels;
  const { y } = map;
  const scratch = new Scratch();
  const activate = prepareActivation(map, context, scratch);
  const s = scratch.reserveImage(map.outputShape, map.gradientBorder, map.gradientPadding);
  map.prepare(unmodified, "transposed");
  return {
    scratchBytes: scratch.bytes,
    run(addresses) {
      scratch.addresses = addresses;
      activate();
      const image = s();
      const [top, left, bottom, right] = map.gradientBorder;
      call.clearBorder(image.address, image.rowStride, y.height, y.width, y.channels, top, left, bottom, right);
      // biome-ignore format: one group of arguments a line
      call.copyChannels(image.address, image.rowStride, image.pixelStride, r.address, r.rowStride, r.pixelStride, y.width, y.channels, 0, y.height);
      if (map.gradientPadding > 0) call.fill(image.address, 0, y.channels, y.channels + map.gradientPadding);
      map.transpose(dx, image, unmodified, undefined);
      return bookTheRest;
    },
  };
}

/** The recipe of rules.ts. */
function prepareRecipe(map: LinearMap, context: RelevanceContext): RelevancePass {
  const { kernels, relevance, inputRelevance } = context;
  const { call, arena } = kernels;
  const rule = context.rules.linear;
  const dx = inputRelevance[0];
  if (dx === undefined) throw new RangeError("linear layer without input");
  // Where the output was rectified to 0 there is no relevance to hand on, so branches for negative outputs do nothing.
  const storedSigns = map.isUnclamped || (map.isRectified && context.vanishesWithOutput);
  const useful = rule.branches.filter((branch) => branch.gate !== -1 || map.isUnclamped || !storedSigns);
  const branches = useful.map((branch) => ({
    ...branch,
    terms: usefulTerms(branch.terms, context.isNonNegative),
    storedZ: outputIsZ({ ...branch, terms: usefulTerms(branch.terms, context.isNonNegative) }, map, context),
    biasAddress: map.bias(branch.bias),
  }));
  const scratch = new Scratch();
  const activate = prepareActivation(map, context, scratch);
  const { x, y } = map;

  // Input parts, in the layout of the input, borders included.
  const inputBytes = activationBytes(map.inputShape, x.border);
  const partMakers = new Map<InputPart, () => Activation>([["input", () => x]]);
  const fillers: (() => void)[] = [];
  for (const part of new Set(branches.flatMap((branch) => branch.terms.map((term) => term.input)))) {
    if (part === "input") continue;
    if (part === "positive" || part === "negative") {
      const image = scratch.reserveImage(map.inputShape, x.border);
      const low = part === "positive" ? 0 : Number.NEGATIVE_INFINITY;
      const high = part === "positive" ? Number.POSITIVE_INFINITY : 0;
      const from = x.address - 4 * (x.border[0] * x.rowStride + x.border[1] * x.channels);
      fillers.push(() => {
        const to = image();
        const base = to.address - (x.address - from);
        call.clamp(base, 0, from, 0, inputBytes / 4, low, high, 0, 1);
      });
      partMakers.set(part, image);
    } else {
      const bounds = part === "ones" ? undefined : part === "low" ? rule.low : rule.high;
      if (part !== "ones" && bounds?.length !== x.channels) {
        throw new RangeError(
          `rule "${rule.name}": needs ${part} with one bound per input channel (${x.channels}), got ${bounds ? `[${bounds.join(",")}]` : "none"}.`,
        );
      }
      const image = activationAt(arena.allocate(inputBytes), map.inputShape, x.border);
      for (let row = 0; row < x.height; row++) {
        const view = arena.f32(image.address + 4 * row * x.rowStride, x.width * x.channels);
        for (let i = 0; i < view.length; i++) view[i] = bounds?.[i % x.channels] ?? 1;
      }
      partMakers.set(part, () => image);
    }
  }

  const z = scratch.reserveImage(map.outputShape, noBorder, map.gradientPadding);
  const isGated = branches.some((branch) => branch.gate !== 0);
  const gate =
    isGated && !storedSigns ? scratch.reserveImage(map.outputShape, noBorder, map.gradientPadding) : undefined;
  const needsSecond = branches.some((branch) => branch.terms.length > 1);
  const second = needsSecond ? scratch.reserveImage(map.outputShape, noBorder, map.gradientPadding) : undefined;
  const s = scratch.reserveImage(map.outputShape, map.gradientBorder, map.gradientPadding);
  const c = scratch.reserveImage(map.inputShape, noBorder);
  const ledger = scratch.reserve(24 * y.height);

  for (const branch of branches) {
    for (const term of branch.terms) {
      if (!branch.storedZ) map.prepare(term.weight, "forward");
      map.prepare(term.weight, "transposed");
    }
  }
  const plainBias = gate ? map.bias(unmodified) : 0;
  if (gate) map.prepare(unmodified, "forward");
  const rowLength = y.width * y.channels;
  const partOf = (part: InputPart): Activation => {
    const make = partMakers.get(part);
    if (make === undefined) throw new RangeError(`no input part ${part}`);
    return make();
  };

  function run(addresses: readonly number[]): LedgerTerms {
    scratch.addresses = addresses;
    for (const filler of fillers) filler();
    const zImage = z();
    const sImage = s();
    const cImage = c();
    const secondImage = second?.();
    const gateImage = gate?.() ?? (isGated ? y : undefined);
    const sums = { bias: 0, stabilizer: 0, dropped: activate() };
    const [top, left, bottom, right] = map.gradientBorder;
    call.clearBorder(sImage.address, sImage.rowStride, y.height, y.width, y.channels, top, left, bottom, right);
    if (gate && gateImage) map.apply(gateImage, x, unmodified, plainBias);
    let isFirst = 1;
    for (const branch of branches) {
      const stored = branch.storedZ ? y : zImage;
      if (!branch.storedZ) {
        branch.terms.forEach((term, index) => {
          const part = partOf(term.input);
          const bias = index === 0 ? branch.biasAddress : 0;
          if (index === 0) {
            map.apply(zImage, part, term.weight, bias);
          } else if (secondImage) {
            map.apply(secondImage, part, term.weight, 0);
            call.scaleAdd(zImage.address, secondImage.address, term.sign, 0, y.height * rowLength);
          }
        });
        if (branch.terms.length === 0) call.fill(zImage.address, 0, 0, y.height * rowLength);
      }
      const ledgerAddress = ledger();
      call.ratio(
        sImage.address,
        sImage.rowStride,
        relevance.address,
        relevance.rowStride,
        stored.address,
        stored.rowStride,
        branch.gate === 0 || !gateImage ? 0 : gateImage.address,
        gateImage?.rowStride ?? 0,
        branch.biasAddress,
        ledgerAddress,
        rowLength,
        y.channels,
        branch.coefficient,
        rule.stabilizer,
        rule.stabilizerSign === "signed" ? 1 : 0,
        branch.gate,
        0,
        y.height,
      );
      const shares = arena.f64(ledgerAddress, 3 * y.height);
      for (let row = 0; row < y.height; row++) {
        sums.bias += shares[3 * row]!;
        sums.stabilizer += shares[3 * row + 1]!;
        sums.dropped += shares[3 * row + 2]!;
      }
      if (map.gradientPadding > 0) {
        call.fill(sImage.address, 0, y.channels, y.channels + map.gradientPadding);
      }
      for (const term of branch.terms) {
        const part = partOf(term.input);
        map.transpose(cImage, sImage, term.weight, part);
        call.multiply(
          dx?.address ?? 0,
          dx?.rowStride ?? 0,
          part.address,
          part.rowStride,
          cImage.address,
          cImage.rowStride,
          x.width * x.channels,
          term.sign,
          isFirst ? 0 : 1,
          0,
          x.height,
        );
        isFirst = 0;
      }
    }
    if (isFirst && dx) call.fill(dx.address, 0, 0, x.height * x.width * x.channels);
    return sums;
  }
  return { scratchBytes: scratch.bytes, run };
}
