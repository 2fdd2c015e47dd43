import { hasRuleLibrary } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";
import { elementCount, formatShape, type Tensor, tensor } from "../basics/tensor.ts";
import { describe } from "../graph/compiled-graph.ts";
import { kindOf } from "../layers/index.ts";
import type { RelevancePass } from "../layers/layer-kind.ts";
import { bookTheRest, type LedgerRow, nothingLost } from "../layers/ledger.ts";
import { OffsetPlanner } from "../memory/buffer-planner.ts";
import { type FeatureMap, featureMapAt, featureMapBytes, noBorder } from "../memory/feature-map.ts";
import type { Composite } from "../rules/composite.ts";
import type { LayerRules } from "../rules/layer-rules.ts";
import { type ChosenLayer, chooseLayers, nonNegativeValues } from "./chosen-layers.ts";
import type { BuiltLayer, NetworkMemory } from "./network-memory.ts";
import { firstNotFinite, whereForwardOverflows } from "./not-finite.ts";

/** Relevance at the input and what every layer did with what it got. */
export interface RelevanceResult {
  /** Relevance of the input, its shape [C,H,W]. */
  readonly relevance: Tensor;
  /** Relevance of each value asked for by id, in its own shape. */
  readonly kept: ReadonlyMap<number, Tensor>;
  /** One row per layer, from the output to the input. */
  readonly ledger: readonly LedgerRow[];
}

/** One layer's part of a plan. */
interface Step {
  readonly built: BuiltLayer;
  readonly rules: LayerRules;
  readonly pass: RelevancePass;
  /** Scratch addresses for the pass. */
  readonly scratch: () => readonly number[];
  readonly output: FeatureMap;
  /** Where each input's relevance is written, and the buffer to which it is then added, if another consumer wrote first. */
  readonly inputs: readonly {
    readonly id: number;
    readonly written: FeatureMap;
    readonly addTo: FeatureMap | undefined;
  }[];
}

/** Where the relevance of a layer's input goes, as offsets. */
interface PlacedInput {
  readonly id: number;
  readonly written: number;
  /** Where other readers of the value have left theirs already. */
  readonly addTo: number | undefined;
}

interface Places {
  /** Offset of the relevance of each layer's output, and of its inputs, in the order of the layers. */
  readonly layers: readonly { readonly output: number; readonly inputs: readonly PlacedInput[] }[];
  readonly start: number;
  readonly input: number;
  readonly totalBytes: number;
}

/** Places the relevance of every value so that what does not live at one time shares memory. */
function placeRelevance(chosen: readonly ChosenLayer[], from: number, bytesOf: (id: number) => number): Places {
  const planner = new OffsetPlanner();
  const start = planner.take(bytesOf(from));
  const homes = new Map<number, number>([[from, start]]);
  const homeOf = (id: number): number => mustHave(homes.get(id), "place of relevance");
  const layers = chosen.map(({ built: { layer }, rules }) => {
    const output = homeOf(layer.output);
    const isReadFirst = kindOf(layer.node).readsRelevanceFirst(rules);
    if (isReadFirst) planner.give(output);
    const spare: number[] = [];
    const inputs = layer.inputs.map((id): PlacedInput => {
      const home = homes.get(id);
      const written = planner.take(bytesOf(id));
      if (home === undefined) homes.set(id, written);
      else spare.push(written);
      return { id, written, addTo: home };
    });
    for (const offset of spare) planner.give(offset);
    if (!isReadFirst) planner.give(output);
    return { output, inputs };
  });
  return { layers, start, input: homeOf(0), totalBytes: planner.totalBytes };
}

/** Gives every pass its scratch memory: one region, which all use in turn, or memory of its own for as long as it runs. */
function placeScratch(
  { kernels: { arena }, passes: { isTransient } }: NetworkMemory,
  passes: readonly RelevancePass[],
): (() => readonly number[])[] {
  const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;
  const sizes = passes.map(({ scratchBytes }) => scratchBytes.reduce((sum, bytes) => sum + align(bytes), 64));
  const base = isTransient ? undefined : arena.allocate(Math.max(64, ...sizes));
  return passes.map(({ scratchBytes }, index) => () => {
    let next = base ?? arena.allocate(mustHave(sizes[index], "size of scratch memory"));
    return scratchBytes.map((bytes) => {
      const address = next;
      next += align(bytes);
      return address;
    });
  });
}

/**
 * The backward pass of one composite over one network: rules chosen, weights modified, buffers placed. Made once; running it
 * reserves nothing, but that Winograd's weights are kept from their third use on.
 */
export class RelevancePlan {
  readonly composite: Composite;
  readonly #memory: NetworkMemory;
  readonly #steps: readonly Step[];
  readonly #from: number;
  readonly #start: FeatureMap;
  readonly #input: FeatureMap;
  readonly #sums: number;

