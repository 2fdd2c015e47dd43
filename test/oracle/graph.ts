import type { Shape } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition, NodeDefinition, Pads, Pair } from "../../engine/graph/definition.ts";
import { type Conv2dGeometry, conv2d, conv2dOutputShape } from "./conv2d.ts";
import { dense } from "./dense.ts";
import { activate, batchNorm, evaluateFunction, softmax } from "./elementwise.ts";
import { type LrnGeometry, lrn } from "./lrn.ts";
import { averagePool2d, globalWindow, maxPool2d, type Pool2dGeometry, pool2dOutputShape } from "./pool2d.ts";
import {
  broadcastIndex,
  connect,
  normalise,
  permuteConnections,
  resampleConnections,
  takeConnections,
} from "./structure.ts";
import { count, imageSizes, type Tensor64 } from "./tensor64.ts";

/** Parameters by the names that the definition gives them; shapes follow from the definition. */
export type Parameters64 = ReadonlyMap<string, ArrayLike<number>>;

/** The name of the network's own input. */
export const inputName = "input";

type NodeOf<Op extends NodeDefinition["op"]> = Extract<NodeDefinition, { op: Op }>;

const ones: Pair = [1, 1];
const noPads: Pads = [0, 0, 0, 0];

/** The geometry of a conv2d node on an input of `shape`, defaults filled in. */
export function conv2dGeometry(node: NodeOf<"conv2d">, shape: Shape): Conv2dGeometry {
  const [channels, height, width] = imageSizes(shape);
  return {
    channels,
    height,
    width,
    outChannels: node.outChannels,
    kernelShape: node.kernelShape,
    strides: node.strides ?? ones,
    pads: node.pads ?? noPads,
    dilations: node.dilations ?? ones,
    group: node.group ?? 1,
  };
}

/** The geometry of a pooling node on an input of `shape`, defaults filled in (stride 1, as ONNX has it). */
export function pool2dGeometry(node: NodeOf<"maxPool2d" | "averagePool2d">, shape: Shape): Pool2dGeometry {
  const [channels, height, width] = imageSizes(shape);
  return {
    channels,
    height,
    width,
    kernelShape: node.kernelShape,
    strides: node.strides ?? ones,
    pads: node.pads ?? noPads,
    dilations: node.op === "maxPool2d" ? (node.dilations ?? ones) : ones,
    ceilMode: node.ceilMode ?? false,
  };
}

/** The geometry of an LRN node on an input of `shape`. */
export function lrnGeometry(node: NodeOf<"lrn">, shape: Shape): LrnGeometry {
  const [channels, height, width] = imageSizes(shape);
  const { size, alpha, beta, bias, region = "acrossChannels" } = node;
  return { channels, height, width, size, alpha, beta, bias, region };
}

/** Reads a parameter; a missing one is a mistake of the test. */
export function parameter(parameters: Parameters64, name: string): ArrayLike<number> {
  const values = parameters.get(name);
  if (values === undefined) throw new RangeError(`the test has no parameter "${name}"`);
  return values;
}

/** Output shape of a node, from those of its inputs. */
export function outputShape(node: NodeDefinition, inputs: readonly Shape[]): Shape {
  const shape = inputs[0]!;
  switch (node.op) {
    case "conv2d":
      return conv2dOutputShape(conv2dGeometry(node, shape));
    case "dense":
      return [node.outFeatures];
    case "maxPool2d":
    case "averagePool2d":
      return pool2dOutputShape(pool2dGeometry(node, shape));
    case "globalAveragePool2d":
    case "globalMaxPool2d":
      return [shape[0]!, 1, 1];
    case "concat":
      return [inputs.reduce((sum, each) => sum + each[0]!, 0), ...shape.slice(1)];
    case "flatten":
      return [count(shape)];
    case "reshape": {
      const known = node.shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
      return node.shape.map((size) => (size === -1 ? count(shape) / known : size));
    }
    case "multiply":
      return shape.map((size, axis) => Math.max(size, inputs[1]![axis]!));
    case "take": {
      const lists = [node.channels, node.rows, node.columns];
      return shape.map((size, axis) => lists[axis]?.length ?? size);
    }
    case "permute":
      return node.shape;
    case "resample2d":
      return [
        shape[0]!,
        ...[node.rows, node.columns].map((axis, i) => (axis ? axis.places.length / axis.taps : shape[i + 1]!)),
      ];
    case "activation":
    case "prelu":
    case "extremum":
    case "normalise":
    case "lrn":
    case "batchNorm":
    case "relu":
    case "leakyRelu":
    case "clip":
    case "add":
    case "dropout":
    case "identity":
    case "softmax":
      return shape;
    default:
      return node satisfies never;
  }
}

/** Output of one node. */
export function evaluateNode(node: NodeDefinition, inputs: readonly Tensor64[], parameters: Parameters64): Tensor64 {
  const shape = outputShape(
    node,
    inputs.map((each) => each.shape),
  );
  return { shape, data: values(node, inputs, parameters) };
}

