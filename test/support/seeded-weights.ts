import { writeFileSync } from "node:fs";
import { elementCount } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { modelByName } from "../../engine/models/index.ts";
import { Network } from "../../engine/network/network.ts";
import { metadataKeys } from "../../weights-loader/index.ts";
import { testKernels } from "./kernels.ts";
import { rng } from "./rng.ts";

/** A safetensors file: header length (8 bytes, little endian), header (JSON), the tensors' float32. */
function safetensors(
  tensors: readonly { name: string; shape: readonly number[]; data: Float32Array }[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata };
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const bytes = new Uint8Array(8 + json.length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  let at = 8 + json.length;
  for (const { data } of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** Uniform, of a variance that keeps activations from fading (He et al. 2015). */
function seededTensors(definition: NetworkDefinition, seed: number): Parameters<typeof safetensors>[0] {
  const random = rng(seed);
  const { parameters } = new Network(testKernels(), definition);
  return parameters.map(({ name, shape }) => {
    const isBias = shape.length === 1;
    const limit = isBias ? 0.1 : Math.sqrt(6 / elementCount(shape.slice(1)));
    return { name, shape, data: random.f32(elementCount(shape), -limit, limit) };
  });
}

/** Writes seeded weights for a model of the package. */
export function writeSeededWeights(path: string, model: string, seed: number): void {
  writeFileSync(path, safetensors(seededTensors(modelByName(model), seed)));
}

/** Writes seeded weights of any network, with the network in the file. @param values of tensors that are not seeded */
export function writeSeededNetwork(
  path: string,
  definition: NetworkDefinition,
  seed: number,
  values: ReadonlyMap<string, readonly number[]> = new Map(),
): void {
  const metadata = { [metadataKeys.network]: JSON.stringify(definition) };
  const tensors = seededTensors(definition, seed).map((one) => {
    const given = values.get(one.name);
    return given === undefined ? one : { ...one, data: Float32Array.from(given) };
  });
  writeFileSync(path, safetensors(tensors, metadata));
}
