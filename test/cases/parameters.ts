import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { parameterShapes } from "../oracle/graph.ts";
import { count } from "../oracle/tensor64.ts";
import { fillValues } from "./values.ts";

/**
 * Seeded float32 parameters for a small network: weights uniform with variance 2 / fan-in, so that activations keep their
 * size; biases in [-0.1, 0.1); variances in [0.5, 1.5), the other vectors of batch norm around 1 or 0.
 */
export function seededNetworkParameters(definition: NetworkDefinition, seed: number): Map<string, Float32Array> {
  const positive = new Set(definition.nodes.flatMap((node) => (node.op === "batchNorm" ? [node.variance] : [])));
  const scales = new Set(
    definition.nodes.flatMap((node) => (node.op === "batchNorm" && node.scale ? [node.scale] : [])),
  );
  const parameters = new Map<string, Float32Array>();
  for (const [name, shape] of parameterShapes(definition)) {
    const fanIn = count(shape.slice(1));
    const values = fillValues(count(shape), "uniform", seed * 1000 + parameters.size);
    const factor = shape.length > 1 ? Math.sqrt(6 / fanIn) : positive.has(name) || scales.has(name) ? 0.5 : 0.1;
    const offset = positive.has(name) || scales.has(name) ? 1 : 0;
    parameters.set(
      name,
      values.map((value) => offset + factor * value),
    );
  }
  return parameters;
}

/** A seeded signed input for a small network. */
export function seededNetworkInput(definition: NetworkDefinition, seed: number): Float32Array {
  return fillValues(count(definition.inputShape), "uniform", seed * 1000 + 999).map((value) => 2 * value);
}
