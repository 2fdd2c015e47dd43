import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { root } from "./paths.ts";
import { type ProtobufField, protobufFields } from "./protobuf.ts";

/** A tensor of an ONNX backend node test; float32 and int64 alone have values. */
export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** The single node of an ONNX backend node test, with what goes in and what must come out. */
export interface OnnxNodeTest {
  readonly opType: string;
  readonly attributes: ReadonlyMap<string, number | string | readonly number[]>;
  /** In the node's order; undefined where an optional input is left out. */
  readonly inputs: readonly (OnnxTensor | undefined)[];
  readonly outputs: readonly OnnxTensor[];
}

const text = (field: ProtobufField): string => Buffer.from(bytesOf(field)).toString("utf8");

function bytesOf(field: ProtobufField): Uint8Array {
  if (typeof field.value === "bigint") throw new Error(`protobuf field ${field.number} is a number`);
  return field.value;
}

function integerOf(field: ProtobufField): number {
  if (typeof field.value !== "bigint") throw new Error(`protobuf field ${field.number} is a byte string`);
  return Number(BigInt.asIntN(64, field.value));
}

/** Repeated integers come one by one or packed. */
function integersOf(fields: readonly ProtobufField[]): number[] {
  return fields.flatMap((field) => {
    if (typeof field.value === "bigint") return [integerOf(field)];
    const packed: number[] = [];
    let value = 0n;
    let shift = 0n;
    for (const byte of field.value) {
      value |= BigInt(byte & 127) << shift;
      shift += 7n;
      if (byte < 128) {
        packed.push(Number(BigInt.asIntN(64, value)));
        value = 0n;
        shift = 0n;
      }
    }
    return packed;
  });
}

const numbered = (fields: readonly ProtobufField[], number: number): ProtobufField[] =>
  fields.filter((field) => field.number === number);

/** TensorProto: dims 1, data_type 2 (1 float32, 7 int64), raw_data 9. Other types come without values. */
function readTensor(path: string): OnnxTensor {
  const fields = protobufFields(readFileSync(path));
  const shape = integersOf(numbered(fields, 1));
  const type = numbered(fields, 2).map(integerOf)[0];
  const raw = numbered(fields, 9)[0];
  if (raw === undefined || (type !== 1 && type !== 7)) return { shape, values: [] };
  const copy = Uint8Array.from(bytesOf(raw)).buffer;
  return { shape, values: type === 1 ? [...new Float32Array(copy)] : [...new BigInt64Array(copy)].map(Number) };
}

/** AttributeProto: name 1, f 2, i 3, s 4, ints 8, type 20 (1 float, 2 int, 3 string, 7 ints). */
function readAttribute(bytes: Uint8Array): [string, number | string | readonly number[]] {
  const fields = protobufFields(bytes);
  const name = text(numbered(fields, 1)[0]!);
  const type = integerOf(numbered(fields, 20)[0]!);
  if (type === 1)
    return [name, new DataView(Uint8Array.from(bytesOf(numbered(fields, 2)[0]!)).buffer).getFloat32(0, true)];
  if (type === 2) return [name, integerOf(numbered(fields, 3)[0]!)];
  if (type === 3) return [name, text(numbered(fields, 4)[0]!)];
  if (type === 7) return [name, integersOf(numbered(fields, 8))];
  throw new Error(`attribute "${name}" has type ${type}, which this reader does not know`);
}

/**
 * Unpacks test/fixtures/onnx-node.tar.gz for the life of the process.
 * Source: POSIX.1-1988 ustar: name at 0, size in octal at 124, type at 156 (0: a file), contents in blocks of 512 bytes.
 * @returns the folder, with a slash at its end, that holds one folder a node test
 */
export function unpackOnnxNodeTests(): string {
  const folder = mkdtempSync(join(tmpdir(), "srmap-onnx-node-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const archive = gunzipSync(readFileSync(join(root, "test/fixtures/onnx-node.tar.gz")));
  const field = (at: number, length: number): string =>
    archive.toString("latin1", at, at + length).replace(/\0.*$/, "");
  for (let at = 0; field(at, 100) !== ""; ) {
    const bytes = Number.parseInt(field(at + 124, 12), 8);
    if (field(at + 156, 1) === "0") {
      const file = join(folder, field(at, 100));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, archive.subarray(at + 512, at + 512 + bytes));
    }
    at += 512 + Math.ceil(bytes / 512) * 512;
  }
  return `${folder}/onnx-node/`;
}

/** Reads model.onnx and test_data_set_0 of one folder of ONNX backend node tests. */
export function readOnnxNodeTest(folder: string): OnnxNodeTest {
  // ModelProto.graph is field 7; GraphProto.node 1; NodeProto: input 1, output 2, op_type 4, attribute 5.
  const graph = protobufFields(bytesOf(numbered(protobufFields(readFileSync(`${folder}/model.onnx`)), 7)[0]!));
  const node = protobufFields(bytesOf(numbered(graph, 1)[0]!));
  const data = `${folder}/test_data_set_0/`;
  let next = 0;
  const inputs = numbered(node, 1)
    .map(text)
    .map((name) => (name === "" ? undefined : readTensor(`${data}input_${next++}.pb`)));
  const outputCount = readdirSync(data).filter((name) => name.startsWith("output_")).length;
  return {
    opType: text(numbered(node, 4)[0]!),
    attributes: new Map(numbered(node, 5).map((field) => readAttribute(bytesOf(field)))),
    inputs,
    outputs: Array.from({ length: outputCount }, (_, k) => readTensor(`${data}output_${k}.pb`)),
  };
}
