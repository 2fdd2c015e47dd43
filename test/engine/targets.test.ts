import * as assert from "uvu/assert";
import { tensor } from "../../engine/basics/tensor.ts";
import { type Explanation, explainTargets } from "../../engine/explain.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import type { Target } from "../../engine/request/target.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { networkCase } from "../cases/networks.ts";
import { seededNetworkInput, seededNetworkParameters } from "../cases/parameters.ts";
import { softmax } from "../oracle/elementwise.ts";
import { evaluate, inferShapes } from "../oracle/graph.ts";
import { composites64 } from "../oracle/relevance/composites.ts";
import { type Explanation64, explain, logitsNode } from "../oracle/relevance/graph.ts";
import { total } from "../oracle/tensor64.ts";
import { assertClose } from "../support/close.ts";
import { boundNetwork } from "../support/engine.ts";
import { sensitivity } from "../support/sensitivity.ts";
import { suite } from "../support/suite.ts";

const names = ["tench", "English springer", "cassette player", "chain saw", "church", "French horn", "garbage truck"];
// A small working size: the salient step is not what is tested here.
const quick = { salientRelevance: { workSize: 40, scales: [1], neighbours: 8 } };
const relu = (values: Float64Array): Float64Array => values.map((r) => Math.max(r, 0));

/** A network case with class names, its parameters and input, and how to ask the engine and the oracle. */
class Subject {
  readonly definition: NetworkDefinition;
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly input: Float32Array;
  readonly logits: Float64Array;

  constructor(name: string, seed: number) {
    this.definition = { ...networkCase(name), labels: names };
    this.parameters = seededNetworkParameters(this.definition, seed);
    this.input = seededNetworkInput(this.definition, seed);
    this.logits = evaluate(this.definition, this.parameters, this.input).get(logitsNode(this.definition))!.data;
  }

  ask(targets: readonly Target[], composite: string, at?: string): Explanation[] {
    const network = boundNetwork(this.definition, this.parameters);
    const input = tensor(this.definition.inputShape, this.input);
    return explainTargets(network, input, targets, { ...quick, composite, ...(at === undefined ? {} : { at }) });
  }

  /** The oracle's map from a start that is made from the logits (or from the activations of `from`). */
  check(
    actual: ArrayLike<number>,
    composite: string,
    start: (values: Float64Array) => Float64Array,
    what: string,
    from: string = logitsNode(this.definition),
    read: (explanation: Explanation64) => Float64Array = (e) => e.relevance.get("input")!,
  ): void {
    const { exact, tolerance } = sensitivity(this.parameters, this.input, (p, x) => {
      const values = evaluate(this.definition, p, x).get(from)!.data;
      return read(explain(this.definition, p, x, start(values), composites64[composite]!, from));
    });
    assertClose(actual, exact, tolerance + 1e-7 * Math.max(...exact.map(Math.abs)), what);
  }
}

const only =
  (index: number, value: (logits: Float64Array) => number) =>
  (logits: Float64Array): Float64Array =>
    logits.map((_, i) => (i === index ? value(logits) : 0));

