import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { elementCount } from "../../engine/basics/tensor.ts";
import { copyOf } from "../bytes/copy-of.ts";
import type { ByteSource } from "../bytes/source.ts";
import { floatOf, type ProtoRange, ProtoReader } from "../containers/protobuf.ts";
import type { Dtype } from "../tensors/dtype.ts";
import { storedWeights } from "../tensors/stored-weights.ts";
import { checkedElementCount, type StoredTensor, type WeightFile } from "../tensors/weight-file.ts";
import { type Message, type MessageValue, parsePrototxt } from "./prototxt.ts";
import { type CaffeMessageName, caffeFields, v1LayerTypes } from "./schema.ts";

/** A layer of a Caffe network: its description, and its tensors where they came with it. */
export interface CaffeLayer {
  readonly name: string;
  /** In V2's words: "Convolution". */
  readonly type: string;
  readonly fields: Message;
  readonly blobs: readonly StoredTensor[];
}

/** A Caffe network. */
export interface CaffeNet {
  readonly name: string;
  readonly fields: Message;
  readonly layers: readonly CaffeLayer[];
}

/** Layers at most; GoogLeNet has 170. */
const maximumLayers = 10_000;
/** Scalars and messages in one message at most. */
const maximumFields = 100_000;

/** The first value of a field, where it is a number (an enum's name counts by `names`) or absent. */
export function numberOf(
  message: Message | undefined,
  field: string,
  names: readonly string[] = [],
): number | undefined {
  const value = message?.get(field)?.[0];
  if (value === undefined || typeof value === "number") return value;
  const at = typeof value === "string" ? names.indexOf(value) : -1;
  if (at >= 0) return at;
  throw new UnsupportedError(
    `field "${field}" must be a number, got "${typeof value === "string" ? value : "a message"}".`,
  );
}

/** All values of a numeric field. */
export function numbersOf(message: Message | undefined, field: string): number[] {
  return (message?.get(field) ?? []).map((value) => {
    if (typeof value !== "number") throw new UnsupportedError(`field "${field}" must be numeric.`);
    return value;
  });
}

/** All values of a text field. */
export function textsOf(message: Message | undefined, field: string): string[] {
  return (message?.get(field) ?? []).filter((value) => typeof value === "string");
}

/** All values of a field that holds messages. */
export function messagesOf(message: Message | undefined, field: string): Message[] {
  return (message?.get(field) ?? []).filter((value) => typeof value === "object");
}

/** Reads a network's description from text. */
export function readPrototxt(text: string, name: string): CaffeNet {
  const what = `network "${name}"`;
  const fields = parsePrototxt(text, what);
  const layers = [...messagesOf(fields, "layer"), ...messagesOf(fields, "layers")].map((layer) =>
    asLayer(layer, [], what),
  );
  return { name: textsOf(fields, "name")[0] ?? name, fields, layers };
}

function asLayer(fields: Message, blobs: readonly StoredTensor[], what: string): CaffeLayer {
  const name = textsOf(fields, "name")[0] ?? "";
  const type = fields.get("type")?.[0];
  if (typeof type !== "string" && typeof type !== "number")
    throw new FormatError(`${what}: layer "${name}" has no type.`);
  return { name, type: v1LayerTypes[type] ?? String(type), fields, blobs };
}

/** Reads a .caffemodel's network; its tensors' data stay in the file. */
export async function readCaffemodel(source: ByteSource, name: string): Promise<CaffeNet> {
  const what = `weights "${name}"`;
  const reader = new ProtoReader(source, what);
  const layerRanges: { version: "layer" | "layerV1"; range: ProtoRange }[] = [];
  const fields = await readMessage(reader, "net", { offset: 0, length: source.byteLength }, (field, range) => {
    layerRanges.push({ version: field === "layer" ? "layer" : "layerV1", range });
    if (layerRanges.length > maximumLayers) throw new FormatError(`${what}: more than ${maximumLayers} layers.`);
  });
  const layers: CaffeLayer[] = [];
  for (const { version, range } of layerRanges) {
    const blobRanges: ProtoRange[] = [];
    const layerFields = await readMessage(reader, version, range, (_, blob) => blobRanges.push(blob));
    const layer = asLayer(layerFields, [], what);
    const names = blobNames(layer.type);
    const blobs: StoredTensor[] = [];
    for (const [index, blob] of blobRanges.entries()) {
      blobs.push(await readBlob(reader, blob, `${layer.name}.${names[index] ?? `blob${index}`}`, layer.type, index));
    }
    layers.push({ ...layer, blobs });
  }
  return { name: textsOf(fields, "name")[0] ?? name, fields, layers };
}

/** What a layer's tensors are called here, in their order. */
function blobNames(type: string): readonly string[] {
  if (type === "BatchNorm") return ["mean", "variance", "scaleFactor"];
  if (type === "Scale") return ["scale", "bias"];
  if (type === "Bias") return ["bias"];
  if (type === "PReLU") return ["slope"];
  return ["weight", "bias"];
}

