import { closeSync, openSync, writeSync } from "node:fs";
import { elementCount } from "../../engine/basics/tensor.ts";
import { modelByName } from "../../engine/models/index.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { rng } from "./rng.ts";

/** Writes a known network's safetensors with int8 noise for weights, drawn so that feature maps keep their size. */
export function writeNoise(model: string, path: string): void {
  const header: Record<string, { dtype: string; shape: readonly number[]; data_offsets: [number, number] }> = {};
  const { integer, f32 } = rng(11);
  const noise = Int8Array.from({ length: 1 << 20 }, () => integer(-127, 127));
  const pieces: (() => Uint8Array[])[] = [];
  let end = 0;
  const add = (
    name: string,
    dtype: string,
    shape: readonly number[],
    bytes: number,
    data: () => Uint8Array[],
  ): void => {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes] };
    pieces.push(data);
    end += bytes;
  };
  const scaled = (count: number, scale: number): Uint8Array =>
    new Uint8Array(f32(count, 0.9, 1).map((value) => value * scale).buffer as ArrayBuffer);
  for (const { name, shape } of networkParameters(modelByName(model))) {
    const [rows = 1] = shape;
    const count = elementCount(shape);
    if (shape.length === 1) add(name, "F32", shape, 4 * rows, () => [scaled(rows, 0.01)]);
    else {
      add(name, "I8", shape, count, () =>
        Array.from(
          { length: Math.ceil(count / noise.length) },
          (_, index) => new Uint8Array(noise.buffer, 0, Math.min(noise.length, count - index * noise.length)),
        ),
      );
      add(`${name}.rowScale`, "F32", [rows], 4 * rows, () => [scaled(rows, Math.sqrt((6 * rows) / count) / 127)]);
    }
  }
  const text = JSON.stringify({ __metadata__: { "srmap.precision": "int8" }, ...header });
  const head = Buffer.from(text + " ".repeat((8 - (text.length % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  const file = openSync(path, "w");
  for (const piece of [length, head, ...pieces.flatMap((data) => data())]) writeSync(file, piece);
  closeSync(file);
}
