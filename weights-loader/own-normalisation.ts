import type { NetworkDefinition, NodeDefinition, Preprocessing } from "../engine/graph/definition.ts";
import type { ImportedNetwork } from "./graphs/imported-network.ts";

// Networks that normalise photos themselves, in their first layer: whoever prepares photos for them has to know it.

type BatchNorm = Extract<NodeDefinition, { op: "batchNorm" }>;

/** The scale and shift per channel that the input meets before anything else; undefined where it meets another layer. */
function firstNorm({ nodes }: NetworkDefinition): BatchNorm | undefined {
  let at = "input";
  for (let steps = 0; steps <= nodes.length; steps++) {
    const [reader, second] = nodes.filter(({ inputs }) => inputs.includes(at));
    if (reader === undefined || second !== undefined) return undefined;
    if (reader.op === "batchNorm") return reader;
    if (reader.op !== "identity" && reader.op !== "dropout" && reader.op !== "take" && reader.op !== "permute")
      return undefined;
    at = reader.name;
  }
  return undefined;
}

/** `0.485 0.456 0.406`, or one number where all are alike. */
function list(values: readonly number[]): string {
  const texts = values.map((value) => String(Number(value.toPrecision(4))));
  return new Set(texts).size === 1 ? (texts[0] ?? "") : texts.join(" ");
}

const isNeutral = ({ mean, std }: Preprocessing): boolean =>
  mean.every((value) => value === 0) && std.every((value) => value === 1);

/** Says that a network normalises its input itself, and how, and whether photos come to it normalised already. */
export async function ownNormalisationNote({ definition, weights }: ImportedNetwork): Promise<string | undefined> {
  const { inputShape, preprocessing } = definition;
  const [channels = 0] = inputShape;
  const norm = channels === 1 || channels === 3 ? firstNorm(definition) : undefined;
  if (norm === undefined) return undefined;
  const read = async (name: string | undefined, otherwise: number): Promise<Float32Array> =>
    name === undefined ? new Float32Array(channels).fill(otherwise) : weights.read(name);
  const vectors = [
    await read(norm.mean, 0),
    await read(norm.variance, 1),
    await read(norm.scale, 1),
    await read(norm.bias, 0),
  ];
  if (vectors.some(({ length }) => length !== channels)) return undefined; // told when the weights are bound
  const [mean, variance, scale, bias] = vectors as [Float32Array, Float32Array, Float32Array, Float32Array]; // four, as above
  // y = a x + b is (x - m) / s with s = 1 / a and m = -b / a.
  const slopes = Array.from(scale, (value, i) => value / Math.sqrt((variance[i] ?? 1) + norm.epsilon));
  const shifts = slopes.map((slope, i) => (bias[i] ?? 0) - (mean[i] ?? 0) * slope);
  const isPlain =
    slopes.every((slope) => Math.abs(slope - 1) < 1e-6) && shifts.every((shift) => Math.abs(shift) < 1e-6);
  if (isPlain || slopes.some((slope) => slope === 0)) return undefined;
  const [own, deviation] = [slopes.map((slope, i) => -(shifts[i] ?? 0) / slope + 0), slopes.map((slope) => 1 / slope)];
  const what = `it normalises its input itself: layer "${norm.name}" takes the mean ${list(own)} and divides by ${list(deviation)}.`;
  if (preprocessing === undefined || isNeutral(preprocessing)) {
    return `${what} Photos are given to it without another mean and deviation.`;
  }
  return `${what} Photos come with the mean and deviation of their preprocessing taken off already: unless it was trained so, that is once too often, and --preprocess should have mean=0 and std=1.`;
}
