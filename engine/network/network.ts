import * as kernel from "../../kernels-as/kernel-calls.js";
import { didYouMean, notInThisBuild, refuseUnknownOptions } from "../basics/errors.ts";
import { hasStreaming } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";
import { elementCount, formatShape, type Shape, type Tensor, tensor } from "../basics/tensor.ts";
import type { CompiledGraph } from "../graph/compiled-graph.ts";
import type { NetworkDefinition } from "../graph/definition.ts";
import type { ParameterSink, ParameterSpec, RowSource } from "../graph/parameters.ts";
import { kindOf } from "../layers/index.ts";
import type { LayerRuntime } from "../layers/layer-kind.ts";
import type { Algorithm } from "../layers/linear/winograd.ts";
import type { Arena } from "../memory/arena.ts";
import type { Kernels } from "../memory/kernels.ts";
import { PassMemory } from "../memory/shared-region.ts";
import type { Composite } from "../rules/composite.ts";
import { buildLayers } from "./build-layers.ts";
import { compileGraph } from "./compile.ts";
import { inputTensor } from "./input-tensor.ts";
import { type BuiltLayer, NetworkMemory } from "./network-memory.ts";
import { requireFiniteLogits } from "./not-finite.ts";
import { parameterSpecs, parametersOf } from "./parameter-specs.ts";
import { RelevancePlan } from "./relevance-plan.ts";

/** How a network is run. */
export interface NetworkOptions {
  /** How convolutions are computed; part of what decides the output's last bits. Default auto. */
  readonly algorithm?: Algorithm;
  /**
   * Keeps the memory small: weights stay in this source and are read whenever a layer runs. Slower; the bytes are those of algorithm
   * "direct", which is then the default.
   */
  readonly rows?: RowSource;
  /**
   * Most bytes of weights transformed for Winograd's algorithm that are kept from their third use on: more is faster, and the bytes of the results
   * are the same. Default: no limit. VGG-16 keeps 450 MB; with 0 memory does not grow after the first explanation of a composite.
   */
  readonly keptWeightBytes?: number;
}

const networkOptionNames = Object.keys({
  algorithm: true,
  rows: true,
  keptWeightBytes: true,
} satisfies Record<keyof NetworkOptions, true>);

/**
 * A network in kernel memory: its graph planned once, its feature maps in fixed places, its parameters bound by a loader. One photo
 * at a time; a batch is a loop. The feature maps of the last `forward` stay until the next one: relevance reads them.
 */
export class Network implements ParameterSink {
  readonly definition: NetworkDefinition;
  readonly kernels: Kernels;
  /** @internal The checked graph. */
  readonly graph: CompiledGraph;
  /** @internal Layers in execution order. */
  readonly layers: readonly BuiltLayer[];
  /** @internal Its feature maps. */
  readonly memory: NetworkMemory;
  /** Every tensor the network needs from a weight file. */
  readonly parameters: readonly ParameterSpec[];
  readonly #readers = new Map<string, LayerRuntime[]>();
  readonly #missingRows = new Map<string, number>();
  readonly #plans = new Map<string, RelevancePlan>();
  readonly #arena: Arena;

  /**
   * Plans a network and reserves its memory. Parameters are bound afterwards, by `bindWeights` of the loader or `setRows`.
   * @throws ShapeError naming the node when the definition is wrong
   */
  constructor(kernels: Kernels, definition: NetworkDefinition, options: NetworkOptions = {}) {
    refuseUnknownOptions("Network", options, networkOptionNames);
    const {
      rows,
      algorithm = rows === undefined ? "auto" : "direct",
      keptWeightBytes = Number.POSITIVE_INFINITY,
    } = options;
    if (!(keptWeightBytes >= 0)) {
      throw new RangeError(`network: keptWeightBytes must be a number of at least 0, got ${keptWeightBytes}.`);
    }
    if (!hasStreaming && rows !== undefined) throw notInThisBuild("network: rows");
    this.definition = definition;
    this.kernels = kernels;
    const arena = kernels.arena.scope();
    this.#arena = arena;
    const own: Kernels = { ...kernels, arena };
    this.graph = compileGraph(definition);
    const { layers } = this.graph;
    const streamed = new Set(
      rows === undefined ? [] : layers.flatMap(({ node }) => kindOf(node).streamed(node as never)),
    );
    this.parameters = parameterSpecs(this.graph).map((spec) =>
      streamed.has(spec.name) ? { ...spec, isStreamed: true } : spec,
    );
    const passes = new PassMemory(arena, rows !== undefined);
    this.memory = new NetworkMemory(own, this.graph, passes, ({ node }, input) =>
      kindOf(node).inputBorder(node as never, input, algorithm),
    );
    this.layers = buildLayers(own, this.graph, this.memory, this.parameters, { algorithm, rows, keptWeightBytes });
    for (const { layer, runtime } of this.layers) {
      for (const { name, shape } of parametersOf(layer, this.memory.inputShapes(layer))) {
        this.#readers.set(name, [...(this.#readers.get(name) ?? []), runtime]);
        this.#missingRows.set(name, streamed.has(name) ? 0 : mustHave(shape[0], "rows"));
      }
    }
  }