  /**
   * @internal Plans come from `Network.relevancePlan`.
   * @param layers of the network, in execution order
   * @param from id of the value where relevance starts: the logits, or a hidden layer's output
   * @throws UnsupportedError when the composite leaves a layer without a rule or a layer has no relevance, RangeError for a zBox
   *   rule whose box is not known
   */
  constructor(memory: NetworkMemory, layers: readonly BuiltLayer[], composite: Composite, from: number) {
    this.composite = composite;
    this.#memory = memory;
    const { kernels, graph } = memory;
    const { arena } = kernels;
    const chosen = chooseLayers(graph, layers, composite, from);
    const places = placeRelevance(chosen, from, (id) => featureMapBytes(memory.shapeOf(id), noBorder));
    const base = arena.allocate(places.totalBytes);
    const at = (offset: number, id: number): FeatureMap => featureMapAt(base + offset, memory.shapeOf(id), noBorder);
    const isNonNegative = nonNegativeValues(graph);
    const prepared = chosen.map(({ built, rules, vanishesWithOutput }, index) => {
      const { layer, runtime } = built;
      const place = mustHave(places.layers[index], "place of relevance");
      const output = at(place.output, layer.output);
      const inputs = place.inputs.map(({ id, written, addTo }) => ({
        id,
        written: at(written, id),
        addTo: addTo === undefined ? undefined : at(addTo, id),
      }));
      const pass = runtime.prepareRelevance({
        kernels,
        layer: layer.name,
        rules,
        relevance: output,
        inputRelevance: inputs.map(({ written }) => written),
        isNonNegative: layer.inputs.every((id) => isNonNegative[id]),
        vanishesWithOutput,
      });
      return { built, rules, pass, output, inputs };
    });
    const scratch = placeScratch(
      memory,
      prepared.map(({ pass }) => pass),
    );
    this.#steps = prepared.map((step, index) => ({ ...step, scratch: mustHave(scratch[index], "scratch memory") }));
    this.#start = at(places.start, from);
    this.#from = from;
    this.#input = at(places.input, 0);
    this.#sums = arena.allocate(8 * Math.max(...memory.featureMaps.map(({ height }) => height)));
  }

  #sum(image: FeatureMap): number {
    const { split, arena } = this.#memory.kernels;
    split("sumRows", image.height, this.#sums, image.address, image.rowStride, image.rowStride);
    return arena.f64(this.#sums, image.height).reduce((a, b) => a + b, 0);
  }

  /**
   * Propagates relevance to the input, for the photo of the network's last forward pass.
   * @param start relevance where the plan starts, in C,H,W order (one per logit for the usual plans)
   * @param keep ids of values whose relevance is to be returned too; those the plan does not reach are left out
   * @throws RangeError before the first forward pass, for another number of values, and for relevance that is not finite, naming the
   *   layer where it began
   */
  run(start: Float32Array, keep: readonly number[] = []): RelevanceResult {
    const memory = this.#memory;
    const { definition } = memory.graph;
    if (!memory.hasRun) {
      throw new RangeError(`network "${definition.name}": run forward before asking for relevance.`);
    }
    if (start.length !== elementCount(memory.shapeOf(this.#from))) {
      throw new RangeError(
        `relevance: needs one start value per element of ${formatShape(memory.shapeOf(this.#from))}, got ${start.length}.`,
      );
    }
    memory.writeImage(this.#start, start);
    const kept = new Map<number, Tensor>();
    const sums = new Map<number, number>(); // of values whose relevance is complete
    const ledger = this.#steps.map((step): LedgerRow => {
      const { layer } = step.built;
      if (keep.includes(layer.output)) {
        kept.set(layer.output, memory.readImage(step.output, memory.shapeOf(layer.output)));
      }
      return this.#step(step, sums);
    });
    const plain = memory.readImage(this.#input, definition.inputShape);
    if (keep.includes(0)) kept.set(0, plain);
    const { name } = this.composite;
    const timesInput = hasRuleLibrary && this.composite.timesInput;
    const input = timesInput ? memory.readFeatureMap(0).data : undefined;
    const relevance =
      input === undefined
        ? plain
        : tensor(
            plain.shape,
            plain.data.map((r, i) => r * input[i]!),
          );
    // What one layer gave is known to be finite; sums of several and products with the input need not be.
    const isKnown = !timesInput && sums.has(0);
    const found = isKnown ? undefined : firstNotFinite(relevance);
    if (found !== undefined) {
      throw new RangeError(
        `network "${definition.name}": relevance of the input must be finite, got ${found} with composite "${name}". Check the network's weights and the preprocessing of the input.`,
      );
    }
    return { relevance, kept, ledger };
  }

  /** Runs one layer's pass and adds what it gave to what other readers of its inputs gave; returns its account. */
  #step(
    { built: { layer, runtime }, rules, pass, scratch, output, inputs }: Step,
    sums: Map<number, number>,
  ): LedgerRow {
    const { split } = this.#memory.kernels;
    const relevanceOut = sums.get(layer.output) ?? this.#sum(output);
    const lost = this.#memory.passes.during(() => pass.run(scratch()));
    let relevanceIn = 0;
    for (const { id, written, addTo } of inputs) {
      const sum = (lost === bookTheRest ? undefined : lost.relevanceIn) ?? this.#sum(written);
      relevanceIn += sum;
      if (addTo) sums.delete(id);
      else sums.set(id, sum);
      if (addTo) split("scaleAdd", written.height * written.rowStride, addTo.address, written.address, 1);
    }
    const rule = runtime.ruleName(rules);
    // Sums are float64: they are finite where every value is.
    if (!Number.isFinite(relevanceIn)) {
      throw new RangeError(
        whereForwardOverflows(this.#memory) ??
          `${describe(layer.node)}: its relevance must be finite, got a sum of ${relevanceIn} by rule "${rule}" from ${relevanceOut}. Choose a rule with a larger stabiliser for this layer.`,
      );
    }
    return {
      layer: layer.name,
      op: layer.node.op,
      rule,
      relevanceOut,
      relevanceIn,
      ...(lost === bookTheRest ? { ...nothingLost, dropped: relevanceOut - relevanceIn } : lost),
    };
  }
}
