import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tensor } from "../../engine/index.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { plainPreprocessing } from "../cases/networks.ts";

/** A file with what its producer computes; made by test/reference/make-producer-files.py. */
export interface ProducerFile {
  readonly name: string;
  readonly file: string;
  readonly prototxt?: string;
  /** Of the input, [C,H,W]. */
  readonly shape: readonly number[];
  readonly input: readonly number[];
  readonly output: readonly number[];
  /** Rows and columns, where the file leaves them open. */
  readonly size?: readonly [number, number];
  /** True where the producer ends in a softmax that the description leaves out. */
  readonly logits?: boolean;
  /** Of quantised files, in parts of the largest output. */
  readonly tolerance?: number;
}

/** Largest difference, in parts of the largest value. */
function distance(values: ArrayLike<number>, truth: readonly number[]): number {
  if (values.length !== truth.length) return Number.POSITIVE_INFINITY;
  const largest = Math.max(...truth.map(Math.abs)) || 1;
  const worst = Math.max(...truth.map((value, i) => Math.abs(value - values[i]!)));
  return Number.isNaN(worst) ? Number.POSITIVE_INFINITY : worst / largest;
}

function softmax(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const powers = list.map((value) => Math.exp(value - Math.max(...list)));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** How far a file's outputs are from its producer's, in parts of the largest. @throws as `loadNetwork` */
export async function producerDifference(folder: string, made: ProducerFile): Promise<number> {
  const network = await loadNetwork(undefined, join(folder, made.file), {
    preprocess: plainPreprocessing,
    ...(made.prototxt === undefined ? {} : { prototxt: readFileSync(join(folder, made.prototxt), "utf8") }),
    ...(made.size === undefined ? {} : { inputShape: [made.shape[0] ?? 0, ...made.size] }),
  });
  const { inputShape } = network.definition;
  if (inputShape.join() !== made.shape.join()) throw new Error(`its input is [${inputShape.join(",")}].`);
  const output = network.forward(tensor(inputShape, Float32Array.from(made.input))).data;
  // `forward` gives scores: what stands before a softmax or a sigmoid at the end.
  const last = network.definition.nodes.find(({ name }) => name === network.definition.output);
  const isSigmoid = last?.op === "activation" && last.function === "sigmoid";
  const isSoftmax = made.logits === true || last?.op === "softmax";
  const got = isSoftmax ? softmax(output) : isSigmoid ? Array.from(output, (x) => 1 / (1 + Math.exp(-x))) : output;
  return distance(got, made.output);
}

/** Float32 on both sides, some layers deep. */
export const producerTolerance = 2e-5;
