import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { NetworkDefinition, NodeDefinition } from "../engine/graph.ts";

/** A layer of a shape file as a network of its own, and its cost. */
export interface ShapeLayer {
  readonly name: string;
  readonly definition: NetworkDefinition;
  /** 2 per multiply-accumulate; 0 for layers that are bound by memory. */
  readonly flop: number;
}

const folder = fileURLToPath(new URL("../../bench/shapes/", import.meta.url));

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

function layer(op: string, name: string, columns: readonly number[]): ShapeLayer {
  const wrap = (node: NodeDefinition, inputShape: readonly number[], flop: number): ShapeLayer => {
    const relu: NodeDefinition = { name: "relu", inputs: [name], op: "relu" };
    const hasRelu = op === "conv" || op === "dense";
    return {
      name,
      flop,
      definition: {
        name,
        inputShape,
        nodes: hasRelu ? [node, relu] : [node],
        output: hasRelu ? "relu" : name,
        // Layers are given tensors: nothing is preprocessed.
        preprocessing: { resize: "none", resizeTo: 1, channelOrder: "rgb", scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
      },
    };
  };
  const inputs = ["input"];
  const [c = 0, h = 0, w = 0] = columns;
  switch (op) {
    case "conv": {
      const [, , , out = 0, k = 0, s = 1, p = 0, group = 1] = columns;
      const size = (n: number): number => Math.floor((n + 2 * p - k) / s) + 1;
      return wrap(
        // biome-ignore format: one row
        { name, inputs, op: "conv2d", outChannels: out, kernelShape: [k, k], strides: [s, s], pads: [p, p, p, p], group, weight: "w", bias: "b" },
        [c, h, w],
        (2 * k * k * c * out * size(h) * size(w)) / group,
      );
    }
    case "dense": {
      const [from = 0, to = 0] = columns;
      return wrap({ name, inputs, op: "dense", outFeatures: to, weight: "w", bias: "b" }, [from, 1, 1], 2 * from * to);
    }
    case "lrn":
      return wrap({ name, inputs, op: "lrn", size: columns[3] ?? 5, alpha: 1e-4, beta: 0.75, bias: 1 }, [c, h, w], 0);
    case "pool": {
      const [, , , k = 2, s = 2] = columns;
      return wrap({ name, inputs, op: "maxPool2d", kernelShape: [k, k], strides: [s, s] }, [c, h, w], 0);
    }
    default:
      throw new RangeError(`bench/shapes: no layer "${op}". Known are conv, dense, lrn, pool.`);
  }
}
