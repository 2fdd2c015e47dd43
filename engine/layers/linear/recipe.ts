import { type Activation, activationAt, activationBytes, noBorder } from "../../memory/feature-map.ts";
import { Scratch } from "../../memory/pass-scratch.ts";
import { type Branch, type InputPart, type LinearRule, type Term, unmodified } from "../../rules/rules.ts";
import type { RelevanceContext, RelevancePass } from "../layer-kind.ts";
import { prepareActivation } from "./fused-activation.ts";
import type { LinearMap } from "./linear-map.ts";
import { isUnmodified } from "./modified-weights.ts";

/** What stands for the input in the terms of a rule, in the layout of the layer's input, borders included. */
interface InputParts {
  /** Computes the parts that depend on the photo. */
  fill(): void;
  get(part: InputPart): Activation;
}

/** A part that is the same for every photo: ones, or the bounds of the box. */
function constantPart(map: LinearMap, context: RelevanceContext, rule: LinearRule, part: InputPart): Activation {
  const { arena } = context.kernels;
  const { x } = map;
  const bounds = part === "ones" ? undefined : part === "low" ? rule.low : rule.high;
  if (part !== "ones" && bounds?.length !== x.channels) {
    throw new RangeError(
      `rule "${rule.name}": "${context.layer}" needs ${part} with one bound per input channel (${x.channels}), got ${bounds ? `[${bounds.join(",")}]` : "none"}.`,
    );
  }
  const image = activationAt(arena.allocate(activationBytes(map.inputShape, x.border)), map.inputShape, x.border);
  for (let row = 0; row < x.height; row++) {
    const view = arena.f32(image.address + 4 * row * x.rowStride, x.width * x.channels);
    for (let i = 0; i < view.length; i++) view[i] = bounds?.[i % x.channels] ?? 1;
  }
  return image;
}

function prepareParts(
  map: LinearMap,
  context: RelevanceContext,
  branches: readonly Branch[],
  scratch: Scratch,
): InputParts {
  const { x } = map;
  const { split } = context.kernels;
  const images = new Map<InputPart, () => Activation>([["input", () => x]]);
  const fillers: (() => void)[] = [];
  for (const { input: part } of branches.flatMap(({ terms }) => terms)) {
    if (images.has(part)) continue;
    if (part !== "positive" && part !== "negative") {
      const image = constantPart(map, context, context.rules.linear, part);
      images.set(part, () => image);
      continue;
    }
    const image = scratch.reserveImage(map.inputShape, x.border);
    const [low, high] = part === "positive" ? [0, Number.POSITIVE_INFINITY] : [Number.NEGATIVE_INFINITY, 0];
    const borderBytes = 4 * (x.border[0] * x.rowStride + x.border[1] * x.channels);
    const count = activationBytes(map.inputShape, x.border) / 4;
    images.set(part, image);
    // Border and image in one row: the border's zeros stay zeros.
    fillers.push(() =>
      split("clamp", 1, image().address - borderBytes, 0, x.address - borderBytes, 0, count, low, high),
    );
  }
  return {
    fill() {
      for (const filler of fillers) filler();
    },
    get(part) {
      const image = images.get(part);
      if (image === undefined) throw new RangeError(`rule "${context.rules.linear.name}": no input part "${part}".`);
      return image();
    },
  };
}

/** Terms that can contribute: of a non-negative input the negative part is zero and the positive part is the input. */
function usefulTerms(terms: readonly Term[], isNonNegative: boolean): readonly Term[] {
  if (!isNonNegative) return terms;
  return terms
    .filter((term) => term.input !== "negative")
    .map((term) => (term.input === "positive" ? { ...term, input: "input" } : term));
}

/** True when the branch's Z is the layer's plain pre-activation W x + b. */
function isPlain({ terms, bias }: Branch): boolean {
  const [term, second] = terms;
  if (term === undefined || second !== undefined || bias === undefined) return false;
  return term.input === "input" && term.sign === 1 && isUnmodified(term.weight) && isUnmodified(bias);
}

/**
 * The recipe of rules.ts on one layer: for every branch Z, the stabilised ratio S = R / Z, and x * (W^T S) for every term.
 * The layer's stored output serves as plain Z where it is Z: unactivated, or rectified with no relevance where it is 0.
 * @throws RangeError for a rule that lacks its box
 */
