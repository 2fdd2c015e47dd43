import * as assert from "uvu/assert";
import { calibratedProbability } from "../../cli/explain/calibration.ts";
import { doubtNote, type Note } from "../../cli/explain/doubt.ts";
import { tensor } from "../../engine/index.ts";
import { modelNames } from "../../engine/models/index.ts";
import { bundledModel, bundledModels } from "../../host/models/bundled.ts";
import { suite } from "../support/suite.ts";

/** The headline and text for an answer whose first class has a probability. */
function noteOn(
  model: string,
  weights: string,
  probability: number,
  logits: Float32Array,
  probabilityFunction: "softmax" | "sigmoid" = "softmax",
): Note | undefined {
  const top = [{ index: 0, label: "tench", logit: logits[0] ?? 0, probability }];
  return doubtNote({ model, top, logits: tensor([logits.length], logits), probabilityFunction }, weights);
}

suite("cli/doubt", (test) => {
  test("a calibrated probability is the softmax of logits over the temperature", () => {
    const logits = Float32Array.of(2, 0, -1);
    const sum = Math.exp(1) + Math.exp(0) + Math.exp(-0.5);
    assert.ok(Math.abs(calibratedProbability(logits, 0, 2) - Math.exp(1) / sum) < 1e-12);
    assert.ok(Math.abs(calibratedProbability(logits, 2, 2) - Math.exp(-0.5) / sum) < 1e-12);
    assert.is(calibratedProbability(Float32Array.of(1000, -1000), 0, 0.5), 1, "no overflow");
  });

  test("the note of the package's networks goes by the calibrated probability, not by the printed one", () => {
    for (const { name, weights, temperature, doubtBelow } of bundledModels()) {
      assert.ok(temperature > 0.2 && temperature < 5, name);
      const classes = name === "squeezenet1_1-caffe" ? 1000 : 10;
      // One class above the others, which are alike, such that its calibrated probability is p.
      const note = (p: number, from = weights) => {
        const logits = new Float32Array(classes);
        logits[0] = temperature * Math.log((p * (classes - 1)) / (1 - p));
        const probability = calibratedProbability(logits, 0, 1);
        return noteOn(name, from, probability, logits);
      };
      assert.is(note(doubtBelow + 0.01), undefined, name);
      const percent = Math.round(100 * (doubtBelow - 0.01));
      assert.is(
        note(doubtBelow - 0.01)?.headline,
        `The network is unsure: of answers like this one about ${percent} % are right.`,
      );
      assert.is(note(doubtBelow - 0.01, "other.safetensors"), undefined, "other weights have no temperature");
    }
  });

  test("a guess is told for every network whose weights are not the package's", () => {
    for (const name of [...modelNames(), "a network of one's own"]) {
      for (const classes of [2, 10, 100, 1000, 2622]) {
        const note = (probability: number): string | undefined =>
          noteOn(name, "own.pth", probability, new Float32Array(classes))?.headline;
        const told = `${name}, ${classes} classes`;
        assert.is(note(1.1 / classes), "The network is near chance: this explains a guess.", told);
        assert.is(note(0.9), undefined, told);
      }
    }
  });

  test("sigmoids are compared with a half, one or many", () => {
    for (const classes of [1, 2, 1000]) {
      const note = (probability: number) =>
        noteOn("own", "own.onnx", probability, new Float32Array(classes), "sigmoid");
      assert.is(note(0.5), undefined);
      assert.is(note(0.03)?.text, "own finds no class likelier than not: its likeliest, tench, has 3.0 %.");
    }
  });

  test("a note lists ten classes, not a thousand", () => {
    const text = (name: string, classes: number): string => {
      const logits = new Float32Array(classes);
      return noteOn(name, bundledModel(name)?.weights ?? "", 1 / classes, logits)?.text ?? "";
    };
    assert.match(text("alexnet-mini", 10), /It knows 10 classes alone: tench, .*, parachute\. If/);
    assert.match(text("squeezenet1_1-caffe", 1000), /It knows 1000 classes alone\. If/);
  });
});
