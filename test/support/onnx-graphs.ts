import { Network, tensor } from "../../engine/index.ts";
import { bindWeights, bytesSource, importOnnx } from "../../weights-loader/index.ts";
import { plainPreprocessing } from "../cases/networks.ts";
import { testKernels } from "./kernels.ts";

/** A random graph with what onnxruntime computes for it; made by test/reference/make-onnx-graphs.py. */
export interface OnnxGraph {
  readonly seed: number;
  readonly ops: readonly string[];
  /** base64 */
  readonly model: string;
  /** Of the input, without the batch. */
  readonly shape: readonly number[];
  /** base64 of float32 */
  readonly input: string;
  readonly output: string;
}

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));

/** Float32 from base64. */
export function floatsOf(base64: string): Float32Array {
  return new Float32Array(bytesOf(base64).buffer);
}

/** Imports a graph and binds its weights. @throws UnsupportedError for what is not explained here */
export async function openGraph({ seed, model }: Pick<OnnxGraph, "seed" | "model">): Promise<Network> {
  const source = bytesSource(bytesOf(model));
  const { definition, weights } = await importOnnx(source, { name: `seed ${seed}`, preprocessing: plainPreprocessing });
  const network = new Network(testKernels(), definition);
  await bindWeights(network, weights);
  return network;
}

/** Largest difference from onnxruntime, in parts of the largest output. */
export function graphDifference(network: Network, graph: OnnxGraph): number {
  const [input, output] = [floatsOf(graph.input), floatsOf(graph.output)];
  const logits = network.forward(tensor(network.definition.inputShape, input)).data;
  const largest = Math.max(1e-3, ...output.map((value) => Math.abs(value)));
  if (logits.length !== output.length) return Number.POSITIVE_INFINITY;
  return logits.reduce((worst, value, i) => {
    const difference = Math.abs(value - output[i]!) / largest;
    return difference <= worst ? worst : Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }, 0);
}
