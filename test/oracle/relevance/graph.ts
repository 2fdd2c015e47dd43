import type { NetworkDefinition, NodeDefinition } from "../../../engine/graph/definition.ts";
import { activationGradient, functionGradient } from "../elementwise.ts";
import {
  conv2dGeometry,
  evaluate,
  inOrder,
  inputName,
  lrnGeometry,
  type Parameters64,
  parameter,
  pool2dGeometry,
} from "../graph.ts";
import { forEachAverageTap, globalWindow, maxPool2dRelevance, type Pool2dGeometry } from "../pool2d.ts";
import {
  broadcastIndex,
  connect,
  normaliseGradient,
  permuteConnections,
  resampleConnections,
  takeConnections,
} from "../structure.ts";
import { count, imageSizes, type Tensor64, total } from "../tensor64.ts";
import { type Composite64, isLoneBatchNorm, type Position } from "./composites.ts";
import { foldBatchNorm } from "./fold.ts";
import {
  type Absorbed,
  conv2dLayer,
  denseLayer,
  type LinearLayer,
  linearGradient,
  propagateLinear,
  stabilise,
} from "./fractions.ts";
import { lrnRelevance } from "./lrn.ts";

/** One node's account: relevanceOut = relevanceIn + bias + stabilizer + dropped. */
export interface LedgerRow64 extends Absorbed {
  readonly node: string;
  readonly relevanceOut: number;
  readonly relevanceIn: number;
}

/** Relevance of every node's output and of `input`, and the account of every node it went through. */
export interface Explanation64 {
  readonly relevance: ReadonlyMap<string, Float64Array>;
  readonly ledger: readonly LedgerRow64[];
  /** Outputs of all nodes of the folded network. */
  readonly activations: ReadonlyMap<string, Tensor64>;
}

interface Step extends Absorbed {
  readonly inputs: readonly Float64Array[];
}

const nothing: Absorbed = { bias: 0, stabilizer: 0, dropped: 0 };

/** The node that relevance starts from: the output, or what a softmax at the end reads. */
export function logitsNode(definition: NetworkDefinition): string {
  const output = definition.nodes.find(({ name }) => name === definition.output)!;
  const isEnd = output.op === "softmax" || (output.op === "activation" && output.function === "sigmoid");
  return isEnd ? output.inputs[0]! : output.name;
}

/** An average pooling as connections of weight 1 / count. */
function averageLayer(g: Pool2dGeometry, countIncludePad: boolean, outCount: number): LinearLayer {
  return {
    inCount: g.channels * g.height * g.width,
    outCount,
    forEach: (visit) => forEachAverageTap(g, countIncludePad, visit),
    bias: () => 0,
  };
}

function linearStep(
  layer: LinearLayer,
  x: Float64Array,
  relevance: Float64Array,
  rule: ReturnType<Composite64["linear"]>,
): Step {
  // What a gradient loses is called dropped: it promises no conservation.
  if (rule === "gradient") {
    const gradient = linearGradient(layer, relevance);
    return { ...nothing, inputs: [gradient], dropped: total(relevance) - total(gradient) };
  }
  if (rule === "pass") {
    if (layer.inCount !== layer.outCount) throw new RangeError("pass needs as many inputs as outputs");
    return { ...nothing, inputs: [relevance.slice()] };
  }
  const { relevance: input, ...absorbed } = propagateLinear(layer, x, relevance, rule);
  return { inputs: [input], ...absorbed };
}

/** True where a linear layer reads the network's input, perhaps through nodes that mix no values, batch norms among them. */
function position(definition: NetworkDefinition, node: NodeDefinition): Position {
  return node.inputs.every((from) => {
    if (from === inputName) return true;
    const before = definition.nodes.find(({ name }) => name === from)!;
    const isLinear = before.op === "dense" || (before.op === "conv2d" && !isLoneBatchNorm(before));
    return !isLinear && position(definition, before) === "pixel";
  })
    ? "pixel"
    : "hidden";
}

