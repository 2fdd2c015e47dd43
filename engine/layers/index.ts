import { ShapeError, UnsupportedError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import type { Shape } from "../basics/tensor.ts";
import type { NodeDefinition, Op } from "../graph/definition.ts";
import { kinds } from "./kinds.ts";
import { type Arity, alias, type LayerKind } from "./layer-kind.ts";

/**
 * The kind of a node's op, typed for any node; undefined for one that no layer runs for. The table's rows match their keys, which
 * TypeScript cannot follow.
 * @throws UnsupportedError where the table is that of the minimal build
 */
export function layerKind(node: NodeDefinition): LayerKind<Op> | undefined {
  const kind: unknown = kinds[node.op];
  if (kind === undefined) {
    throw new UnsupportedError(
      `${node.op} "${node.name}": this build of srmap has no such layer. Take srmap/browser instead of srmap/browser/minimal.`,
    );
  }
  return kind === alias ? undefined : (kind as LayerKind<Op>);
}

/** The kind of a layer's node: every node that became a layer has one. */
export function kindOf(node: NodeDefinition): LayerKind<Op> {
  return mustHave(layerKind(node), `kind of ${node.op} "${node.name}"`);
}

const arities = {
  one: { fits: (count) => count === 1, words: "one input" },
  oneOrMore: { fits: (count) => count >= 1, words: "at least one input" },
  two: { fits: (count) => count === 2, words: "two inputs" },
  twoOrMore: { fits: (count) => count >= 2, words: "at least two inputs" },
} satisfies Record<Arity, { fits(count: number): boolean; words: string }>;

/**
 * Shape of a node's output.
 * @throws ShapeError when the number or shapes of its inputs, or its attributes, do not fit
 */
export function outputShape(node: NodeDefinition, inputs: readonly Shape[]): Shape {
  const kind = layerKind(node);
  const { fits, words } = arities[kind?.arity ?? "one"];
  if (!fits(inputs.length)) {
    throw new ShapeError(`${node.op} "${node.name}": needs ${words}, got ${inputs.length}.`);
  }
  return kind === undefined ? mustHave(inputs[0], "input") : kind.outputShape(node, inputs);
}
