import { mustHave } from "../basics/must-have.ts";
import { elementCount, formatShape, type Shape, type Tensor, tensor } from "../basics/tensor.ts";
import type { CompiledGraph, Layer } from "../graph/compiled-graph.ts";
import { clampSign } from "../layers/clamp.ts";
import { kindOf } from "../layers/index.ts";
import type { RelevancePass } from "../layers/layer-kind.ts";
import { bookTheRest, type LedgerRow, nothingLost } from "../layers/ledger.ts";
import { OffsetPlanner } from "../memory/buffer-planner.ts";
import { type FeatureMap, featureMapAt, featureMapBytes, noBorder } from "../memory/feature-map.ts";
import { chooseRules } from "../rules/choose-rules.ts";
import type { Composite } from "../rules/composites.ts";
import type { LayerRules } from "../rules/layer-rules.ts";
import type { BuiltLayer, Network } from "./network.ts";

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
  readonly scratch: readonly number[];
  readonly output: FeatureMap;
  /** Where each input's relevance is written, and the buffer to which it is then added, if another consumer wrote first. */
  readonly inputs: readonly {
    readonly id: number;
    readonly written: FeatureMap;
    readonly addTo: FeatureMap | undefined;
  }[];
}

/** Values that can not be negative, by id. */
function nonNegativeValues({ values, layers }: CompiledGraph): boolean[] {
  const result: boolean[] = values.map(() => false);
  for (const { node, inputs, output, activation } of layers) {
    const own = kindOf(node).sign(node as never);
    const isNonNegative = own === "nonNegative" || (own === "keeps" && inputs.every((id) => result[id]));
    const after = activation === undefined ? "keeps" : clampSign(activation);
    result[output] = after === "nonNegative" || (after === "keeps" && isNonNegative);
  }
  return result;
}

/** Whether relevance at a layer's inputs is 0 wherever these are 0. */
function inputVanishes({ node }: Layer, rules: LayerRules, outputVanishes: boolean): boolean {
  const vanishing = kindOf(node).inputVanishing(node as never, rules);
  return vanishing === "always" || (vanishing === "withOutput" && outputVanishes);
}

/**
 * The backward pass of one composite over one network: rules chosen, weights modified, buffers placed. Made once; running it
 * reserves nothing, but that Winograd's weights are kept from their third use on.
 */
export class RelevancePlan {
  readonly composite: Composite;
  readonly #network: Network;
  readonly #steps: readonly Step[];
  readonly #from: number;
  readonly #start: FeatureMap;
  readonly #input: FeatureMap;
  readonly #sums: number;

