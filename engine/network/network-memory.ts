import { mustHave } from "../basics/must-have.ts";
import { elementCount, type Shape, type Tensor, tensor } from "../basics/tensor.ts";
import type { CompiledGraph, Layer } from "../graph/compiled-graph.ts";
import type { Pads } from "../graph/definition.ts";
import type { LayerRuntime } from "../layers/layer-kind.ts";
import { allocateFeatureMap, type FeatureMap, widestBorder } from "../memory/feature-map.ts";
import type { Kernels } from "../memory/kernels.ts";
import type { PassMemory } from "../memory/shared-region.ts";

/** A layer with its memory. */
export interface BuiltLayer {
  readonly layer: Layer;
  readonly runtime: LayerRuntime;
}

/** A network's feature maps in kernel memory, and the door for values in C,H,W order: what the forward pass leaves for relevance. */
export class NetworkMemory {
  readonly kernels: Kernels;
  readonly graph: CompiledGraph;
  /** What layers need while they run. */
  readonly passes: PassMemory;
  /** By value id. */
  readonly featureMaps: readonly FeatureMap[];
  /** True once a forward pass has run, so that there are feature maps to explain. */
  hasRun = false;
  /** True once the network has given its memory back. */
  isDisposed = false;
  #flat = { address: 0, length: 0 };

  /** @param borderOf the border of zeros that a layer, by index, wants around an input of this shape */
  constructor(
    kernels: Kernels,
    graph: CompiledGraph,
    passes: PassMemory,
    borderOf: (layer: Layer, input: Shape) => Pads,
  ) {
    this.kernels = kernels;
    this.graph = graph;
    this.passes = passes;
    this.featureMaps = graph.values.map(({ shape, consumers }) => {
      const borders = consumers.map((index) => borderOf(mustHave(graph.layers[index], "layer"), shape));
      return allocateFeatureMap(kernels.arena, shape, widestBorder(borders));
    });
  }

  /**
   * @throws RangeError after the network was disposed
   */
  requireUndisposed(): void {
    if (!this.isDisposed) return;
    const { name } = this.graph.definition;
    throw new RangeError(`network "${name}": it was disposed, its memory serves others now. Make a new network.`);
  }

  /** Memory of a value. */
  featureMap(id: number): FeatureMap {
    return mustHave(this.featureMaps[id], `value ${id}`);
  }

  /** Shape of a value, [C,H,W] or [F]. */
  shapeOf(id: number): Shape {
    return mustHave(this.graph.values[id], `value ${id}`).shape;
  }

  /** Shapes of what a layer reads. */
  inputShapes(layer: Layer): readonly Shape[] {
    return layer.inputs.map((id) => this.shapeOf(id));
  }

  /** Copies a value out of kernel memory, [C,H,W] or [F]. */
  readFeatureMap(id: number): Tensor {
    return this.readImage(this.featureMap(id), this.shapeOf(id));
  }

  /** Copies an image out of kernel memory in C,H,W order. */
  readImage(image: FeatureMap, shape: Shape): Tensor {
    this.requireUndisposed();
    const { split, arena } = this.kernels;
    const flat = this.passage(elementCount(shape));
    // biome-ignore format: one group of arguments a line
    split("toChannelFirst", image.channels, flat, image.address, image.rowStride, image.pixelStride, image.height, image.width);
    return tensor(shape, arena.f32(flat, elementCount(shape)).slice());
  }

  /** Copies values in C,H,W order into an image in kernel memory. */
  writeImage(image: FeatureMap, values: Float32Array): void {
    this.requireUndisposed();
    const { split, arena } = this.kernels;
    const flat = this.passage(values.length);
    arena.f32(flat, values.length).set(values);
    // biome-ignore format: one group of arguments a line
    split("fromChannelFirst", image.channels, image.address, image.rowStride, image.pixelStride, flat, image.height, image.width);
  }

  /** Memory for `length` floats on their way in or out; what was there before is not kept. */
  passage(length: number): number {
    if (this.#flat.length < length) this.#flat = { address: this.kernels.arena.allocate(4 * length), length };
    return this.#flat.address;
  }
}
