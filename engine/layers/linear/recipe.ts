import * as kernel from "../../../kernels-as/kernel-calls.js";
import { hasRuleLibrary } from "../../basics/features.ts";
import { mustHave } from "../../basics/must-have.ts";
import { type FeatureMap, noBorder } from "../../memory/feature-map.ts";
import type { Kernels } from "../../memory/kernels.ts";
import { Scratch, type Slot } from "../../memory/pass-scratch.ts";
import { type Branch, type InputPart, type Term, unmodified } from "../../rules/rules.ts";
import { rectifies } from "../clamp.ts";
import type { RelevanceContext, RelevancePass } from "../layer-kind.ts";
import { addShares, shareBytes } from "../ledger.ts";
import { noGate } from "../rectify.ts";
import { prepareActivation } from "./fused-activation.ts";
import { type InputParts, prepareParts } from "./input-parts.ts";
import type { LinearMap } from "./linear-map.ts";
import { isUnmodified } from "./modified-weights.ts";

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

/** A branch with what is known of it before any photo. */
interface PlannedBranch extends Branch {
  /** The layer's stored output is its Z. */
  readonly usesStoredZ: boolean;
  /** 0: none. */
  readonly biasAddress: number;
  readonly isExact: boolean;
}

/** The branches that have something to do, and whether the layer's stored output serves as the pre-activation. */
function planBranches(map: LinearMap, context: RelevanceContext): { branches: PlannedBranch[]; hasStoredZ: boolean } {
  const { vanishesWithOutput, isNonNegative, rules } = context;
  const vanishes = map.isRectified && vanishesWithOutput;
  const hasStoredZ = map.isUnclamped || vanishes;
  // An output without positive contributions is 0, and has no relevance.
  const isDeadWithoutRelevance = vanishesWithOutput && map.activation !== undefined && rectifies(map.activation);
  const branches = rules.linear.branches
    // Outputs rectified to 0 have no relevance, so a branch for negative outputs has nothing to do.
    .filter((branch) => branch.gate !== -1 || !vanishes)
    .map((branch) => ({ ...branch, terms: usefulTerms(branch.terms, isNonNegative) }))
    .map((branch) => ({
      ...branch,
      usesStoredZ: hasStoredZ && isPlain(branch),
      biasAddress: map.bias(branch.bias),
      // A divisor that is 0 must come out as 0, for its share is dropped: R / 1e-8 would go to all neighbours. Where outputs without
      // positive contributions have no relevance, there is none to drop; those without negative ones do have some.
      isExact: !isDeadWithoutRelevance || branch.coefficient < 0,
    }));
  return { branches, hasStoredZ };
}

/** Makes the weights of every term ready. */
function prepareWeights(map: LinearMap, branches: readonly PlannedBranch[]): void {
  for (const branch of branches) {
    for (const [index, term] of branch.terms.entries()) {
      const hasBias = index === 0 && branch.biasAddress !== 0;
      if (!branch.usesStoredZ) map.prepare(term.weight, "forward", branch.isExact);
      if (!branch.usesStoredZ && term.input === "input" && !hasBias) map.expect?.(term.weight);
      map.prepare(term.weight, "transposed", branch.isExact);
    }
  }
}

/** Scratch memory of a recipe. */
interface RecipeMemory {
  /** R / Z, with the border that the transposed pass reads. */
  readonly ratios: Slot<FeatureMap>;
  /** A term of Z, until it is added. */
  readonly term: Slot<FeatureMap>;
  /** W^T S, until it is multiplied by the input. */
  readonly products: Slot<FeatureMap>;
  /** The pre-activation whose sign opens gates. */
  readonly gate: Slot<FeatureMap>;
  readonly shares: Slot;
  /** Sums of the relevance of the input, one per row. */
  readonly sums: Slot;
}

function reserveMemory(
  map: LinearMap,
  target: FeatureMap,
  branches: readonly PlannedBranch[],
  computesGate: boolean,
  scratch: Scratch,
): RecipeMemory {
  const { x, y } = map;
  const output = (border = noBorder): Slot<FeatureMap> =>
    scratch.reserveImage(map.outputShape, border, map.gradientPadding);
  const hasSums = branches.some((branch) => !branch.usesStoredZ && branch.terms.length > 1);
  const term = hasSums ? output() : () => y;
  const gate = computesGate ? output() : () => y;
  const ratios = output(map.gradientBorder);
  // The only product of a rule can be made in place.
  const isSingle = branches.flatMap(({ terms }) => terms).length === 1;
  const products = isSingle ? () => target : scratch.reserveImage(map.inputShape, noBorder);
  const shares = scratch.reserve(shareBytes(y.height));
  const sums = scratch.reserve(8 * x.height);
  return { ratios, term, products, gate, shares, sums };
}

