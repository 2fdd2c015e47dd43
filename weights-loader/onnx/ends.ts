import { FormatError, UnsupportedError } from "../../engine/basics/errors.ts";
import type { OnnxModel, OnnxNode } from "./model.ts";

// Where a network ends: which output counts, and before which nodes its scores stand.

/** Nodes that change nothing but shape or type. */
const aliases: readonly string[] = ["Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"];

/** Nodes that make decisions of scores, not scores. */
const decisions: readonly string[] = ["ArgMax", "TopK", "Hardmax"];
const comparisons: readonly string[] = ["Greater", "GreaterOrEqual"];

/** The output that counts, and a sentence where it was chosen among several. */
export function chooseOutput(model: OnnxModel, what: string, wish?: string): { name: string; note?: string } {
  const names = model.outputs.map((value) => value.name);
  if (wish !== undefined) {
    if (!names.includes(wish))
      throw new RangeError(`${what}: there is no output "${wish}"; there are ${names.join(", ")}.`);
    return { name: wish };
  }
  const [only, second] = names;
  if (only === undefined) throw new FormatError(`${what}: the graph has no output.`);
  if (second === undefined) return { name: only };
  // Of logits beside feature maps the logits are what counts.
  const vectors = model.outputs.filter(({ shape }) => shape?.length === 2);
  const [vector, another] = vectors;
  if (vector === undefined || another !== undefined) {
    throw new UnsupportedError(
      `${what}: the graph has several outputs: ${names.join(", ")}. Name the one that counts: --output ${names[0]}.`,
    );
  }
  const others = names.filter((name) => name !== vector.name).map((name) => `"${name}"`);
  return {
    name: vector.name,
    note: `output "${vector.name}" is explained, the only one that is a vector; ${others.join(", ")} ${others.length === 1 ? "is" : "are"} left out.`,
  };
}

/** The value before nodes that make probabilities' logarithms or decisions of scores, and a sentence where there are such nodes. */
export function beforeEnding(model: OnnxModel, output: string): { name: string; note?: string } {
  const writer = (value: string): OnnxNode | undefined => model.nodes.find(({ outputs }) => outputs.includes(value));
  const behindAliases = (value: string): OnnxNode | undefined => {
    const node = writer(value);
    return node !== undefined && aliases.includes(node.op) ? behindAliases(node.inputs[0] ?? "") : node;
  };
  const node = behindAliases(output);
  const [input = ""] = node?.inputs ?? [];
  if (node === undefined || input === "") return { name: output };
  const before = behindAliases(input)?.op ?? "";
  const isProbability = before === "Softmax" || before === "Sigmoid";
  const isDecision = decisions.includes(node.op) || (comparisons.includes(node.op) && isProbability);
  const isLogarithm = node.op === "LogSoftmax" || (node.op === "Log" && isProbability);
  if (!isDecision && !isLogarithm && !(node.op === "Clip" && isProbability)) return { name: output };
  // Of a logarithm of probabilities the scores are what stands before the probabilities.
  const inner = beforeEnding(model, input);
  const why = isDecision ? "makes decisions of scores" : "makes other numbers of scores";
  const note = `its last node "${node.name}" (${node.op}) ${why}: the scores before it are explained.`;
  return node.op === "LogSoftmax" ? { name: inner.name } : { name: inner.name, note: inner.note ?? note };
}

/** Values that are the output but for shape and type. */
export function endingValues(nodes: readonly OnnxNode[], output: string): Set<string> {
  const values = new Set<string>();
  let value: string | undefined = output;
  while (value !== undefined && value !== "" && !values.has(value)) {
    values.add(value);
    const name: string = value;
    const node = nodes.find(({ outputs }) => outputs.includes(name));
    value = node !== undefined && aliases.includes(node.op) ? node.inputs[0] : undefined;
  }
  return values;
}