function step(
  definition: NetworkDefinition,
  node: NodeDefinition,
  parameters: Parameters64,
  inputs: readonly Tensor64[],
  relevance: Float64Array,
  composite: Composite64,
): Step {
  const { shape, data: x } = inputs[0]!;
  const read = (name: string): ArrayLike<number> => parameter(parameters, name);
  const maybe = (name: string | undefined): ArrayLike<number> | undefined =>
    name === undefined ? undefined : read(name);
  switch (node.op) {
    case "conv2d": {
      const layer = conv2dLayer(conv2dGeometry(node, shape), relevance.length, read(node.weight), maybe(node.bias));
      return linearStep(layer, x, relevance, composite.linear(node, position(definition, node), shape));
    }
    case "dense": {
      const layer = denseLayer(x.length, read(node.weight), maybe(node.bias));
      return linearStep(layer, x, relevance, composite.linear(node, position(definition, node), shape));
    }
    case "averagePool2d": {
      const layer = averageLayer(pool2dGeometry(node, shape), node.countIncludePad ?? false, relevance.length);
      return linearStep(layer, x, relevance, composite.sum);
    }
    case "globalAveragePool2d":
      return linearStep(
        averageLayer(globalWindow(...imageSizes(shape)), false, relevance.length),
        x,
        relevance,
        composite.sum,
      );
    case "maxPool2d":
    case "globalMaxPool2d": {
      const g = node.op === "maxPool2d" ? pool2dGeometry(node, shape) : globalWindow(...imageSizes(shape));
      const input = maxPool2dRelevance(g, x, relevance, composite.maxPool, composite.maxPoolStabilizer);
      const lost = total(relevance) - total(input);
      return composite.maxPool === "proportional"
        ? { ...nothing, inputs: [input], stabilizer: lost }
        : { ...nothing, inputs: [input], dropped: lost };
    }
    case "lrn": {
      const input = lrnRelevance(lrnGeometry(node, shape), x, relevance, composite.lrn, composite.lrnStabilizer);
      const lost = total(relevance) - total(input);
      return composite.lrn === "taylor"
        ? { ...nothing, inputs: [input], stabilizer: lost }
        : { ...nothing, inputs: [input], dropped: lost };
    }
    case "relu":
    case "leakyRelu":
    case "clip":
    case "activation":
    case "prelu": {
      const rule = composite.activation;
      const area = count(shape.slice(1));
      const slope = (value: number, i: number): number => {
        if (node.op === "prelu") return value < 0 ? read(node.slope)[Math.floor(i / area)]! : 1;
        return node.op === "activation" ? functionGradient(node, value) : activationGradient(node, value);
      };
      const input = relevance.map((r, i) => {
        if (rule === "pass") return r;
        if (rule === "deconvnet") return Math.max(r, 0);
        const gradient = slope(x[i]!, i) * r;
        return rule === "guided" && r <= 0 ? 0 : gradient;
      });
      return { ...nothing, inputs: [input], dropped: total(relevance) - total(input) };
    }
    case "multiply": {
      const rule = composite.product;
      const sizes = inputs.map((each) => count(each.shape));
      const gate = node.gate ?? (sizes[0]! < sizes[1]! ? 0 : 1);
      const whole = inputs[0]!.shape.map((size, axis) => Math.max(size, inputs[1]!.shape[axis]!));
      const index = inputs.map((each) => broadcastIndex(each.shape, whole));
      const parts = inputs.map(({ data }, k) => {
        const part = new Float64Array(data.length);
        const other = inputs[1 - k]!.data;
        relevance.forEach((r, i) => {
          const share = rule === "gradient" ? other[index[1 - k]!(i)]! : rule === "uniform" ? 0.5 : k === gate ? 0 : 1;
          part[index[k]!(i)]! += share * r;
        });
        return part;
      });
      const handed = total(parts[0]!) + total(parts[1]!);
      return { ...nothing, inputs: parts, dropped: total(relevance) - handed };
    }
    case "extremum": {
      const pick = node.of === "maximum" ? Math.max : Math.min;
      const winners = x.map((_, i) => {
        const values = inputs.map(({ data }) => data[i]!);
        return values.indexOf(pick(...values));
      });
      return { ...nothing, inputs: inputs.map((_, k) => relevance.map((r, i) => (winners[i] === k ? r : 0))) };
    }
    case "take":
    case "permute": {
      const connections = node.op === "take" ? takeConnections(node, shape) : permuteConnections(node);
      const input = connect(
        connections.map(({ from, to, weight }) => ({ from: to, to: from, weight })),
        relevance,
        x.length,
      );
      return { ...nothing, inputs: [input], dropped: total(relevance) - total(input) };
    }
    case "resample2d": {
      const connections = resampleConnections(node, shape);
      const layer: LinearLayer = {
        inCount: x.length,
        outCount: relevance.length,
        forEach: (visit) => {
          for (const { from, to, weight } of connections) visit(to, from, weight);
        },
        bias: () => 0,
      };
      return linearStep(layer, x, relevance, composite.sum);
    }
    case "normalise": {
      const isGradient = composite.lrn === "gradient";
      const input = isGradient ? normaliseGradient(node, inputs[0]!, relevance) : relevance.slice();
      return { ...nothing, inputs: [input], dropped: total(relevance) - total(input) };
    }
    case "concat": {
      let begin = 0;
      return {
        ...nothing,
        inputs: inputs.map(({ data }) => {
          begin += data.length;
          return relevance.slice(begin - data.length, begin);
        }),
      };
    }
    case "add": {
      const rule = composite.sum;
      if (rule === "gradient") {
        return {
          ...nothing,
          inputs: inputs.map(() => relevance.slice()),
          dropped: (1 - inputs.length) * total(relevance),
        };
      }
      if (node.signal !== undefined) {
        const whole = inputs.map((_, k) => (k === node.signal ? relevance.slice() : new Float64Array(x.length)));
        return { ...nothing, inputs: whole };
      }
      const sums = x.map((_, i) => inputs.reduce((sum, { data }) => sum + data[i]!, 0));
      const divisors = sums.map((sum) => stabilise(sum, rule));
      const parts = inputs.map(({ data }) =>
        data.map((value, i) => (divisors[i] === 0 ? 0 : (value / divisors[i]!) * relevance[i]!)),
      );
      const dropped = total(relevance.filter((_, i) => divisors[i] === 0));
      const handed = parts.reduce((sum, part) => sum + total(part), 0);
      return { ...nothing, inputs: parts, dropped, stabilizer: total(relevance) - handed - dropped };
    }
    case "flatten":
    case "reshape":
    case "dropout":
    case "identity":
      return { ...nothing, inputs: [relevance.slice()] };
    case "batchNorm":
      throw new RangeError("batch norm must be folded first");
    case "softmax":
      throw new RangeError("relevance starts before the softmax");
    default:
      return node satisfies never;
  }
}