/** Z of a branch, term by term, in `sum`; or the layer's output, where that is Z. */
function computeZ(
  { call }: Kernels,
  map: LinearMap,
  branch: PlannedBranch,
  part: (part: InputPart) => FeatureMap,
  sum: FeatureMap,
  product: FeatureMap,
): FeatureMap {
  const { y } = map;
  const rowLength = y.width * y.channels;
  if (branch.usesStoredZ) return y;
  if (branch.terms.length === 0)
    call.clamp(sum.address, sum.rowStride, y.address, y.rowStride, rowLength, 0, 0, 0, y.height);
  branch.terms.forEach((term, index) => {
    const image = index === 0 ? sum : product;
    map.apply(image, part(term.input), term.weight, index === 0 ? branch.biasAddress : 0, branch.isExact);
    if (index === 0) return;
    for (let row = 0; row < y.height; row++) {
      const [to, from] = [sum.address + 4 * row * sum.rowStride, image.address + 4 * row * image.rowStride];
      call.scaleAdd(to, from, term.sign, 0, rowLength);
    }
  });
  return sum;
}

/** Where one run of a recipe has what it computes. */
interface RecipePlaces {
  readonly ratios: FeatureMap;
  readonly term: FeatureMap;
  readonly products: FeatureMap;
  readonly gate: FeatureMap;
  readonly shares: number;
  readonly sums: number;
  part(name: InputPart): FeatureMap;
}

function placesAt(memory: RecipeMemory, parts: InputParts, addresses: readonly number[]): RecipePlaces {
  return {
    ratios: memory.ratios(addresses),
    term: memory.term(addresses),
    products: memory.products(addresses),
    gate: memory.gate(addresses),
    shares: memory.shares(addresses),
    sums: memory.sums(addresses),
    part: (name) => parts.get(name, addresses),
  };
}

/** S = R / (Z + stabiliser) of a branch in `ratios`, and what of each row's relevance it does not hand on in `shares`. */
function divideByZ(map: LinearMap, context: RelevanceContext, branch: PlannedBranch, places: RecipePlaces): void {
  const { kernels, relevance, rules } = context;
  const { y } = map;
  const { ratios, gate } = places;
  const { stabilizer, stabilizerSign } = rules.linear;
  kernel.ratio(kernels, y.height, {
    s: ratios,
    r: relevance,
    z: computeZ(kernels, map, branch, places.part, ratios, places.term),
    g: branch.gate === 0 ? noGate : gate,
    bias: branch.biasAddress,
    ledger: places.shares,
    length: y.width * y.channels,
    channels: y.channels,
    coefficient: branch.coefficient,
    stabilizer,
    signedStabilizer: stabilizerSign === "signed" ? 1 : 0,
    gateSign: branch.gate,
  });
  if (map.gradientPadding > 0) kernels.call.fill(ratios.address, 0, y.channels, y.channels + map.gradientPadding);
}

/** Adds x * (W^T S) of a term to the input's relevance, or writes it where it is the first. */
function addTerm(
  map: LinearMap,
  { kernels }: RelevanceContext,
  { weight, input, sign }: Term,
  isExact: boolean,
  { ratios, products, sums, part }: RecipePlaces,
  out: FeatureMap,
  isFirst: boolean,
): void {
  const x = part(input);
  map.transpose(products, ratios, weight, x, isExact);
  const length = x.width * x.channels;
  kernel.multiply(kernels, x.height, { out, x, c: products, sums, length, factor: sign, accumulate: isFirst ? 0 : 1 });
}

/**
 * The recipe of rules.ts on one layer: for every branch Z, the stabilised ratio S = R / Z, and x * (W^T S) for every term.
 * The layer's stored output serves as plain Z where it is Z: unactivated, or rectified with no relevance where it is 0.
 * @throws RangeError for a rule that lacks its box
 */
export function prepareRecipe(map: LinearMap, context: RelevanceContext): RelevancePass {
  const { call, split, arena } = context.kernels;
  const dx = mustHave(context.inputRelevance[0], "relevance of the input");
  const { x, y } = map;
  const { branches, hasStoredZ } = planBranches(map, context);
  prepareWeights(map, branches);
  const computesGate = hasRuleLibrary && !hasStoredZ && branches.some((branch) => branch.gate !== 0);
  if (computesGate) map.prepare(unmodified, "forward", true);
  const plainBias = map.bias(unmodified);

  const scratch = new Scratch();
  const activate = prepareActivation(map, context, scratch);
  const parts = prepareParts(map, context, branches, scratch);
  const memory = reserveMemory(map, dx, branches, computesGate, scratch);
  return {
    scratchBytes: scratch.bytes,
    run(addresses) {
      const lost = { bias: 0, stabilizer: 0, dropped: activate(addresses) };
      parts.fill(addresses);
      const places = placesAt(memory, parts, addresses);
      const { ratios, gate, sums } = places;
      const [top, left, bottom, right] = map.gradientBorder;
      call.clearBorder(ratios.address, ratios.rowStride, y.height, y.width, y.channels, top, left, bottom, right);
      if (computesGate) map.apply(gate, x, unmodified, plainBias, true);
      let isFirst = true;
      for (const branch of branches) {
        divideByZ(map, context, branch, places);
        addShares(lost, arena, places.shares, y.height);
        for (const term of branch.terms) {
          addTerm(map, context, term, branch.isExact, places, dx, isFirst);
          isFirst = false;
        }
      }
      if (isFirst) split("fill", x.height * x.width * x.channels, dx.address, 0);
      return { ...lost, relevanceIn: isFirst ? 0 : arena.f64(sums, x.height).reduce((a, b) => a + b, 0) };
    },
  };
}
