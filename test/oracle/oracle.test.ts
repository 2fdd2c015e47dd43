import * as assert from "uvu/assert";
import { conv2dCases, conv2dData } from "../cases/conv2d.ts";
import { lrnCases, lrnData } from "../cases/lrn.ts";
import { networkCases } from "../cases/networks.ts";
import { seededNetworkInput, seededNetworkParameters } from "../cases/parameters.ts";
import { averagePool2dCases, maxPool2dCases, pool2dData } from "../cases/pool2d.ts";
import { fillValues } from "../cases/values.ts";
import { assertClose } from "../support/close.ts";
import { suite } from "../support/suite.ts";
import { conv2d, conv2dInputGrad, conv2dMagnitude } from "./conv2d.ts";
import { dense, denseInputGrad } from "./dense.ts";
import { evaluate } from "./graph.ts";
import { lrn, lrnInputGrad } from "./lrn.ts";
import { averagePool2d, maxPool2d, maxPool2dRelevance, type Pool2dGeometry } from "./pool2d.ts";
import { windowCount } from "./sizes.ts";
import { total } from "./tensor64.ts";

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  total(Array.from({ length: a.length }, (_, i) => a[i]! * b[i]!));

// What the oracles themselves are checked by: identities they were not written from, and numbers worked out by hand.
suite("oracles", (test) => {
  test("window counts, by hand", () => {
    const axis = (size: number, kernel: number, stride: number, padBefore = 0, padAfter = 0, dilation = 1) => ({
      size,
      kernel,
      stride,
      padBefore,
      padAfter,
      dilation,
    });
    assert.is(windowCount(axis(55, 3, 2), false), 27);
    assert.is(windowCount(axis(14, 3, 2), false), 6);
    assert.is(windowCount(axis(14, 3, 2), true), 7);
    assert.is(windowCount(axis(224, 11, 4, 2, 2), false), 55);
    assert.is(windowCount(axis(9, 3, 1, 0, 0, 2), false), 5);
    // Rounded up there would be a third window at 6..7 of 5 values: it starts beyond the image and is dropped.
    assert.is(windowCount(axis(5, 2, 3), true), 2);
    assert.is(windowCount(axis(4, 1, 2), true), 2);
  });

  test("conv2d: one output by hand", () => {
    const g = {
      channels: 1,
      height: 2,
      width: 3,
      outChannels: 1,
      kernelShape: [2, 2],
      strides: [1, 2],
      pads: [0, 1, 0, 0],
      dilations: [1, 1],
      group: 1,
    } as const;
    // x = 1 2 3 / 4 5 6, padded left by a column of zeros: windows 0 1 0 4 and 2 3 5 6.
    assert.equal([...conv2d(g, [1, 2, 3, 4, 5, 6], [10, 20, 30, 40], [0.5])], [180.5, 470.5]);
    assert.equal([...conv2dMagnitude(g, [-1, 2, 3, -4, 5, 6], [10, -20, 30, 40], [-0.5])], [180.5, 470.5]);
  });

  test("conv2d: <conv(x), dy> = <x, inputGrad(dy)> for every case", () => {
    for (const [seed, c] of conv2dCases.entries()) {
      const { x, weight } = conv2dData(c, seed);
      const y = conv2d(c, x, weight);
      const dy = fillValues(y.length, "uniform", seed + 3);
      const left = dot(y, dy);
      const magnitude = dot(conv2dMagnitude(c, x, weight), dy.map(Math.abs));
      assertClose([dot(x, conv2dInputGrad(c, dy, weight))], [left], 1e-12 * magnitude, `${c.name}, seed ${seed}`);
    }
  });

  test("dense is the 1x1 convolution of a 1x1 image", () => {
    const x = fillValues(7, "uniform", 1);
    const weight = fillValues(21, "uniform", 2);
    const bias = fillValues(3, "uniform", 3);
    const g = {
      channels: 7,
      height: 1,
      width: 1,
      outChannels: 3,
      kernelShape: [1, 1],
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      dilations: [1, 1],
      group: 1,
    } as const;
    assertClose(dense(x, weight, bias, 3), conv2d(g, x, weight, bias), 1e-15, "forward");
    assertClose(denseInputGrad(bias, weight, 7), conv2dInputGrad(g, bias, weight), 1e-15, "input gradient");
  });

  test("max pooling: first of equals wins; each mode keeps the sum, but overwrite", () => {
    const g: Pool2dGeometry = {
      channels: 1,
      height: 1,
      width: 5,
      kernelShape: [1, 3],
      strides: [1, 2],
      pads: [0, 0, 0, 0],
      dilations: [1, 1],
      ceilMode: false,
    };
    const x = [1, 0, 3, 3, 2];
    assert.equal([...maxPool2d(g, x).winners], [2, 2]);
    assert.equal([...maxPool2dRelevance(g, x, [10, 1], "winner")], [0, 0, 11, 0, 0]);
    assert.equal([...maxPool2dRelevance(g, x, [10, 1], "overwrite")], [0, 0, 1, 0, 0]);
    assert.equal([...maxPool2dRelevance(g, x, [10, 1], "tiesShared")], [0, 0, 10.5, 0.5, 0]);
    assert.equal([...maxPool2dRelevance(g, x, [8, 8], "proportional", 0)], [2, 0, 9, 3, 2]);
  });

  test("max pooling keeps sums on every case", () => {
    for (const [seed, c] of maxPool2dCases.entries()) {
      const x = pool2dData(c, seed);
      const relevance = fillValues(maxPool2d(c, x).values.length, "uniform", seed + 1);
      for (const mode of ["winner", "tiesShared"] as const) {
        const back = maxPool2dRelevance(c, x, relevance, mode);
        assertClose([total(back)], [total(relevance)], 1e-9, `${c.name}, ${mode}, seed ${seed}`);
      }
    }
  });

  test("average pooling: counted pads by hand, and ones stay ones where pads are not counted", () => {
    const g: Pool2dGeometry = {
      channels: 1,
      height: 1,
      width: 5,
      kernelShape: [1, 3],
      strides: [1, 2],
      pads: [0, 1, 0, 0],
      dilations: [1, 1],
      ceilMode: true,
    };
    // Windows: pad 1 2 | 2 3 4 | 4 5 and a position beyond image and pads, which never counts.
    assert.equal([...averagePool2d(g, false, [1, 2, 3, 4, 5])], [1.5, 3, 4.5]);
    assert.equal([...averagePool2d(g, true, [1, 2, 3, 4, 5])], [1, 3, 4.5]);
    for (const c of averagePool2dCases.filter((each) => !each.countIncludePad)) {
      const ones = new Float64Array(c.channels * c.height * c.width).fill(1);
      for (const value of averagePool2d(c, false, ones)) assertClose([value], [1], 1e-14, c.name);
    }
  });

  test("lrn: the input gradient is the limit of difference quotients", () => {
    for (const [seed, c] of lrnCases.entries()) {
      if (c.fill === "denormal") continue; // no step size fits
      const x = Float64Array.from(lrnData(c, seed));
      const dy = fillValues(x.length, "uniform", seed + 1);
      const gradient = lrnInputGrad(c, x, dy);
      const step = 1e-4 * c.scale;
      for (let i = 0; i < x.length; i += 5) {
        const moved = (by: number): number =>
          dot(
            lrn(
              c,
              x.map((value, k) => (k === i ? value + by : value)),
            ),
            dy,
          );
        const quotient = (moved(step) - moved(-step)) / (2 * step);
        assertClose([gradient[i]!], [quotient], 1e-5, `${c.name}, element ${i}, seed ${seed}`);
      }
    }
  });

  test("every network case evaluates to finite values", () => {
    for (const { definition } of networkCases) {
      const activations = evaluate(
        definition,
        seededNetworkParameters(definition, 1),
        seededNetworkInput(definition, 1),
      );
      for (const [name, { data }] of activations) {
        assert.ok(data.every(Number.isFinite), `${definition.name}: ${name}`);
      }
    }
  });
});
