import * as assert from "uvu/assert";
import { conv2dCases, conv2dData } from "../cases/conv2d.ts";
import { denseCases, denseData } from "../cases/dense.ts";
import { lrnCases, lrnData } from "../cases/lrn.ts";
import { averagePool2dCases, globalPool2dCases, maxPool2dCases, type Pool2dCase, pool2dData } from "../cases/pool2d.ts";
import { fillValues } from "../cases/values.ts";
import { conv2d, conv2dMagnitude } from "../oracle/conv2d.ts";
import { dense, denseMagnitude } from "../oracle/dense.ts";
import { activate, softmax } from "../oracle/elementwise.ts";
import { lrn } from "../oracle/lrn.ts";
import { averagePool2d, globalWindow, maxPool2d } from "../oracle/pool2d.ts";
import { assertClose, assertWithin } from "../support/close.ts";
import { run, singleNode } from "../support/engine.ts";
import { suite } from "../support/suite.ts";
import { sumBounds, unitRoundoff } from "../support/tolerance.ts";

const none = new Map<string, Float32Array>();
/** Copies sums of integers need no tolerance: they are exact in float32. */
const exact = (bounds: Float64Array): Float64Array => bounds.fill(0);

function parametersOf(weight: Float32Array, bias: Float32Array | undefined): Map<string, Float32Array> {
  return new Map(
    bias === undefined
      ? [["weight", weight]]
      : [
          ["weight", weight],
          ["bias", bias],
        ],
  );
}

const biasName = (hasBias: boolean): { bias?: string } => (hasBias ? { bias: "bias" } : {});
const windowOf = ({
  kernelShape,
  strides,
  pads,
  ceilMode,
}: Pool2dCase): Pick<Pool2dCase, "kernelShape" | "strides" | "pads" | "ceilMode"> => ({
  kernelShape,
  strides,
  pads,
  ceilMode,
});

