import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { Shape } from "../../engine/basics/tensor.ts";
import { bytesSource } from "../bytes/source.ts";
import type { OnnxAttribute, OnnxNode } from "../onnx/model.ts";
import { numbersOf } from "../onnx/numbers.ts";
import type { StoredTensor } from "../tensors/weight-file.ts";

/** A node of a TensorFlow graph: what it reads, control dependencies left out, and its attributes. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  number(attribute: string, otherwise: number): number;
  truth(attribute: string): boolean | undefined;
  text(attribute: string): string | undefined;
  /** Empty where it is absent. */
  ints(attribute: string): readonly number[];
  texts(attribute: string): readonly string[];
}

/** An image in pieces: which it is, where its dilated convolution begins, and that convolution, once it has been met. */
export interface BatchedImage {
  readonly x: string;
  readonly block: readonly number[];
  /** Zeros around it: [before, after] of the rows, then of the columns. */
  readonly paddings: readonly number[];
  readonly convolution?: GraphNode;
}

type Attributes = Readonly<Record<string, OnnxAttribute>>;

/** What translating nodes adds to: ONNX nodes and constants. */
export interface Translation {
  readonly nodes: OnnxNode[];
  readonly constants: Map<string, StoredTensor>;
  /** Shapes of constants that nodes work out. */
  readonly shapes: Map<string, Shape>;
  /** Constants of one value only, by what they are filled with. */
  readonly filled: Map<string, number>;
  /** Images in pieces, between the moves around a dilated convolution. */
  readonly batched: Map<string, BatchedImage>;
  /** Which TensorFlow node the next ones come from: layers are called as it. */
  begin(owner: string): void;
  /** Adds a node. @returns the name of its output: `output`, or a new one */
  add(op: string, inputs: readonly string[], attributes?: Attributes, output?: string): string;
  /** Adds a node of several outputs: `output`, `output:1` and so on. */
  addMany(op: string, inputs: readonly string[], attributes: Attributes, output: string, count: number): void;
  /** A list of integers as a constant. */
  list(values: readonly number[]): string;
  /** A number as a constant. */
  scalar(value: number): string;
  /** The shape of a constant. @throws UnsupportedError for what is none */
  shapeOf(value: string): Shape;
  /** A constant's numbers. @throws UnsupportedError for what is none */
  numbers(value: string | undefined): Promise<readonly number[]>;
}

/** Longest list of numbers that a node may be described by. */
const maximumNumbers = 1 << 10;

/** The constant that a value is, through what only passes it on. @throws UnsupportedError for what is none */
function constantAt({ nodes, constants }: Pick<Translation, "nodes" | "constants">, value: string): StoredTensor {
  let name = value;
  for (let steps = 0; steps < 64; steps++) {
    const tensor = constants.get(name);
    if (tensor !== undefined) return tensor;
    const alias = nodes.find(({ op, outputs }) => op === "Identity" && outputs[0] === name);
    if (alias === undefined) break;
    [name = ""] = alias.inputs;
  }
  throw new UnsupportedError(`"${value}" must be constant.`);
}

async function numbersIn(tensor: StoredTensor): Promise<readonly number[]> {
  const values = await numbersOf({ kind: "constant", tensor }).load();
  if (values.length > maximumNumbers) throw new UnsupportedError(`a list of ${values.length} numbers.`);
  return Array.from(values);
}

/** Nothing translated yet. */
export function newTranslation(what: string): Translation {
  const nodes: OnnxNode[] = [];
  const constants = new Map<string, StoredTensor>();
  const shapes = new Map<string, Shape>();
  const written = new Set<string>();
  let made = 0;
  let owner = what;
  const addConstant = (dtype: "i64" | "f32", shape: Shape, data: ArrayBuffer): string => {
    const name = `${owner}/constant_${made++}`;
    constants.set(name, { name, dtype, shape, source: bytesSource(new Uint8Array(data)), offset: 0 });
    return name;
  };
  const push = (op: string, inputs: readonly string[], attributes: Attributes, outputs: readonly string[]): void => {
    for (const output of outputs) {
      if (written.has(output)) throw new FormatError(`${what}: value "${output}" is written twice.`);
      written.add(output);
    }
    nodes.push({ name: owner, op, domain: "", inputs, outputs, attributes: new Map(Object.entries(attributes)) });
  };
  return {
    nodes,
    constants,
    shapes,
    filled: new Map(),
    batched: new Map(),
    begin: (name) => {
      owner = name;
    },
    add: (op, inputs, attributes = {}, output = `${owner}/${op}_${made++}`) => {
      push(op, inputs, attributes, [output]);
      return output;
    },
    addMany: (op, inputs, attributes, output, count) =>
      push(
        op,
        inputs,
        attributes,
        Array.from({ length: count }, (_, k) => (k === 0 ? output : `${output}:${k}`)),
      ),
    list: (values) => addConstant("i64", [values.length], BigInt64Array.from(values, BigInt).buffer),
    scalar: (value) => addConstant("f32", [], Float32Array.of(value).buffer),
    shapeOf: (value) => shapes.get(value) ?? constantAt({ nodes, constants }, value).shape,
    numbers: async (value = "") => numbersIn(constantAt({ nodes, constants }, value)),
  };
}