function values(node: NodeDefinition, inputs: readonly Tensor64[], parameters: Parameters64): Float64Array {
  const { shape, data: x } = inputs[0]!;
  const [channels, height, width] = shape.length <= 3 ? [shape[0] ?? 1, shape[1] ?? 1, shape[2] ?? 1] : [1, 1, 1];
  const read = (name: string): ArrayLike<number> => parameter(parameters, name);
  const maybe = (name: string | undefined): ArrayLike<number> | undefined =>
    name === undefined ? undefined : read(name);
  switch (node.op) {
    case "conv2d":
      return conv2d(conv2dGeometry(node, shape), x, read(node.weight), maybe(node.bias));
    case "dense":
      return dense(x, read(node.weight), maybe(node.bias), node.outFeatures);
    case "maxPool2d":
      return maxPool2d(pool2dGeometry(node, shape), x).values;
    case "averagePool2d":
      return averagePool2d(pool2dGeometry(node, shape), node.countIncludePad ?? false, x);
    case "globalAveragePool2d":
      return averagePool2d(globalWindow(channels, height, width), false, x);
    case "globalMaxPool2d":
      return maxPool2d(globalWindow(channels, height, width), x).values;
    case "lrn":
      return lrn(lrnGeometry(node, shape), x);
    case "batchNorm": {
      const { epsilon, mean, variance, scale, bias } = node;
      const p = { epsilon, mean: read(mean), variance: read(variance), scale: maybe(scale), bias: maybe(bias) };
      return batchNorm(p, x, channels);
    }
    case "relu":
    case "leakyRelu":
    case "clip":
      return x.map((each) => activate(node, each));
    case "activation":
      return x.map((each) => evaluateFunction(node, each));
    case "prelu": {
      const slope = read(node.slope);
      return x.map((each, i) => (each < 0 ? each * slope[Math.floor(i / (height * width))]! : each));
    }
    case "multiply": {
      const whole = outputShape(
        node,
        inputs.map((each) => each.shape),
      );
      const [a, b] = inputs.map((each) => ({ data: each.data, index: broadcastIndex(each.shape, whole) }));
      return Float64Array.from({ length: count(whole) }, (_, i) => a!.data[a!.index(i)]! * b!.data[b!.index(i)]!);
    }
    case "extremum": {
      const pick = node.of === "maximum" ? Math.max : Math.min;
      return x.map((_, i) => pick(...inputs.map((each) => each.data[i]!)));
    }
    case "take":
      return connect(takeConnections(node, shape), x, count(outputShape(node, [shape])), node.fill);
    case "permute":
      return connect(permuteConnections(node), x, x.length);
    case "resample2d":
      return connect(resampleConnections(node, shape), x, count(outputShape(node, [shape])));
    case "normalise":
      return normalise(node, inputs[0]!);
    case "concat":
      return Float64Array.from(inputs.flatMap((each) => [...each.data]));
    case "add":
      return x.map((_, i) => inputs.reduce((sum, each) => sum + each.data[i]!, 0));
    case "flatten":
    case "reshape":
    case "dropout":
    case "identity":
      return x.slice();
    case "softmax":
      return softmax(x, channels, height * width);
    default:
      return node satisfies never;
  }
}

/** The nodes, each after those it reads. */
export function inOrder(definition: NetworkDefinition): NodeDefinition[] {
  const byName = new Map(definition.nodes.map((node) => [node.name, node]));
  const done = new Set<string>([inputName]);
  const order: NodeDefinition[] = [];
  const visit = (name: string): void => {
    if (done.has(name)) return;
    const node = byName.get(name);
    if (node === undefined) throw new RangeError(`the test's network has no node "${name}"`);
    done.add(name);
    node.inputs.forEach(visit);
    order.push(node);
  };
  for (const node of definition.nodes) visit(node.name);
  return order;
}

/** Output shape of every node, and of `input`. */
export function inferShapes(definition: NetworkDefinition): Map<string, Shape> {
  const shapes = new Map<string, Shape>([[inputName, definition.inputShape]]);
  for (const node of inOrder(definition)) {
    shapes.set(
      node.name,
      outputShape(
        node,
        node.inputs.map((name) => shapes.get(name)!),
      ),
    );
  }
  return shapes;
}

/** Evaluates a whole network in float64 and keeps every node's output, and `input`. */
export function evaluate(
  definition: NetworkDefinition,
  parameters: Parameters64,
  input: ArrayLike<number>,
): Map<string, Tensor64> {
  const activations = new Map<string, Tensor64>([
    [inputName, { shape: definition.inputShape, data: Float64Array.from(input) }],
  ]);
  for (const node of inOrder(definition)) {
    const inputs = node.inputs.map((name) => activations.get(name)!);
    activations.set(node.name, evaluateNode(node, inputs, parameters));
  }
  return activations;
}

/** Names and shapes of all parameters, in the order of the nodes. */
export function parameterShapes(definition: NetworkDefinition): Map<string, Shape> {
  const shapes = inferShapes(definition);
  const result = new Map<string, Shape>();
  for (const node of definition.nodes) {
    const inputShape = shapes.get(node.inputs[0]!)!;
    if (node.op === "conv2d") {
      result.set(node.weight, [node.outChannels, inputShape[0]! / (node.group ?? 1), ...node.kernelShape]);
      if (node.bias !== undefined) result.set(node.bias, [node.outChannels]);
    } else if (node.op === "dense") {
      result.set(node.weight, [node.outFeatures, count(inputShape)]);
      if (node.bias !== undefined) result.set(node.bias, [node.outFeatures]);
    } else if (node.op === "prelu") {
      result.set(node.slope, [inputShape[0]!]);
    } else if (node.op === "batchNorm") {
      for (const name of [node.scale, node.bias, node.mean, node.variance]) {
        if (name !== undefined) result.set(name, [inputShape[0]!]);
      }
    }
  }
  return result;
}
