import { elementCount } from "../basics/tensor.ts";
import type { CompiledGraph } from "../graph/compiled-graph.ts";
import type { ParameterSpec, RowSource } from "../graph/parameters.ts";
import { kindOf } from "../layers/index.ts";
import type { Construction, LayerRuntime } from "../layers/layer-kind.ts";
import type { Algorithm } from "../layers/linear/winograd.ts";
import type { Kernels } from "../memory/kernels.ts";
import type { PassMemory } from "../memory/shared-region.ts";
import { Staging } from "../memory/staging.ts";
import { Workspace } from "../memory/thread-scratch.ts";
import type { BuiltLayer, NetworkMemory } from "./network-memory.ts";

/** How the layers of a network are built. */
interface BuildOptions {
  readonly algorithm: Algorithm;
  readonly rows: RowSource | undefined;
  readonly keptWeightBytes: number;
}

/** What all layers of a network use in turn. */
function commonParts(
  kernels: Kernels,
  passes: PassMemory,
  parameters: readonly ParameterSpec[],
  { algorithm, rows, keptWeightBytes }: BuildOptions,
): Pick<Construction, "kernels" | "staging" | "workspace" | "lowMemory" | "shared" | "algorithm"> {
  const longestRow = Math.max(1, ...parameters.map(({ shape }) => elementCount(shape.slice(1))));
  return {
    kernels,
    staging: new Staging(kernels, longestRow, rows !== undefined),
    workspace: new Workspace(kernels),
    lowMemory: rows && { rows, plain: passes.region() },
    shared: {
      packs: passes.region(),
      transformed: passes.region(),
      marks: passes.region(),
      keptBytes: { left: keptWeightBytes },
    },
    algorithm,
  };
}

/**
 * Builds the layers of a graph, in execution order, between the feature maps of its memory.
 * @param parameters all that the network needs: what they are staged in is as long as their longest row
 */
export function buildLayers(
  kernels: Kernels,
  graph: CompiledGraph,
  memory: NetworkMemory,
  parameters: readonly ParameterSpec[],
  options: BuildOptions,
): readonly BuiltLayer[] {
  const common = commonParts(kernels, memory.passes, parameters, options);
  const writers = new Map<number, LayerRuntime>();
  const layers = graph.layers.map((layer) => {
    const construction = {
      ...common,
      layer,
      inputs: layer.inputs.map((id) => memory.featureMap(id)),
      sources: layer.inputs.map((id) => writers.get(id)),
      output: memory.featureMap(layer.output),
      inputShapes: memory.inputShapes(layer),
      outputShape: memory.shapeOf(layer.output),
    };
    const runtime = kindOf(layer.node).build(construction, layer.node as never); // the kind of this node
    writers.set(layer.output, runtime);
    return { layer, runtime };
  });
  common.workspace.settle();
  return layers;
}
