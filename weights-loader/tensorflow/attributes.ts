import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { OnnxAttribute } from "../onnx/model.ts";
import type { GraphNode, Translation } from "./translation.ts";

// How translated nodes are written: attributes of ONNX's kinds.

/** Adds the ONNX nodes of one TensorFlow node, the last of which writes its output. @throws UnsupportedError saying why not */
export type Translate = (to: Translation, node: GraphNode) => void | Promise<void>;

/** Integers as an attribute. */
export const ints: (...values: number[]) => OnnxAttribute = (...values) => ({ ints: values, floats: [] });
/** An integer as an attribute. */
export const int: (value: number) => OnnxAttribute = (value) => ({ i: value, ints: [], floats: [] });
/** A number as an attribute. */
export const float: (value: number) => OnnxAttribute = (value) => ({ f: value, ints: [], floats: [] });
/** Text as an attribute. */
export const text: (value: string) => OnnxAttribute = (value) => ({ s: value, ints: [], floats: [] });

/** [N,H,W,C] to [N,C,H,W]. */
export const toChannelsFirst: Readonly<Record<string, OnnxAttribute>> = { perm: ints(0, 3, 1, 2) };
/** [N,C,H,W] to [N,H,W,C]. */
export const toChannelsLast: Readonly<Record<string, OnnxAttribute>> = { perm: ints(0, 2, 3, 1) };

/** @throws UnsupportedError for graphs made for channels first */
export function refuseChannelsFirst(node: GraphNode): void {
  const format = node.text("data_format") ?? "NHWC";
  if (format !== "NHWC") throw new UnsupportedError(`data_format ${format}.`);
}