  /**
   * @param from id of the value where relevance starts: the logits, or a hidden layer's output
   * @throws UnsupportedError when the composite leaves a layer without a rule or a layer has no relevance, RangeError for a zBox
   *   rule whose box is not known
   */
  constructor(network: Network, composite: Composite, from: number) {
    this.composite = composite;
    this.#network = network;
    const { values } = network.graph;
    const { arena } = network.kernels;
    const shapeOf = (id: number): Shape => mustHave(values[id], "value").shape;
    const isNonNegative = nonNegativeValues(network.graph);

    const vanishes: (boolean | undefined)[] = values.map(() => undefined);
    // A start at the logits may lie anywhere; one at a hidden layer is a part of its activation.
    vanishes[from] = from !== network.graph.logits;
    const chosen = chooseRules(network.graph, composite, from).map(({ layer, rules }) => {
      const built = mustHave(network.layers[layer.index], "built layer");
      const outputVanishes = mustHave(vanishes[layer.output], "what is known of an output");
      for (const id of layer.inputs)
        vanishes[id] = vanishes[id] !== false && inputVanishes(layer, rules, outputVanishes);
      return { built, rules, vanishes: outputVanishes };
    });

    // Which buffers live when.
    const planner = new OffsetPlanner();
    const bytesOf = (id: number): number => featureMapBytes(shapeOf(id), noBorder);
    const startOffset = planner.take(bytesOf(from));
    const homes = new Map<number, number>([[from, startOffset]]);
    const homeOf = (id: number): number => mustHave(homes.get(id), "place of relevance");
    const placed = chosen.map(({ built, rules }) => {
      const output = homeOf(built.layer.output);
      const isReadFirst = kindOf(built.layer.node).readsRelevanceFirst(rules);
      if (isReadFirst) planner.give(output);
      const spare: number[] = [];
      const inputs = built.layer.inputs.map((id) => {
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
    const base = arena.allocate(planner.totalBytes);
    const at = (offset: number, id: number): FeatureMap => featureMapAt(base + offset, shapeOf(id), noBorder);

    const prepared = chosen.map(({ built, rules, vanishes: outputVanishes }, index) => {
      const { layer, runtime } = built;
      const { output, inputs } = mustHave(placed[index], "place of relevance");
      const relevance = at(output, layer.output);
      const buffers = inputs.map(({ id, written, addTo }) => ({
        id,
        written: at(written, id),
        addTo: addTo === undefined ? undefined : at(addTo, id),
      }));
      const pass = runtime.prepareRelevance({
        kernels: network.kernels,
        layer: layer.name,
        rules,
        relevance,
        inputRelevance: buffers.map(({ written }) => written),
        isNonNegative: layer.inputs.every((id) => isNonNegative[id]),
        vanishesWithOutput: outputVanishes,
      });
      return { built, rules, pass, output: relevance, inputs: buffers };
    });

    // Scratch: one region, reused by every layer.
    const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;
    const sizes = prepared.map(({ pass }) => pass.scratchBytes.reduce((sum, bytes) => sum + align(bytes), 0));
    const scratchBase = arena.allocate(Math.max(64, ...sizes));
    this.#steps = prepared.map((step) => {
      let next = scratchBase;
      const scratch = step.pass.scratchBytes.map((bytes) => {
        const address = next;
        next += align(bytes);
        return address;
      });
      return { ...step, scratch };
    });
    this.#start = at(startOffset, from);
    this.#from = from;
    this.#input = at(homeOf(0), 0);
    this.#sums = arena.allocate(8 * Math.max(...network.featureMaps.map((activation) => activation.height)));
  }

  #sum(image: FeatureMap): number {
    const { split, arena } = this.#network.kernels;
    split("sumRows", image.height, this.#sums, image.address, image.rowStride, image.rowStride);
    return arena.f64(this.#sums, image.height).reduce((a, b) => a + b, 0);
  }

  /**
   * Propagates relevance to the input, for the photo of the network's last forward pass.
   * @param start relevance where the plan starts, in C,H,W order (one per logit for the usual plans)
   * @param keep ids of values whose relevance is to be returned too; those the plan does not reach are left out
   * @throws RangeError before the first forward pass or for another number of values
   */
  run(start: Float32Array, keep: readonly number[] = []): RelevanceResult {
    const network = this.#network;
    const { split } = network.kernels;
    if (!network.hasRun) {
      throw new RangeError(`network "${network.definition.name}": run forward before asking for relevance.`);
    }
    const shapeOf = (id: number): Shape => mustHave(network.graph.values[id], "value").shape;
    if (start.length !== elementCount(shapeOf(this.#from))) {
      throw new RangeError(
        `relevance: needs one start value per element of ${formatShape(shapeOf(this.#from))}, got ${start.length}.`,
      );
    }
    network.writeImage(this.#start, start);
    const kept = new Map<number, Tensor>();
    const sums = new Map<number, number>(); // of values whose relevance is complete
    const ledger = this.#steps.map((step): LedgerRow => {
      const { layer, runtime } = step.built;
      if (keep.includes(layer.output)) {
        kept.set(layer.output, network.readImage(step.output, shapeOf(layer.output)));
      }
      const relevanceOut = sums.get(layer.output) ?? this.#sum(step.output);
      const lost = step.pass.run(step.scratch);
      let relevanceIn = 0;
      for (const { id, written, addTo } of step.inputs) {
        const sum = (lost === bookTheRest ? undefined : lost.relevanceIn) ?? this.#sum(written);
        relevanceIn += sum;
        if (addTo) sums.delete(id);
        else sums.set(id, sum);
        if (addTo) split("scaleAdd", written.height * written.rowStride, addTo.address, written.address, 1);
      }
      return {
        layer: layer.name,
        op: layer.node.op,
        rule: runtime.ruleName(step.rules),
        relevanceOut,
        relevanceIn,
        ...(lost === bookTheRest ? { ...nothingLost, dropped: relevanceOut - relevanceIn } : lost),
      };
    });
    const relevance = network.readImage(this.#input, network.definition.inputShape);
    if (keep.includes(0)) kept.set(0, relevance);
    if (!this.composite.timesInput) return { relevance, kept, ledger };
    const input = network.readFeatureMap(0).data;
    return {
      relevance: tensor(
        relevance.shape,
        relevance.data.map((r, i) => r * input[i]!),
      ),
      kept,
      ledger,
    };
  }
}