export function prepareRecipe(map: LinearMap, context: RelevanceContext): RelevancePass {
  const { call, split, arena } = context.kernels;
  const { relevance } = context;
  const [target] = context.inputRelevance;
  if (target === undefined) throw new RangeError(`"${context.layer}": a layer with weights must have an input.`);
  const { x, y } = map;
  const rule = context.rules.linear;
  const vanishes = map.isRectified && context.vanishesWithOutput;
  const hasStoredZ = map.isUnclamped || vanishes;

  const branches = rule.branches
    // Outputs rectified to 0 have no relevance, so a branch for negative outputs has nothing to do.
    .filter((branch) => branch.gate !== -1 || !vanishes)
    .map((branch) => ({ ...branch, terms: usefulTerms(branch.terms, context.isNonNegative) }))
    .map((branch) => ({
      ...branch,
      usesStoredZ: hasStoredZ && isPlain(branch),
      biasAddress: map.bias(branch.bias),
      // A divisor that is 0 must come out as 0, for its share is dropped: R / 1e-8 would go to all neighbours. Where relevance
      // vanishes with the output, outputs without positive contributions have none to drop; those without negative ones do.
      isExact: !context.vanishesWithOutput || branch.coefficient < 0,
    }));
  for (const branch of branches) {
    for (const [index, term] of branch.terms.entries()) {
      const hasBias = index === 0 && branch.biasAddress !== 0;
      if (!branch.usesStoredZ) map.prepare(term.weight, "forward", branch.isExact);
      if (!branch.usesStoredZ && term.input === "input" && !hasBias) map.expect?.(term.weight);
      map.prepare(term.weight, "transposed", branch.isExact);
    }
  }
  const isGated = branches.some((branch) => branch.gate !== 0);
  if (isGated && !hasStoredZ) map.prepare(unmodified, "forward", true);
  const plainBias = map.bias(unmodified);

  const scratch = new Scratch();
  const activate = prepareActivation(map, context, scratch);
  const parts = prepareParts(map, context, branches, scratch);
  const output = (): (() => Activation) => scratch.reserveImage(map.outputShape, noBorder, map.gradientPadding);
  const hasSums = branches.some((branch) => !branch.usesStoredZ && branch.terms.length > 1);
  const product = hasSums ? output() : () => y;
  const computedGate = isGated && !hasStoredZ ? output() : undefined;
  const s = scratch.reserveImage(map.outputShape, map.gradientBorder, map.gradientPadding);
  // The only product of a rule can be made in place.
  const isSingle = branches.flatMap(({ terms }) => terms).length === 1;
  const c = isSingle ? () => target : scratch.reserveImage(map.inputShape, noBorder);
  const ledger = scratch.reserve(24 * y.height);
  const sums = scratch.reserve(8 * x.height);
  const rowLength = y.width * y.channels;

  /** Z of a branch, term by term, where the ratio will take its place. */
  function computeZ(branch: (typeof branches)[number], sum: Activation): Activation {
    if (branch.usesStoredZ) return y;
    if (branch.terms.length === 0)
      call.clamp(sum.address, sum.rowStride, y.address, y.rowStride, rowLength, 0, 0, 0, y.height);
    branch.terms.forEach((term, index) => {
      const image = index === 0 ? sum : product();
      map.apply(image, parts.get(term.input), term.weight, index === 0 ? branch.biasAddress : 0, branch.isExact);
      if (index === 0) return;
      for (let row = 0; row < y.height; row++) {
        const [to, from] = [sum.address + 4 * row * sum.rowStride, image.address + 4 * row * image.rowStride];
        call.scaleAdd(to, from, term.sign, 0, rowLength);
      }
    });
    return sum;
  }

  const dx: Activation = target;
  function run(addresses: readonly number[]): ReturnType<RelevancePass["run"]> {
    scratch.addresses = addresses;
    const lost = { bias: 0, stabilizer: 0, dropped: activate() };
    parts.fill();
    const ratios = s();
    const products = c();
    const [top, left, bottom, right] = map.gradientBorder;
    call.clearBorder(ratios.address, ratios.rowStride, y.height, y.width, y.channels, top, left, bottom, right);
    const gate = computedGate?.() ?? y;
    if (computedGate) map.apply(gate, x, unmodified, plainBias, true);
    let isFirst = true;
    for (const branch of branches) {
      const divisor = computeZ(branch, ratios);
      // biome-ignore format: one group of arguments a line
      split("ratio", y.height,ratios.address, ratios.rowStride, relevance.address, relevance.rowStride, divisor.address, divisor.rowStride,
        branch.gate === 0 ? 0 : gate.address, gate.rowStride, branch.biasAddress, ledger(),
        rowLength, y.channels, branch.coefficient, rule.stabilizer, rule.stabilizerSign === "signed" ? 1 : 0, branch.gate);
      const shares = arena.f64(ledger(), 3 * y.height);
      for (let row = 0; row < y.height; row++) {
        lost.bias += shares[3 * row]!;
        lost.stabilizer += shares[3 * row + 1]!;
        lost.dropped += shares[3 * row + 2]!;
      }
      if (map.gradientPadding > 0) call.fill(ratios.address, 0, y.channels, y.channels + map.gradientPadding);
      for (const term of branch.terms) {
        const part = parts.get(term.input);
        map.transpose(products, ratios, term.weight, part, branch.isExact);
        // biome-ignore format: one group of arguments a line
        split("multiply", x.height,dx.address, dx.rowStride, part.address, part.rowStride, products.address, products.rowStride,
          sums(), x.width * x.channels, term.sign, isFirst ? 0 : 1);
        isFirst = false;
      }
    }
    if (isFirst) split("fill", x.height * x.width * x.channels, dx.address, 0);
    return { ...lost, relevanceIn: isFirst ? 0 : arena.f64(sums(), x.height).reduce((a, b) => a + b, 0) };
  }
  return { scratchBytes: scratch.bytes, run };
}
