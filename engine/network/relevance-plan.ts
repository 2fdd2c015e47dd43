import { elementCount, formatShape, type Shape, type Tensor, tensor } from "../basics/tensor.ts";
import { opKind } from "../layers/index.ts";
import type { LayerRules, RelevancePass } from "../layers/layer-kind.ts";
import { bookTheRest, type LedgerRow, nothingLost } from "../layers/ledger.ts";
import { OffsetPlanner } from "../memory/buffer-planner.ts";
import { type Activation, activationAt, activationBytes, noBorder } from "../memory/feature-map.ts";
import { chooseRules } from "../rules/choose-rules.ts";
import { type Composite, opsWithWeights } from "../rules/composites.ts";
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
  readonly output: Activation;
  /** Where each input's relevance is written, and the buffer to which it is then added, if another consumer wrote first. */
  readonly inputs: readonly {
    readonly id: number;
    readonly written: Activation;
    readonly addTo: Activation | undefined;
  }[];
}

/** Values that can not be negative, by id. */
function nonNegativeValues(network: Network): boolean[] {
  const result: boolean[] = network.graph.values.map(() => false);
  for (const { layer } of network.layers) {
    const sign = opKind(layer.node)?.sign ?? "any";
    const clampsBelow = layer.activation !== undefined && Math.min(layer.activation.low, layer.activation.high) >= 0;
    const isClip = layer.node.op === "clip" && Math.min(layer.node.low, layer.node.high) >= 0;
    const keeps = sign === "keeps" && layer.inputs.every((id) => result[id]);
    result[layer.output] = sign === "nonNegative" || clampsBelow || isClip || keeps;
  }
  return result;
}

/** Ops that multiply or compare: relevance at their input is 0 wherever the (non-negative) input is 0, if it is so at the output. */
function inputVanishes(built: BuiltLayer, rules: LayerRules, outputVanishes: boolean): boolean {
  switch (built.layer.node.op) {
    case "conv2d":
    case "dense":
    case "batchNorm":
      return (
        rules.linear.propagation === "recipe" &&
        rules.linear.branches.every((branch) =>
          branch.terms.every((term) => ["input", "positive", "negative"].includes(term.input)),
        )
      );
    case "averagePool2d":
    case "globalAveragePool2d":
    case "add":
      return rules.sum === "norm";
    case "lrn":
      return rules.lrn !== "gradient" && outputVanishes;
    default:
      return outputVanishes;
  }
}

/** Layers that have done with the relevance of their output when they begin to write that of their input: both may share memory. */
function readsRelevanceFirst({ layer }: BuiltLayer, { linear }: LayerRules): boolean {
  if (!opsWithWeights.includes(layer.node.op)) return false;
  return linear.propagation === "gradient" || (linear.propagation === "recipe" && linear.branches.length === 1);
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
  readonly #start: Activation;
  readonly #input: Activation;
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
    const shapeOf = (id: number): Shape => values[id]?.shape ?? [];
    const isNonNegative = nonNegativeValues(network);

    const vanishes: (boolean | undefined)[] = values.map(() => undefined);
    // A start at the logits may lie anywhere; one at a hidden layer is a part of its activation.
    vanishes[from] = from !== network.graph.logits;
    const chosen = chooseRules(network.graph, composite, from).flatMap(({ layer, rules }) => {
      const built = network.layers[layer.index];
      if (built === undefined) return []; // never: every layer of the graph is built
      const outputVanishes = vanishes[layer.output] ?? false;
      for (const id of layer.inputs)
        vanishes[id] = (vanishes[id] ?? true) && inputVanishes(built, rules, outputVanishes);
      return { built, rules, vanishes: outputVanishes };
    });

    // Which buffers live when.
    const planner = new OffsetPlanner();
    const bytesOf = (id: number): number => activationBytes(shapeOf(id), noBorder);
    const homes = new Map<number, number>([[from, planner.take(bytesOf(from))]]);
    const startOffset = homes.get(from) ?? 0;
    const placed = chosen.map(({ built, rules }) => {
      const output = homes.get(built.layer.output) ?? 0;
      const isReadFirst = readsRelevanceFirst(built, rules);
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
    const at = (offset: number, id: number): Activation => activationAt(base + offset, shapeOf(id), noBorder);

    const prepared = chosen.map(({ built, rules, vanishes: outputVanishes }, index) => {
      const { layer, runtime } = built;
      const { output = 0, inputs = [] } = placed[index] ?? {};
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
    this.#input = at(homes.get(0) ?? 0, 0);
    this.#sums = arena.allocate(8 * Math.max(...network.activations.map((activation) => activation.height)));
  }

  #sum(image: Activation): number {
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
    const shapeOf = (id: number): Shape => network.graph.values[id]?.shape ?? [];
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
    const input = network.readActivation(0).data;
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