// Every op on every case against its float64 twin. Bounds follow from the number of terms and their magnitude.
suite("ops, forward", (test) => {
  for (const [seed, c] of conv2dCases.entries()) {
    test(`conv2d: ${c.name}`, () => {
      const { x, weight, bias } = conv2dData(c, seed);
      const { channels, height, width, outChannels, kernelShape, strides, pads, dilations, group, hasBias } = c;
      const definition = singleNode([channels, height, width], {
        op: "conv2d",
        outChannels,
        kernelShape,
        strides,
        pads,
        dilations,
        group,
        weight: "weight",
        ...biasName(hasBias),
      });
      const terms = (channels / group) * kernelShape[0] * kernelShape[1] + 1;
      const bounds = sumBounds(terms, conv2dMagnitude(c, x, weight, bias));
      if (c.fill === "integers") exact(bounds);
      const actual = run(definition, parametersOf(weight, bias), x);
      assertWithin(actual, conv2d(c, x, weight, bias), bounds, `seed ${seed}`);
    });
  }

  for (const [seed, c] of denseCases.entries()) {
    test(`dense: ${c.name}`, () => {
      const { x, weight, bias } = denseData(c, seed);
      const { inFeatures, outFeatures, hasBias } = c;
      const definition = singleNode([inFeatures, 1, 1], {
        op: "dense",
        outFeatures,
        weight: "weight",
        ...biasName(hasBias),
      });
      const bounds = sumBounds(inFeatures + 1, denseMagnitude(x, weight, bias, outFeatures));
      if (c.fill === "integers") exact(bounds);
      const actual = run(definition, parametersOf(weight, bias), x);
      assertWithin(actual, dense(x, weight, bias, outFeatures), bounds, `seed ${seed}`);
    });
  }

  for (const [seed, c] of maxPool2dCases.entries()) {
    test(`maxPool2d: ${c.name}`, () => {
      const x = pool2dData(c, seed);
      const { dilations } = c;
      const definition = singleNode([c.channels, c.height, c.width], { op: "maxPool2d", ...windowOf(c), dilations });
      assert.equal([...run(definition, none, x)], [...maxPool2d(c, x).values], `seed ${seed}`);
    });
  }

  for (const [seed, c] of averagePool2dCases.entries()) {
    test(`averagePool2d: ${c.name}`, () => {
      const x = pool2dData(c, seed);
      const { countIncludePad } = c;
      const definition = singleNode([c.channels, c.height, c.width], {
        op: "averagePool2d",
        ...windowOf(c),
        countIncludePad,
      });
      // A sum, then one division (or a multiplication by a rounded reciprocal).
      const magnitude = averagePool2d(c, countIncludePad, x.map(Math.abs));
      const bounds = sumBounds(c.kernelShape[0] * c.kernelShape[1] + 2, magnitude);
      assertWithin(run(definition, none, x), averagePool2d(c, countIncludePad, x), bounds, `seed ${seed}`);
    });
  }

  for (const [seed, c] of globalPool2dCases.entries()) {
    test(`global pooling: ${c.name}`, () => {
      const x = pool2dData(c, seed);
      const shape = [c.channels, c.height, c.width];
      const window = globalWindow(c.channels, c.height, c.width);
      const largest = run(singleNode(shape, { op: "globalMaxPool2d" }), none, x);
      assert.equal([...largest], [...maxPool2d(window, x).values], `max, seed ${seed}`);
      const bounds = sumBounds(c.height * c.width + 2, averagePool2d(window, false, x.map(Math.abs)));
      const mean = run(singleNode(shape, { op: "globalAveragePool2d" }), none, x);
      assertWithin(mean, averagePool2d(window, false, x), bounds, `average, seed ${seed}`);
    });
  }

  for (const [seed, c] of lrnCases.entries()) {
    test(`lrn: ${c.name}`, () => {
      const x = lrnData(c, seed);
      const { size, alpha, beta, bias, region } = c;
      const definition = singleNode([c.channels, c.height, c.width], { op: "lrn", size, alpha, beta, bias, region });
      const expected = lrn(c, x);
      // In double inside, rounded once; the double power costs far less than 1e-9.
      const bounds = expected.map((y) => (1 + 1e-6) * unitRoundoff * Math.abs(y) + 2 ** -150);
      assertWithin(run(definition, none, x), expected, bounds, `seed ${seed}`);
    });
  }

  for (const length of [1, 3, 4, 5, 8, 15, 16, 17]) {
    test(`elementwise on ${length} channels`, () => {
      const x = fillValues(length * 6, "uniform", length).map((value) => 9 * value);
      const shape = [length, 2, 3];
      for (const node of [
        { op: "relu" },
        { op: "clip", low: 0, high: 6 },
        { op: "clip", low: -2, high: 1.5 },
        { op: "clip", low: 3, high: -1 },
        { op: "leakyRelu", slope: 0.125 },
      ] as const) {
        const expected = x.map((value) => activate(node, value));
        assert.equal([...run(singleNode(shape, node), none, x)], [...expected], node.op);
      }
      const slope = 0.01; // not a float32: slope and product round once each
      const leaky = Float64Array.from(x, (value) => activate({ op: "leakyRelu", slope }, value));
      const bounds = leaky.map((y) => 2.1 * unitRoundoff * Math.abs(y));
      assertWithin(run(singleNode(shape, { op: "leakyRelu", slope }), none, x), leaky, bounds, "leakyRelu");
      for (const op of ["flatten", "dropout", "identity"] as const) {
        assert.equal([...run(singleNode(shape, { op }), none, x)], [...x], op);
      }
      assert.equal([...run(singleNode(shape, { op: "reshape", shape: [3, -1, 2] }), none, x)], [...x], "reshape");
    });
  }

  test("softmax over the channels, also of large numbers", () => {
    for (const scale of [1, 30, 1e4]) {
      const x = fillValues(17, "uniform", 5).map((value) => scale * value);
      const definition = singleNode([17, 1, 1], { op: "softmax" });
      // A softmax at the end is left to `probabilities`; an identity behind it makes it a layer.
      const inner = {
        ...definition,
        nodes: [...definition.nodes, { name: "scale", inputs: ["node"], op: "leakyRelu" as const, slope: 1 }],
        output: "scale",
      };
      const expected = softmax(x, 17);
      const actual = run(inner, none, x);
      // exp of a difference x - max that itself rounded: relative error |x - max| u, plus exp, sum and division.
      const largest = Math.max(...x);
      const bounds = expected.map((y, i) => y * (Math.abs(x[i]! - largest) + 17 + 4) * unitRoundoff + 2 ** -126);
      assertWithin(actual, expected, bounds, `scale ${scale}`);
      assertClose([actual.reduce((a, b) => a + b, 0)], [1], 1e-6, "sum");
    }
  });
});