/** Reads a message by the schema; layers of a net and tensors of a layer are handed to `later`, everything unknown is skipped. */
async function readMessage(
  reader: ProtoReader,
  message: CaffeMessageName,
  range: ProtoRange,
  later: (field: string, range: ProtoRange) => void,
): Promise<Message> {
  const schema = caffeFields(message);
  const result = new Map<string, MessageValue[]>();
  const add = (name: string, value: MessageValue): void => {
    const values = result.get(name);
    if (values === undefined) result.set(name, [value]);
    else values.push(value);
  };
  const texts: { name: string; range: ProtoRange }[] = [];
  const messages: { name: string; type: CaffeMessageName; range: ProtoRange }[] = [];
  const packed: { name: string; type: "int" | "float"; range: ProtoRange }[] = [];
  let count = 0;
  await reader.fields(range, (field) => {
    const known = schema.get(field.number);
    if (known === undefined) return;
    if (++count > maximumFields)
      throw new FormatError(`${reader.what}: more than ${maximumFields} fields in a message.`);
    const { name, type } = known;
    const place = { offset: field.offset, length: field.length };
    if (field.wire === 2) {
      if (type === "text") texts.push({ name, range: place });
      else if (type === "blob") later(name, place);
      else if (type === "int" || type === "float") packed.push({ name, type, range: place });
      else if (type.message === "layer" || type.message === "layerV1") later(name, place);
      else messages.push({ name, type: type.message, range: place });
    } else if (type === "int" && field.wire === 0) add(name, field.value);
    else if (type === "float" && field.wire === 5) add(name, floatOf(field));
  });
  for (const { name, range: place } of texts) add(name, await reader.text(place));
  for (const { name, type, range: place } of packed) {
    const values = type === "int" ? await reader.packedInts(place) : await packedFloats(reader, place);
    for (const value of values) add(name, value);
  }
  // The schema nests four messages deep and never itself, so neither does this.
  for (const { name, type, range: place } of messages) add(name, await readMessage(reader, type, place, () => {}));
  return result;
}

async function packedFloats(reader: ProtoReader, range: ProtoRange): Promise<Iterable<number>> {
  const bytes = copyOf(await reader.bytes(range));
  if (bytes.length % 4 !== 0)
    throw new FormatError(`${reader.what}: a damaged list of floats at byte ${range.offset}.`);
  return new Float32Array(bytes.buffer);
}

/** BlobProto: num, channels, height, width 1 to 4 (old), data 5, shape 7, double_data 8. */
export async function readBlob(
  reader: ProtoReader,
  range: ProtoRange,
  name: string,
  layerType: string,
  index: number,
): Promise<StoredTensor> {
  const what = `${reader.what}: tensor "${name}"`;
  const old = new Map<number, number>();
  let shapeRange: ProtoRange | undefined;
  const data: { dtype: Dtype; range: ProtoRange }[] = [];
  let isPacked = true;
  await reader.fields(range, (field) => {
    if (field.number >= 1 && field.number <= 4 && field.wire === 0) old.set(field.number, field.value);
    else if (field.number === 7 && field.wire === 2) shapeRange = field;
    else if (field.number === 5 || field.number === 8) {
      if (field.wire !== 2) isPacked = false;
      else if (data.length < 2) data.push({ dtype: field.number === 5 ? "f32" : "f64", range: field });
    }
  });
  if (!isPacked) throw new UnsupportedError(`${what} is not packed, as no version of Caffe writes it.`);
  const stated =
    shapeRange === undefined
      ? [1, 2, 3, 4].map((number) => old.get(number) ?? 0)
      : numbersOf(await readMessage(reader, "blobShape", shapeRange, () => {}), "dim");
  const [first, second] = data;
  if (first === undefined || second !== undefined) {
    throw new FormatError(`${what}: its data must be one packed field, got ${data.length === 0 ? "none" : "several"}.`);
  }
  checkedElementCount(stated, what);
  const shape = withoutLeadingOnes(stated, layerType === "InnerProduct" && index === 0 ? 2 : index === 0 ? 4 : 1);
  const bytes = elementCount(shape) * (first.dtype === "f32" ? 4 : 8);
  if (first.range.length !== bytes) {
    throw new FormatError(`${what}: [${shape.join(",")}] needs ${bytes} bytes, got ${first.range.length}.`);
  }
  return { name, dtype: first.dtype, shape, source: reader.source, offset: first.range.offset };
}

/** Old files give every tensor four axes: a dense layer's weights are [1,1,out,in], a bias is [1,1,1,out]. */
function withoutLeadingOnes(shape: readonly number[], rank: number): readonly number[] {
  let from = 0;
  while (shape.length - from > rank && shape[from] === 1) from++;
  return shape.slice(from);
}

/** The tensors of a .caffemodel as a weight file: `<layer>.weight` and `<layer>.bias`. */
export async function openCaffe(source: ByteSource, name: string): Promise<WeightFile> {
  const { layers, name: netName } = await readCaffemodel(source, name);
  return storedWeights(
    { name, format: "caffe", metadata: { network: netName } },
    layers.flatMap(({ blobs }) => blobs),
  );
}
