// Just enough of ONNX to hand a seeded network to peers: protobuf by hand, weights in a file beside it.
import type { NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";

type Field = Uint8Array;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const integer = (field: number, value: number): Field => Uint8Array.from([...varint(field * 8), ...varint(value)]);
const float = (field: number, value: number): Field =>
  Uint8Array.from([...varint(field * 8 + 5), ...new Uint8Array(Float32Array.of(value).buffer)]);

function join(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const bytes = (field: number, value: Uint8Array): Field =>
  join([Uint8Array.from([...varint(field * 8 + 2), ...varint(value.length)]), value]);
const string = (field: number, value: string): Field => bytes(field, text(value));
const message = (field: number, parts: readonly Field[]): Field => bytes(field, join(parts));

// AttributeProto: name 1, f 2, i 3, ints 8, type 20 (FLOAT 1, INT 2, INTS 7).
const ints = (name: string, values: readonly number[]): Field =>
  message(5, [string(1, name), ...values.map((v) => integer(8, v)), integer(20, 7)]);
const int = (name: string, value: number): Field => message(5, [string(1, name), integer(3, value), integer(20, 2)]);
const real = (name: string, value: number): Field => message(5, [string(1, name), float(2, value), integer(20, 1)]);

function node(n: NodeDefinition): Field {
  const make = (op: string, parameters: readonly (string | undefined)[], attributes: readonly Field[]): Field =>
    message(1, [
      ...[...n.inputs, ...parameters].flatMap((name) => (name === undefined ? [] : [string(1, name)])),
      string(2, n.name),
      string(3, n.name),
      string(4, op),
      ...attributes,
    ]);
  switch (n.op) {
    case "conv2d":
      return make(
        "Conv",
        [n.weight, n.bias],
        [
          ints("kernel_shape", n.kernelShape),
          ints("strides", n.strides ?? [1, 1]),
          ints("pads", n.pads ?? [0, 0, 0, 0]),
          int("group", n.group ?? 1),
        ],
      );
    case "dense":
      return make("Gemm", [n.weight, n.bias], [int("transB", 1)]);
    case "maxPool2d":
      return make("MaxPool", [], [ints("kernel_shape", n.kernelShape), ints("strides", n.strides ?? [1, 1])]);
    case "lrn":
      return make("LRN", [], [int("size", n.size), real("alpha", n.alpha), real("beta", n.beta), real("bias", n.bias)]);
    case "relu":
      return make("Relu", [], []);
    case "flatten":
      return make("Flatten", [], []);
    default:
      throw new RangeError(`bench: no ONNX for ${n.op}.`);
  }
}

/** ValueInfoProto of a float32 tensor. */
function value(field: number, name: string, shape: readonly number[]): Field {
  const dimensions = shape.map((size) => message(1, [integer(1, size)]));
  return message(field, [string(1, name), message(2, [message(1, [integer(1, 1), message(2, dimensions)])])]);
}

/** A model whose weights lie, float32, one after another in a file beside it. */
export function onnxModel(
  definition: NetworkDefinition,
  tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly offset: number;
    readonly length: number;
  }[],
  weightFile: string,
): Uint8Array {
  const entry = (key: string, content: string): Field => message(13, [string(1, key), string(2, content)]);
  const initializers = tensors.map(({ name, shape, offset, length }) =>
    message(5, [
      ...shape.map((size) => integer(1, size)),
      integer(2, 1),
      string(8, name),
      entry("location", weightFile),
      entry("offset", String(4 * offset)),
      entry("length", String(4 * length)),
      integer(14, 1),
    ]),
  );
  const classes = tensors.at(-1)?.length ?? 0;
  const graph = [
    ...definition.nodes.map(node),
    string(2, definition.name),
    ...initializers,
    value(11, "input", [1, ...definition.inputShape]),
    value(12, definition.output, [1, classes]),
  ];
  // ModelProto: ir_version 1, graph 7, opset_import 8 (version 2).
  return join([integer(1, 8), message(7, graph), message(8, [string(1, ""), integer(2, 17)])]);
}