/**
 * Explains a network in float64: evaluates it, then carries relevance from `start` down to the input, node by node, adding up
 * where several nodes read the same output.
 * @param start relevance of the node that it starts from, by default the logits
 */
export function explain(
  given: NetworkDefinition,
  givenParameters: Parameters64,
  input: ArrayLike<number>,
  start: ArrayLike<number>,
  composite: Composite64,
  from: string = logitsNode(given),
): Explanation64 {
  const { definition, parameters } = foldBatchNorm(given, givenParameters);
  const activations = evaluate(definition, parameters, input);
  const relevance = new Map<string, Float64Array>([[from, Float64Array.from(start)]]);
  const ledger: LedgerRow64[] = [];
  for (const node of inOrder(definition).reverse()) {
    const own = relevance.get(node.name);
    if (own === undefined) continue;
    const inputs = node.inputs.map((name) => activations.get(name)!);
    const { inputs: parts, ...absorbed } = step(definition, node, parameters, inputs, own, composite);
    node.inputs.forEach((name, k) => {
      const sum = relevance.get(name) ?? new Float64Array(count(inputs[k]!.shape));
      relevance.set(
        name,
        sum.map((value, i) => value + parts[k]![i]!),
      );
    });
    const relevanceIn = parts.reduce((sum, part) => sum + total(part), 0);
    ledger.push({ node: node.name, relevanceOut: total(own), relevanceIn, ...absorbed });
  }
  const map = relevance.get(inputName);
  if (composite.timesInput && map !== undefined) {
    relevance.set(
      inputName,
      map.map((value, i) => value * input[i]!),
    );
  }
  return { relevance, ledger, activations };
}
