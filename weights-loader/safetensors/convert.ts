import { refuseUnknownOptions, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount, type Shape } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { metadataKeys } from "../graphs/network-metadata.ts";
import { type Dtype, decode, decodeScaledRows } from "../tensors/dtype.ts";
import { isWeight, rowCountOf, rowScaleSuffix, type WeightFile } from "../tensors/weight-file.ts";
import { type Precision, quantizeRows, rowScales, toHalves } from "./precision.ts";

/** How to convert weights. */
export interface ConvertOptions {
  /** Default f32. */
  readonly precision?: Precision;
  /** "dense" converts matrices alone (default), "all" convolutions as well; vectors always stay f32. */
  readonly layers?: "dense" | "all";
  /** The network that the weights belong to; goes into the file with its preprocessing and labels. */
  readonly network?: NetworkDefinition;
}

/** What conversion did to a tensor. */
export interface ConvertedTensor {
  readonly name: string;
  readonly from: Dtype;
  readonly to: Precision;
  /** Largest absolute difference, and root mean square difference relative to the root mean square. */
  readonly largestError: number;
  readonly relativeError: number;
}

/** A safetensors file in the making. */
export interface Conversion {
  readonly byteLength: number;
  /** The file, piece by piece; at most a block of a tensor is in memory. Fills `tensors`. */
  pieces(): AsyncGenerator<Uint8Array>;
  /** What was done, complete once all pieces have passed. */
  readonly tensors: readonly ConvertedTensor[];
}

/** Float32 bytes that pass at a time. */
const blockBytes = 4 << 20;

const safetensorsNames: Readonly<Record<Precision, string>> = { f32: "F32", f16: "F16", bf16: "BF16", int8: "I8" };
const bytesOf: Readonly<Record<Precision, number>> = { f32: 4, f16: 2, bf16: 2, int8: 1 };

interface Part {
  readonly name: string;
  readonly shape: Shape;
  readonly precision: Precision;
  /** Scales of another tensor's rows instead of a tensor of the file. */
  readonly scalesOf?: string;
}

/**
 * Writes weights as one safetensors file, with the network, its preprocessing and labels in the metadata. Integer tensors
 * (bookkeeping) are left out.
 * @throws UnsupportedError while writing, when a value does not fit the precision
 */
export function convertWeights(file: WeightFile, options: ConvertOptions = {}): Conversion {
  refuseUnknownOptions("convertWeights", options, ["precision", "layers", "network"]);
  const { precision = "f32", layers = "dense", network } = options;
  const parts: Part[] = [];
  for (const info of file.tensors.values()) {
    if (!isWeight(info)) continue;
    const { name, shape } = info;
    const isMatrix = shape.length === 2 || (layers === "all" && shape.length > 2);
    const own = isMatrix && elementCount(shape) > 0 ? precision : "f32";
    parts.push({ name, shape, precision: own });
    if (own === "int8") {
      if (file.tensors.has(name + rowScaleSuffix)) {
        throw new UnsupportedError(
          `weights "${file.name}": "${name}${rowScaleSuffix}" is taken; it would hold the scales.`,
        );
      }
      parts.push({ name: name + rowScaleSuffix, shape: [rowCountOf(shape)], precision: "f32", scalesOf: name });
    }
  }
  // Wide elements first, so that every tensor starts at a multiple of its element's size.
  parts.sort((a, b) => bytesOf[b.precision] - bytesOf[a.precision]);
  const metadata: Record<string, string> = { "srmap.precision": precision };
  if (network !== undefined) {
    metadata[metadataKeys.network] = JSON.stringify(network);
    if (network.preprocessing !== undefined) {
      metadata[metadataKeys.preprocessing] = JSON.stringify(network.preprocessing);
    }
  }
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, shape, precision: own } of parts) {
    const end = offset + elementCount(shape) * bytesOf[own];
    header[name] = { dtype: safetensorsNames[own], shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20); // padded with spaces
  new DataView(start.buffer).setBigUint64(0, BigInt(start.length - 8), true);
  start.set(json, 8);
  const tensors: ConvertedTensor[] = [];
  return {
    byteLength: start.length + offset,
    tensors,
    async *pieces() {
      yield start;
      tensors.length = 0;
      const scales = new Map<string, Float32Array>();
      for (const part of parts) {
        if (part.scalesOf === undefined) {
          yield* convertTensor(file, part, scales.get(part.name), tensors);
        } else {
          const found = await scalesOf(file, part.scalesOf);
          scales.set(part.scalesOf, found);
          yield asBytes(found);
        }
      }
    },
  };
}

function asBytes(array: Float32Array | Uint16Array | Int8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A tensor's rows in blocks. */
async function* blocksOf(file: WeightFile, name: string): AsyncGenerator<{ rows: Float32Array; firstRow: number }> {
  const shape = file.tensors.get(name)?.shape ?? [];
  const rowCount = rowCountOf(shape);
  const rowElements = elementCount(shape) / rowCount;
  if (!(rowElements > 0)) return;
  const step = Math.max(1, Math.floor(blockBytes / (4 * rowElements)));
  for (let firstRow = 0; firstRow < rowCount; firstRow += step) {
    yield { rows: await file.readRows(name, firstRow, Math.min(step, rowCount - firstRow)), firstRow };
  }
}

async function scalesOf(file: WeightFile, name: string): Promise<Float32Array> {
  const shape = file.tensors.get(name)?.shape ?? [];
  const rowElements = elementCount(shape) / rowCountOf(shape);
  const scales = new Float32Array(rowCountOf(shape));
  for await (const { rows, firstRow } of blocksOf(file, name)) scales.set(rowScales(rows, rowElements), firstRow);
  return scales;
}

async function* convertTensor(
  file: WeightFile,
  { name, shape, precision }: Part,
  scales: Float32Array | undefined,
  done: ConvertedTensor[],
): AsyncGenerator<Uint8Array> {
  const what = `weights "${file.name}": tensor "${name}"`;
  const rowElements = elementCount(shape) / rowCountOf(shape);
  const sums = { largest: 0, error: 0, square: 0 };
  for await (const { rows, firstRow } of blocksOf(file, name)) {
    const own = scales?.subarray(firstRow, firstRow + rows.length / rowElements) ?? new Float32Array(0);
    const written =
      precision === "f32"
        ? rows
        : precision === "int8"
          ? quantizeRows(rows, rowElements, own)
          : toHalves(rows, precision, what);
    compare(rows, precision, written, own, sums);
    yield asBytes(written);
  }
  const relativeError = sums.square === 0 ? 0 : Math.sqrt(sums.error / sums.square);
  const from = file.tensors.get(name)?.dtype ?? "f32";
  done.push({ name, from, to: precision, largestError: sums.largest, relativeError });
}

/** Adds up what the rounding changed. */
function compare(
  rows: Float32Array,
  precision: Precision,
  written: Float32Array | Uint16Array | Int8Array,
  scales: Float32Array,
  sums: { largest: number; error: number; square: number },
): void {
  if (precision === "f32") return;
  const back = new Float32Array(rows.length);
  if (precision === "int8") decodeScaledRows(back, asBytes(written), scales);
  else decode(back, asBytes(written), precision);
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]!;
    const difference = Math.abs(back[i]! - value);
    if (difference > sums.largest) sums.largest = difference;
    sums.error += difference * difference;
    sums.square += value * value;
  }
}
