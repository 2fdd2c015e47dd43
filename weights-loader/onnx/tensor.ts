import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { ExternalData } from "../bytes/external-data.ts";
import { isSafeRelativePath } from "../bytes/safe-relative-path.ts";
import { type ByteSource, bytesSource } from "../bytes/source.ts";
import type { ProtoRange, ProtoReader } from "../containers/protobuf.ts";
import { type Dtype, dtypeBytes } from "../tensors/dtype.ts";
import { checkedElementCount, type StoredTensor } from "../tensors/weight-file.ts";

/** TensorProto.DataType. */
const dtypes: Readonly<Record<number, Dtype>> = {
  1: "f32",
  2: "u8",
  3: "i8",
  4: "u16",
  5: "i16",
  6: "i32",
  7: "i64",
  9: "bool",
  10: "f16",
  11: "f64",
  12: "u32",
  13: "u64",
  16: "bf16",
};

/** A StringStringEntryProto. */
export async function readPair(reader: ProtoReader, range: ProtoRange): Promise<{ key: string; value: string }> {
  let key: ProtoRange = { offset: 0, length: 0 };
  let value = key;
  await reader.fields(range, (field) => {
    if (field.number === 1) key = field;
    if (field.number === 2) value = field;
  });
  return { key: await reader.text(key), value: await reader.text(value) };
}

/** A TensorProto as the place of its data, in the model or beside it; only integers in varints are read here. */
export async function readTensor(
  reader: ProtoReader,
  range: ProtoRange,
  external?: ExternalData,
): Promise<StoredTensor> {
  const shape: number[] = [];
  const packedDims: ProtoRange[] = [];
  let dataType = 0;
  let nameRange: ProtoRange = { offset: 0, length: 0 };
  let location = 0;
  const data: { number: number; range: ProtoRange; wire: number }[] = [];
  const entries: ProtoRange[] = [];
  await reader.fields(range, (field) => {
    if (field.number === 1 && field.wire === 0) shape.push(field.value);
    else if (field.number === 1) packedDims.push(field);
    else if (field.number === 2) dataType = field.value;
    else if (field.number === 8) nameRange = field;
    else if (field.number === 13) entries.push(field);
    else if (field.number === 14) location = field.value;
    else if ([4, 5, 6, 7, 9, 10, 11].includes(field.number) && data.length < 2) {
      data.push({ number: field.number, range: field, wire: field.wire });
    }
  });
  for (const place of packedDims) for (const size of await reader.packedInts(place)) shape.push(size);
  const name = await reader.text(nameRange);
  const what = `${reader.what}: tensor "${name}"`;
  const dtype = dtypes[dataType];
  if (dtype === undefined) throw new UnsupportedError(`${what} has element type ${dataType}, which is not supported.`);
  const bytes = checkedElementCount(shape, what) * dtypeBytes[dtype];
  if (location === 1) return { name, dtype, shape, ...(await externalPlace(reader, entries, bytes, what, external)) };
  const [first, second] = data;
  if (bytes === 0 && first === undefined) return { name, dtype, shape, source: reader.source, offset: 0 };
  if (first === undefined || second !== undefined || first.wire !== 2) {
    throw new FormatError(`${what}: its data must be one packed field, got ${data.length === 0 ? "none" : "several"}.`);
  }
  // raw_data 9, float_data 4 and double_data 10 hold the elements as they are; the integer fields hold varints.
  const isRaw =
    first.number === 9 || (first.number === 4 && dtype === "f32") || (first.number === 10 && dtype === "f64");
  if (isRaw) {
    if (first.range.length !== bytes) {
      throw new FormatError(
        `${what}: [${shape.join(",")}] of ${dtype} needs ${bytes} bytes, got ${first.range.length}.`,
      );
    }
    return { name, dtype, shape, source: reader.source, offset: first.range.offset };
  }
  return decodedInts(name, dtype, shape, await reader.packedInts(first.range), what);
}

/** A tensor whose elements the file holds as varints (int32_data, int64_data): decoded into bytes of its own. */
function decodedInts(
  name: string,
  dtype: Dtype,
  shape: readonly number[],
  values: readonly number[],
  what: string,
): StoredTensor {
  const count = checkedElementCount(shape, what);
  if (values.length !== count) {
    throw new FormatError(`${what}: [${shape.join(",")}] needs ${count} elements, got ${values.length}.`);
  }
  const bytes = new Uint8Array(count * dtypeBytes[dtype]);
  const width = dtypeBytes[dtype];
  for (const [i, value] of values.entries()) {
    if (Number.isNaN(value)) throw new FormatError(`${what}: element ${i} is beyond 2^53.`);
    const bits = BigInt.asUintN(64, BigInt(value));
    for (let k = 0; k < width; k++) bytes[i * width + k] = Number((bits >> BigInt(8 * k)) & 255n);
  }
  return { name, dtype, shape, source: bytesSource(bytes), offset: 0 };
}

async function externalPlace(
  reader: ProtoReader,
  entries: readonly ProtoRange[],
  bytes: number,
  what: string,
  external?: ExternalData,
): Promise<{ source: ByteSource; offset: number }> {
  const pairs = new Map<string, string>();
  for (const range of entries) {
    const { key, value } = await readPair(reader, range);
    pairs.set(key, value);
  }
  const location = pairs.get("location") ?? "";
  if (!isSafeRelativePath(location))
    throw new FormatError(`${what}: its external data "${location}" would lie outside the model's folder.`);
  if (external === undefined) {
    throw new UnsupportedError(
      `${what} lies in the file "${location}" beside the model, and nothing here can open it.`,
    );
  }
  const source = await external(location);
  const offset = Number(pairs.get("offset") ?? 0);
  const length = Number(pairs.get("length") ?? bytes);
  if (length !== bytes || !Number.isSafeInteger(offset) || offset < 0 || offset + bytes > source.byteLength) {
    throw new FormatError(
      `${what}: needs ${bytes} bytes, but its place in "${location}" is ${length} bytes from ${offset} on, and the file has ${source.byteLength}.`,
    );
  }
  return { source, offset };
}
