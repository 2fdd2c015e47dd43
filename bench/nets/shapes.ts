import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";

/** Sizes of a convolution with a square kernel. */
export interface ConvSize {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  readonly group: number;
}

/** A layer of a shape file as a network of its own, and its cost. */
export interface ShapeLayer {
  readonly name: string;
  readonly op: NodeDefinition["op"];
  readonly definition: NetworkDefinition;
  /** 2 per multiply-accumulate; 0 for layers without any. */
  readonly flop: number;
  /** Present for convolutions. */
  readonly conv: ConvSize | undefined;
}

const folder = fileURLToPath(new URL("../../../bench/shapes/", import.meta.url));

/** Names of the shape files. */
export function shapeFiles(): string[] {
  return readdirSync(folder)
    .map((file) => file.replace(/\.txt$/, ""))
    .sort();
}

/** Reads a shape file; its head says what the columns are. */
export function readShapes(file: string): ShapeLayer[] {
  return readFileSync(`${folder}${file}.txt`, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [op = "", name = "", ...columns] = line.split(" ");
      return layer(op, name, columns.map(Number));
    });
}

/** The first layer of every kind: for a look at everything that needs little time. */
export function oneOfEachKind(layers: readonly ShapeLayer[]): ShapeLayer[] {
  const kind = ({ op, conv }: ShapeLayer): string => `${op} ${conv?.kernel} ${conv?.stride} ${(conv?.group ?? 1) > 1}`;
  return layers.filter((layer, i) => layers.findIndex((each) => kind(each) === kind(layer)) === i);
}

/** Height or width of what a convolution writes. */
export function convOutput({ kernel, stride, pad }: ConvSize, length: number): number {
  return Math.floor((length + 2 * pad - kernel) / stride) + 1;
}

function networkOf(name: string, inputShape: readonly number[], nodes: readonly NodeDefinition[]): NetworkDefinition {
  return {
    name,
    inputShape,
    nodes,
    output: nodes.at(-1)?.name ?? name,
    // Layers are given tensors: nothing is preprocessed.
    preprocessing: { resize: "none", resizeTo: 1, channelOrder: "rgb", scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  };
}

function convNode(name: string, size: ConvSize): Extract<NodeDefinition, { op: "conv2d" }> {
  const { outChannels, kernel: k, stride: s, pad: p, group } = size;
  return {
    name,
    inputs: ["input"],
    op: "conv2d",
    outChannels,
    kernelShape: [k, k],
    strides: [s, s],
    pads: [p, p, p, p],
    group,
    weight: "w",
  };
}

/** A convolution alone, without bias and ReLU, as a network with the parameter "w". */
export function bareConvolution(size: ConvSize): NetworkDefinition {
  return networkOf("convolution", [size.channels, size.height, size.width], [convNode("convolution", size)]);
}

function layer(op: string, name: string, columns: readonly number[]): ShapeLayer {
  const inputs = ["input"];
  const relu: NodeDefinition = { name: "relu", inputs: [name], op: "relu" };
  const [channels = 0, height = 0, width = 0] = columns;
  const image = [channels, height, width];
  switch (op) {
    case "conv": {
      const [, , , outChannels = 0, kernel = 0, stride = 1, pad = 0, group = 1] = columns;
      const conv: ConvSize = { channels, height, width, outChannels, kernel, stride, pad, group };
      const outputs = outChannels * convOutput(conv, height) * convOutput(conv, width);
      const flop = (2 * kernel * kernel * channels * outputs) / group;
      const node: NodeDefinition = { ...convNode(name, conv), bias: "b" };
      return { name, op: "conv2d", flop, conv, definition: networkOf(name, image, [node, relu]) };
    }
    case "dense": {
      const [from = 0, to = 0] = columns;
      const node: NodeDefinition = { name, inputs, op: "dense", outFeatures: to, weight: "w", bias: "b" };
      const definition = networkOf(name, [from, 1, 1], [node, relu]);
      return { name, op: "dense", flop: 2 * from * to, conv: undefined, definition };
    }
    case "lrn": {
      const node: NodeDefinition = { name, inputs, op: "lrn", size: columns[3] ?? 5, alpha: 1e-4, beta: 0.75, bias: 1 };
      return { name, op: "lrn", flop: 0, conv: undefined, definition: networkOf(name, image, [node]) };
    }
    case "pool": {
      const [, , , k = 2, s = 2] = columns;
      const node: NodeDefinition = { name, inputs, op: "maxPool2d", kernelShape: [k, k], strides: [s, s] };
      return { name, op: "maxPool2d", flop: 0, conv: undefined, definition: networkOf(name, image, [node]) };
    }
    default:
      throw new RangeError(`bench/shapes: no layer "${op}". Known are conv, dense, lrn, pool.`);
  }
}
