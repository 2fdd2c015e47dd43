import { type Shape, tensor } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";
import { Network } from "../../engine/network/network.ts";
import { type BareNode, plainPreprocessing } from "../cases/networks.ts";
import { testKernels } from "./kernels.ts";

/** A network of a single node that reads the input. */
export function singleNode(inputShape: Shape, node: BareNode): NetworkDefinition {
  const whole = { name: "node", inputs: ["input"], ...node } as NodeDefinition; // spreading a union of nodes loses which one
  return { name: "single", inputShape, nodes: [whole], output: "node", preprocessing: plainPreprocessing };
}

/** A network on a kernel instance of its own, with these parameters bound whole, in the order the network asks for them. */
export function boundNetwork(
  definition: NetworkDefinition,
  parameters: ReadonlyMap<string, Float32Array> = new Map(),
): Network {
  const network = new Network(testKernels(), definition);
  for (const { name } of network.parameters) {
    const values = parameters.get(name);
    if (values === undefined) throw new RangeError(`the test has no parameter "${name}"`);
    network.setRows(name, 0, values);
  }
  return network;
}

/** Forward pass of a plain array: the output (the logits) in C,H,W order. */
export function forward(network: Network, input: Float32Array): Float32Array {
  return network.forward(tensor(network.definition.inputShape, input)).data;
}

/** Builds, binds and runs in one go. */
export function run(
  definition: NetworkDefinition,
  parameters: ReadonlyMap<string, Float32Array>,
  input: Float32Array,
): Float32Array {
  return forward(boundNetwork(definition, parameters), input);
}