  /** Shape of the logits, [classes] or [classes,1,1] or, for fully convolutional networks, [classes,h,w]. */
  get outputShape(): Shape {
    return this.memory.shapeOf(this.graph.logits);
  }

  /** Number of classes. */
  get classCount(): number {
    return elementCount(this.outputShape);
  }

  /** True once every parameter is bound. */
  get isBound(): boolean {
    return [...this.#missingRows.values()].every((rows) => rows === 0);
  }

  /**
   * Binds whole rows of a parameter, in order. See ParameterSink.
   * @throws RangeError for an unknown name or rows that do not continue where the last ones ended
   */
  setRows(name: string, firstRow: number, rows: Float32Array): void {
    this.memory.requireUndisposed();
    const spec = this.parameters.find((parameter) => parameter.name === name);
    if (spec === undefined) {
      throw new RangeError(
        `network "${this.definition.name}": needs no parameter "${name}".${didYouMean(
          name,
          this.parameters.map((parameter) => parameter.name),
        )}`,
      );
    }
    const [rowCount = 1, ...rest] = spec.shape;
    const rowLength = elementCount(rest);
    const missing = mustHave(this.#missingRows.get(name), `rows of "${name}"`);
    const count = rows.length / rowLength;
    if (firstRow !== rowCount - missing || !Number.isSafeInteger(count) || count > missing) {
      throw new RangeError(
        `network "${this.definition.name}": "${name}" ${formatShape(spec.shape)} expects whole rows of ${rowLength} from row ${rowCount - missing}, got ${rows.length} elements from row ${firstRow}.`,
      );
    }
    for (const runtime of mustHave(this.#readers.get(name), `readers of "${name}"`))
      runtime.setRows?.(name, firstRow, rows);
    this.#missingRows.set(name, missing - count);
  }

  /**
   * Runs the network.
   * @param input [C,H,W] as the definition's inputShape says, [1,C,H,W], or channels last where the definition takes them; preprocessed
   * @returns the logits, one per class, [classes]
   * @throws ShapeError for another shape; RangeError while parameters are missing, and for logits that are not finite, naming the layer
   *   where the first such value arose
   */
  forward(input: Tensor): Tensor {
    const { data: values } = inputTensor(this.definition, input);
    this.#requireBound();
    const { memory } = this;
    memory.writeImage(memory.featureMap(0), values);
    for (const { runtime } of this.layers) memory.passes.during(() => runtime.forward());
    memory.hasRun = true;
    const { data } = memory.readFeatureMap(this.graph.logits);
    requireFiniteLogits(memory, data);
    return tensor([data.length], data);
  }

  /**
   * The backward pass of a composite: planned on first use, then kept with its modified weights.
   * @param from id of the value where relevance starts; default the logits
   * @throws UnsupportedError when the composite leaves a layer without a rule, RangeError while parameters are missing
   */
  relevancePlan(composite: Composite, from: number = this.graph.logits): RelevancePlan {
    this.#requireBound();
    const key = JSON.stringify([from, composite]);
    const plan = this.#plans.get(key) ?? new RelevancePlan(this.memory, this.layers, composite, from);
    this.#plans.set(key, plan);
    return plan;
  }

  /**
   * Gives back all of its memory in the kernels' arena to the next network or plan; WebAssembly memory itself never shrinks. A disposed
   * network refuses everything but another `dispose`; so do its plans.
   */
  dispose(): void {
    if (this.memory.isDisposed) return;
    this.memory.isDisposed = true;
    this.#plans.clear();
    this.#arena.giveBack();
  }

  #requireBound(): void {
    this.memory.requireUndisposed();
    if (this.isBound) return;
    const missing = [...this.#missingRows].filter(([, rows]) => rows > 0).map(([parameter]) => parameter);
    throw new RangeError(
      `network "${this.definition.name}": ${missing.length} parameters are not bound, among them "${missing[0]}". Bind weights first.`,
    );
  }

  /** Probabilities of logits, by the function that the network ends in or, without one, softmax; exp is the kernel module's own. */
  probabilities(logits: Tensor): Tensor {
    this.memory.requireUndisposed();
    const { kernels } = this.memory;
    const { arena, call } = kernels;
    const count = logits.data.length;
    // Not the kernel of activations: it brings 20 functions, and the smallest build has none else of them.
    if (this.graph.probabilities === "sigmoid")
      return tensor(
        [count],
        logits.data.map((x) => 1 / (1 + call.exp(-x))),
      );
    const flat = this.memory.passage(count);
    arena.f32(flat, count).set(logits.data);
    const vector = { address: flat, rowStride: 0, pixelStride: 0 };
    kernel.softmax(kernels, 1, { y: vector, x: vector, width: 1, channels: count });
    return tensor([count], arena.f32(flat, count).slice());
  }
}