suite("targets and layers", (test) => {
  for (const name of ["fire", "plain"]) {
    test(`${name}: a class by index and name, the top class, given logits, a difference`, () => {
      const subject = new Subject(name, 21);
      const top = subject.logits.indexOf(Math.max(...subject.logits));
      const given = subject.logits.map((_, i) => i - 1.5);
      const targets: Target[] = ["top1", 2, "cassette_player", { difference: ["tench", 3] }, { logits: given }];
      const [best, second, byName, difference, logits] = subject.ask(targets, "epsilonPlus");
      assert.is(best?.target.index, top);
      assert.equal(byName?.relevance.data, second?.relevance.data);
      assert.is(byName?.target.label, "cassette player");
      subject.check(
        best!.relevance.data,
        "epsilonPlus",
        only(top, (l) => l[top]!),
        "top1",
      );
      subject.check(
        second!.relevance.data,
        "epsilonPlus",
        only(2, (l) => l[2]!),
        "class 2",
      );
      const pairOf = (l: Float64Array): Float64Array => l.map((v, i) => (i === 0 ? v : i === 3 ? -v : 0));
      subject.check(difference!.relevance.data, "epsilonPlus", pairOf, "difference");
      subject.check(logits!.relevance.data, "epsilonPlus", () => given, "given logits");
      // One at a time gives the same bytes.
      for (const [k, target] of targets.entries()) {
        const [alone] = subject.ask([target], "epsilonPlus");
        assert.equal(
          alone?.relevance.data,
          [best, second, byName, difference, logits][k]?.relevance.data,
          `target ${k}`,
        );
      }
    });

    test(`${name}: probability, from its value in LRP and by its gradient in gradients`, () => {
      const subject = new Subject(name, 22);
      const [lrp] = subject.ask([{ probability: 1 }], "epsilonPlus");
      subject.check(
        lrp!.relevance.data,
        "epsilonPlus",
        only(1, (l) => softmax(l, l.length)[1]!),
        "LRP",
      );
      const [gradient] = subject.ask([{ probability: 1 }], "gradient");
      const slope = (l: Float64Array): Float64Array => {
        const p = softmax(l, l.length);
        return p.map((q, i) => p[1]! * ((i === 1 ? 1 : 0) - q));
      };
      subject.check(gradient!.relevance.data, "gradient", slope, "gradient of the softmax");
    });

    test(`${name}: contrastive, max(0, R - N R of the others)`, () => {
      const subject = new Subject(name, 23);
      const target = subject.logits.indexOf(Math.max(...subject.logits)); // others may be 0, and so explain nothing
      const [actual] = subject.ask([{ contrastive: target }], "epsilonPlus");
      const { exact, tolerance } = sensitivity(subject.parameters, subject.input, (p, x) => {
        const logits = evaluate(subject.definition, p, x).get(logitsNode(subject.definition))!.data;
        const map = (start: Float64Array): Float64Array =>
          explain(subject.definition, p, x, start, composites64["epsilonPlus"]!).relevance.get("input")!;
        const own = map(logits.map((v, i) => (i === target ? v : 0)));
        const other = map(logits.map((_, i) => (i === target ? 0 : logits[target]! / (logits.length - 1))));
        const factor = total(own) / total(other);
        return relu(own.map((r, i) => r - factor * other[i]!));
      });
      assertClose(actual!.relevance.data, exact, tolerance + 1e-7, "contrastive");
      assert.ok(actual!.relevance.data.every((r) => r >= 0));
    });
  }

  test("fire: relevance inside the network, its channels ranked", () => {
    const subject = new Subject("fire", 24);
    for (const layer of ["concat", "squeeze.relu", "pool1", "relu1"]) {
      const [explanation] = subject.ask([0], "epsilonPlus", layer);
      const inside = explanation!.layer!;
      subject.check(
        inside.relevance.data,
        "epsilonPlus",
        only(0, (l) => l[0]!),
        layer,
        undefined,
        (e) => e.relevance.get(layer)!,
      );
      assert.equal([...inside.relevance.shape], [...inferShapes(subject.definition).get(layer)!]);
      const [channels = 1] = inside.relevance.shape;
      const area = inside.relevance.data.length / channels;
      assert.is(inside.channels.length, channels);
      for (const [k, { channel, relevance }] of inside.channels.entries()) {
        const own = total(inside.relevance.data.subarray(channel * area, (channel + 1) * area));
        assertClose([relevance], [own], 1e-5 * (1 + Math.abs(own)), `${layer}, channel ${channel}`);
        assert.ok(k === 0 || relevance <= inside.channels[k - 1]!.relevance, `${layer}: not in order`);
      }
    }
  });

  test("fire: relevance started at a hidden channel", () => {
    const subject = new Subject("fire", 25);
    for (const [layer, channel] of [
      ["concat", 4],
      ["squeeze.relu", 1],
      ["relu1", 3],
    ] as const) {
      const [lrp] = subject.ask([{ layer, channel }], "epsilonPlus");
      const channels = inferShapes(subject.definition).get(layer)![0]!;
      const own = (values: Float64Array): Float64Array =>
        values.map((v, i) => (Math.floor((i * channels) / values.length) === channel ? v : 0));
      subject.check(lrp!.relevance.data, "epsilonPlus", own, `${layer}, channel ${channel}`, layer);
    }
  });

  test("a plan gives the same relevance whether the photo came before it or after", () => {
    const { definition, parameters, input } = new Subject("plain", 3);
    const composite = compositeByName("li2019"); // dense layers by z+ without bias, which the forward pass computes beside its own
    const planned = boundNetwork(definition, parameters);
    const plan = planned.relevancePlan(composite);
    for (const data of [input, input.map((v) => 0.5 - v)]) {
      const photo = tensor(definition.inputShape, data);
      const start = planned.forward(photo).data;
      const late = boundNetwork(definition, parameters);
      late.forward(photo);
      const expected = late.relevancePlan(composite).run(start).relevance;
      assert.equal(plan.run(start).relevance, expected);
      assert.equal(plan.run(start).relevance, expected, "a second target");
    }
  });

  test("what cannot be explained is refused", () => {
    const subject = new Subject("fire", 26);
    const refuse = (target: Target, message: RegExp, at?: string): void => {
      let said = "";
      try {
        subject.ask([target], "epsilonPlus", at);
      } catch (error) {
        said = String(error);
      }
      assert.match(said, message);
    };
    refuse(7, /class index from 0 to 6/);
    refuse(-1, /class index from 0 to 6/);
    refuse("tenc", /Did you mean "tench"/);
    refuse({ difference: [1, 1] }, /two different classes/);
    refuse({ logits: [1, 2] }, /needs 7 finite numbers/);
    refuse({ layer: "concat", channel: 11 }, /channels 0 to 10/);
    refuse({ layer: "concatt", channel: 0 }, /concat/);
    refuse(0, /squeeze/, "squeezed");
    refuse(0, /fused|applied|activation/, "squeeze");
  });

  test("the probability of a network that ends in sigmoids is the class's own: so is its gradient", () => {
    const definition: NetworkDefinition = {
      name: "labels",
      inputShape: [2, 1, 1],
      nodes: [
        { name: "scores", inputs: ["input"], op: "dense", outFeatures: 3, weight: "w" },
        { name: "labels", inputs: ["scores"], op: "activation", function: "sigmoid" },
      ],
      output: "labels",
    };
    const w = Float32Array.of(1, -2, 0.5, 0.25, 3, 1);
    const network = boundNetwork(definition, new Map([["w", w]]));
    const input = tensor([2, 1, 1], Float32Array.of(0.5, 1));
    const targets = [{ probability: 1 }];
    const [gradient] = explainTargets(network, input, targets, { ...quick, composite: "gradient" });
    const p = 1 / (1 + Math.exp(-(0.5 * 0.5 + 0.25)));
    assertClose(gradient!.relevance.data, [0.5 * p * (1 - p), 0.25 * p * (1 - p)], 1e-7, "gradient of the sigmoid");
    const [lrp] = explainTargets(network, input, targets, { ...quick, composite: "lrp0" });
    assertClose(lrp!.relevance.data, [p / 2, p / 2], 1e-7, "LRP from the probability");
  });
});
