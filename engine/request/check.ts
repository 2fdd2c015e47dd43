import { refuseUnknownOptions, ShapeError } from "../basics/errors.ts";
import { hasTargets } from "../basics/features.ts";
import { mustHave } from "../basics/must-have.ts";
import { elementCount, formatShape, type Shape } from "../basics/tensor.ts";
import { type CompiledGraph, valueNamed } from "../graph/compiled-graph.ts";
import type { NetworkDefinition } from "../graph/definition.ts";
import { compileGraph } from "../network/compile.ts";
import { chooseRules } from "../rules/choose-rules.ts";
import type { Composite } from "../rules/composite.ts";
import { checkTarget, type Target } from "./target.ts";

/** What is to be explained, and how. */
export interface ExplanationRequest {
  readonly composite: Composite;
  readonly targets: readonly Target[];
  /** Layer whose relevance is asked for. */
  readonly at?: string | undefined;
}

/** Refuses a channel that a layer does not have. */
function checkChannel([channels = 1]: Shape, channel: number): void {
  if (!Number.isSafeInteger(channel) || channel < 0 || channel >= channels) {
    throw new RangeError(`target channel ${channel}: the layer has channels 0 to ${channels - 1}.`);
  }
}

/** Where the target's relevance starts: the logits, or the layer whose channel it is about. */
function startOf(graph: CompiledGraph, target: Target): { from: number; called: string } {
  if (!hasTargets || typeof target !== "object" || !("layer" in target))
    return { from: graph.logits, called: "the logits" };
  const from = valueNamed(graph, target.layer);
  checkChannel(mustHave(graph.values[from], "value").shape, target.channel);
  return { from, called: `${target.layer}, channel ${target.channel}` };
}

/**
 * Refuses, before any work, whatever does not need a photo to be refused.
 * @throws RangeError for a class, layer or channel that does not exist, a layer whose output is not kept or that the target's
 *   relevance does not reach, a zBox rule without a box; UnsupportedError for a layer with weights that the composite leaves
 *   without a rule; ShapeError for a network that gives a map of classes
 */
export function checkRequest(graph: CompiledGraph, { composite, targets, at }: ExplanationRequest): void {
  const { definition, values, logits } = graph;
  const { shape } = mustHave(values[logits], "logits");
  if (shape.slice(1).some((size) => size !== 1)) {
    throw new ShapeError(
      `network "${definition.name}": gives a map of classes ${formatShape(shape)}, not one score per class. Put a global pooling at its end.`,
    );
  }
  const wanted = !hasTargets || at === undefined ? undefined : valueNamed(graph, at);
  chooseRules(graph, composite, logits);
  for (const target of targets) {
    checkTarget(target, elementCount(shape), definition.labels);
    const { from, called } = startOf(graph, target);
    const reached = [from, ...chooseRules(graph, composite, from).flatMap(({ layer }) => layer.inputs)];
    if (wanted !== undefined && !reached.includes(wanted)) {
      throw new RangeError(`layer "${at}": gets no relevance, since it does not lie between the input and ${called}.`);
    }
  }
}

/**
 * Refuses, before any work, whatever needs neither a photo nor weights to be refused; costs milliseconds.
 * @throws ShapeError for a wrong definition and for a network that gives a map of classes; RangeError for a class, layer or channel that does
 *   not exist, a layer whose output is not kept or that the target's relevance does not reach, a zBox rule without a box;
 *   UnsupportedError for a layer with weights that the composite leaves without a rule
 */
export function checkRequestFor(definition: NetworkDefinition, request: ExplanationRequest): void {
  refuseUnknownOptions("checkRequestFor", request, ["composite", "targets", "at"]);
  checkRequest(compileGraph(definition), request);
}
