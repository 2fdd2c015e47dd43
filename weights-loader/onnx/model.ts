import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import { copyOf } from "../bytes/copy-of.ts";
import type { ExternalData } from "../bytes/external-data.ts";
import type { ByteSource } from "../bytes/source.ts";
import { floatOf, type ProtoRange, ProtoReader } from "../containers/protobuf.ts";
import { storedWeights } from "../tensors/stored-weights.ts";
import type { StoredTensor, WeightFile } from "../tensors/weight-file.ts";
import { readPair, readTensor } from "./tensor.ts";
import { type OnnxValue, readValue } from "./value.ts";

/** An attribute of a node: whichever of its kinds the file sets. */
export interface OnnxAttribute {
  readonly f?: number;
  readonly i?: number;
  readonly s?: string;
  readonly t?: StoredTensor;
  readonly g?: OnnxGraph;
  /** In a function: the attribute of the calling node whose value it takes. */
  readonly from?: string;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
}

/** A node as the file has it. */
export interface OnnxNode {
  /** Its name, or `Op_index` where the file gives none. */
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** Nodes and what they read and give: the file's graph, or a branch of an If node. Tensors' data stay in the file. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, StoredTensor>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** An operator that the file defines itself. */
export interface OnnxFunction {
  readonly name: string;
  readonly domain: string;
  /** Of the standard operators in it; 0 where the file does not say. */
  readonly opset: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes that a call may leave out. */
  readonly defaults: ReadonlyMap<string, OnnxAttribute>;
  readonly nodes: readonly OnnxNode[];
}

/** An ONNX file's graph, and what the file says of it. */
export interface OnnxModel extends OnnxGraph {
  readonly opset: number;
  readonly functions: readonly OnnxFunction[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Nodes, initializers and the like at most; the largest networks have some thousands. */
const maximumItems = 200_000;

/** Graphs inside graphs at most. */
const maximumDepth = 8;

/** Reads one file; counts what it read, over all its graphs. */
interface Reading {
  readonly reader: ProtoReader;
  readonly external: ExternalData | undefined;
  items: number;
}

/** Reads an ONNX file's graph. Source: onnx.proto of ONNX 1.23. */
export async function readOnnx(source: ByteSource, name: string, external?: ExternalData): Promise<OnnxModel> {
  const what = `weights "${name}"`;
  const reader = new ProtoReader(source, what);
  const graphs: ProtoRange[] = [];
  const opsets: ProtoRange[] = [];
  const properties: ProtoRange[] = [];
  const definitions: ProtoRange[] = [];
  await reader.fields({ offset: 0, length: source.byteLength }, (field) => {
    if (field.wire !== 2) return;
    if (field.number === 7) graphs.push(field);
    if (field.number === 8) opsets.push(field);
    if (field.number === 14) properties.push(field);
    if (field.number === 25) definitions.push(field);
  });
  const [graph, second] = graphs;
  if (graph === undefined || second !== undefined)
    throw new FormatError(`${what}: an ONNX file must have one graph, got ${graphs.length}.`);

  const opset = await readOpset(reader, opsets);
  if (!(opset >= 7)) throw new UnsupportedError(`${what}: ONNX opset ${opset}; 7 and later are read.`);

  const metadata: Record<string, string> = {};
  for (const range of properties) {
    const { key, value } = await readPair(reader, range);
    metadata[key] = value;
  }
  const reading = { reader, external, items: 0 };
  const functions: OnnxFunction[] = [];
  for (const range of definitions) functions.push(await readFunction(reading, range));
  return { opset, functions, metadata, ...(await readGraph(reading, graph, 0)) };
}

/** The version of the standard operators; 0 where it is not among the sets. */
async function readOpset(reader: ProtoReader, sets: readonly ProtoRange[]): Promise<number> {
  let opset = 0;
  for (const range of sets) {
    let version = 0;
    let domain: ProtoRange = { offset: 0, length: 0 };
    await reader.fields(range, (field) => {
      if (field.number === 1) domain = field;
      if (field.number === 2) version = field.value;
    });
    const domainName = await reader.text(domain);
    if (domainName === "" || domainName === "ai.onnx") opset = version;
  }
  return opset;
}

async function readFunction(reading: Reading, range: ProtoRange): Promise<OnnxFunction> {
  const { reader } = reading;
  // name 1, input 4, output 5, node 7, opset_import 9, domain 10, attribute_proto 11
  const parts: { readonly number: number; readonly range: ProtoRange }[] = [];
  await reader.fields(range, (field) => {
    if (field.wire !== 2) return;
    if (++reading.items > maximumItems)
      throw new FormatError(`${reader.what}: more than ${maximumItems} items in the graph.`);
    parts.push({ number: field.number, range: field });
  });
  const of = (number: number): readonly ProtoRange[] =>
    parts.filter((part) => part.number === number).map((part) => part.range);
  const nodes: OnnxNode[] = [];
  for (const node of of(7)) nodes.push(await readNode(reading, node, nodes.length, 0));
  return {
    name: (await readTexts(reader, of(1))).join(""),
    domain: (await readTexts(reader, of(10))).join(""),
    opset: await readOpset(reader, of(9)),
    inputs: await readTexts(reader, of(4)),
    outputs: await readTexts(reader, of(5)),
    defaults: await readAttributes(reading, of(11), 0),
    nodes,
  };
}

async function readGraph(reading: Reading, graph: ProtoRange, depth: number): Promise<OnnxGraph> {
  const { reader, external } = reading;
  const { what } = reader;
  if (depth > maximumDepth) throw new FormatError(`${what}: graphs in graphs, more than ${maximumDepth} deep.`);
  const parts = { nodes: [], initializers: [], inputs: [], outputs: [], sparse: [] } as Record<string, ProtoRange[]>;
  const partOf: Readonly<Record<number, string>> = {
    1: "nodes",
    5: "initializers",
    11: "inputs",
    12: "outputs",
    15: "sparse",
  };
  await reader.fields(graph, (field) => {
    const part = field.wire === 2 ? partOf[field.number] : undefined;
    if (part === undefined) return;
    if (++reading.items > maximumItems) throw new FormatError(`${what}: more than ${maximumItems} items in the graph.`);
    parts[part]?.push(field);
  });
  if ((parts["sparse"]?.length ?? 0) > 0) throw new UnsupportedError(`${what}: sparse tensors are not supported.`);

  const initializers = new Map<string, StoredTensor>();
  for (const range of parts["initializers"] ?? []) {
    const tensor = await readTensor(reader, range, external);
    if (initializers.has(tensor.name)) throw new FormatError(`${what}: tensor "${tensor.name}" occurs twice.`);
    initializers.set(tensor.name, tensor);
  }
  const nodes: OnnxNode[] = [];
  for (const range of parts["nodes"] ?? []) nodes.push(await readNode(reading, range, nodes.length, depth));
  const values = async (ranges: readonly ProtoRange[] = []): Promise<OnnxValue[]> => {
    const list: OnnxValue[] = [];
    for (const range of ranges) list.push(await readValue(reader, range));
    return list;
  };
  return {
    nodes,
    initializers,
    inputs: (await values(parts["inputs"])).filter((input) => !initializers.has(input.name)),
    outputs: await values(parts["outputs"]),
  };
}

/** The initializers of an ONNX file as a weight file, under their own names. */
export async function openOnnx(source: ByteSource, name: string, external?: ExternalData): Promise<WeightFile> {
  const { initializers, metadata } = await readOnnx(source, name, external);
  return storedWeights({ name, format: "onnx", metadata }, initializers.values());
}

async function readTexts(reader: ProtoReader, ranges: readonly ProtoRange[]): Promise<string[]> {
  const texts: string[] = [];
  for (const range of ranges) texts.push(await reader.text(range));
  return texts;
}

async function readNode(reading: Reading, range: ProtoRange, index: number, depth: number): Promise<OnnxNode> {
  const { reader } = reading;
  const inputs: ProtoRange[] = [];
  const outputs: ProtoRange[] = [];
  const attributes: ProtoRange[] = [];
  const single = new Map<number, ProtoRange>();
  await reader.fields(range, (field) => {
    if (field.wire !== 2) return;
    if (field.number === 1) inputs.push(field);
    else if (field.number === 2) outputs.push(field);
    else if (field.number === 5) attributes.push(field);
    else single.set(field.number, field);
  });
  const text = async (number: number): Promise<string> => {
    const place = single.get(number);
    return place === undefined ? "" : reader.text(place);
  };
  const op = await text(4);
  return {
    name: (await text(3)) || `${op}_${index}`,
    op,
    domain: await text(7),
    inputs: await readTexts(reader, inputs),
    outputs: await readTexts(reader, outputs),
    attributes: await readAttributes(reading, attributes, depth),
  };
}

async function readAttributes(
  reading: Reading,
  ranges: readonly ProtoRange[],
  depth: number,
): Promise<ReadonlyMap<string, OnnxAttribute>> {
  const byName = new Map<string, OnnxAttribute>();
  for (const range of ranges) {
    const { name, ...value } = await readAttribute(reading, range, depth);
    byName.set(name, value);
  }
  return byName;
}

async function readAttribute(
  reading: Reading,
  range: ProtoRange,
  depth: number,
): Promise<OnnxAttribute & { name: string }> {
  const { reader, external } = reading;
  let name: ProtoRange = { offset: 0, length: 0 };
  let s: ProtoRange | undefined;
  let t: ProtoRange | undefined;
  let g: ProtoRange | undefined;
  let from: ProtoRange | undefined;
  const packed: ProtoRange[] = [];
  const packedFloats: ProtoRange[] = [];
  const scalars: { f?: number; i?: number } = {};
  const floats: number[] = [];
  const ints: number[] = [];
  await reader.fields(range, (field) => {
    if (field.number === 1) name = field;
    else if (field.number === 2) scalars.f = floatOf(field);
    else if (field.number === 3) scalars.i = field.value;
    else if (field.number === 4) s = field;
    else if (field.number === 5) t = field;
    else if (field.number === 6 && field.wire === 2) g = field;
    else if (field.number === 7 && field.wire === 5) floats.push(floatOf(field));
    else if (field.number === 7) packedFloats.push(field);
    else if (field.number === 8 && field.wire === 0) ints.push(field.value);
    else if (field.number === 8) packed.push(field);
    else if (field.number === 21 && field.wire === 2 && field.length > 0) from = field;
  });
  for (const place of packed) for (const value of await reader.packedInts(place)) ints.push(value);
  for (const place of packedFloats) {
    const bytes = copyOf(await reader.bytes(place));
    if (bytes.length % 4 !== 0)
      throw new FormatError(`${reader.what}: a damaged list of floats at byte ${place.offset}.`);
    for (const value of new Float32Array(bytes.buffer)) floats.push(value);
  }
  return {
    name: await reader.text(name),
    ...scalars,
    ...(s === undefined ? {} : { s: await reader.text(s) }),
    ...(t === undefined ? {} : { t: await readTensor(reader, t, external) }),
    ...(g === undefined ? {} : { g: await readGraph(reading, g, depth + 1) }),
    ...(from === undefined ? {} : { from: await reader.text(from) }),
    floats,
    ints,
  };
}
