import { ShapeError } from "../basics/errors.ts";
import { formatShape, type Shape, sameShape } from "../basics/tensor.ts";
import type { Activation } from "../memory/feature-map.ts";
import type { Construction, LayerRuntime, OpKind, RelevancePass } from "./layer-kind.ts";
import { bookTheRest, nothingLost } from "./ledger.ts";

/** The only input's shape, unchanged. */
function sameAsInput(where: string, inputs: readonly Shape[]): Shape {
  const [input] = inputs;
  if (input === undefined || inputs.length !== 1)
    throw new ShapeError(`${where}: needs one input, got ${inputs.length}.`);
  return input;
}

/** A backward pass that reads relevance r and the layer's input x and writes dx, row by row. */
type Backward = (dx: Activation, r: Activation, x: Activation, positiveOnly: 0 | 1, usesDerivative: boolean) => void;

/** The relevance pass of an activation function. */
function activationRelevance(
  { kernels, inputs, output: y }: Construction,
  backward: Backward,
): LayerRuntime["prepareRelevance"] {
  return ({ relevance: r, inputRelevance: [dx], rules }): RelevancePass => ({
    scratchBytes: [],
    run() {
      const x = inputs[0];
      if (dx === undefined || x === undefined) return nothingLost;
      if (rules.activation === "pass") {
        const count = y.height * y.width * y.channels;
        kernels.split("copyChannels", 1, dx.address, 0, count, r.address, 0, count, 1, count);
        return nothingLost;
      }
      backward(dx, r, x, rules.activation === "gradient" ? 0 : 1, rules.activation !== "deconvnet");
      return bookTheRest;
    },
  });
}

/** A layer that clamps its input. */
function buildClamp(construction: Construction, low: number, high: number): LayerRuntime {
  const { kernels, inputs, output: y } = construction;
  const { split } = kernels;
  const x = inputs[0];
  const length = y.width * y.channels;
  return {
    forward() {
      if (x === undefined) return;
      split("clamp", y.height, y.address, y.rowStride, x.address, x.rowStride, length, low, high);
    },
    ruleName: (rules) => rules.activation,
    prepareRelevance: activationRelevance(construction, (dx, r, input, positiveOnly, usesDerivative) => {
      const gate = usesDerivative ? input.address : 0;
      // biome-ignore format: one group of arguments a line
      split("rectify", y.height,dx.address, dx.rowStride, r.address, r.rowStride, gate, input.rowStride, length, low, high, positiveOnly);
    }),
  };
}

/** max(x, 0); where it follows a convolution or dense layer that layer applies it. */
export const relu: OpKind<"relu"> = {
  sign: "nonNegative",
  outputShape: (node, inputs) => sameAsInput(`relu "${node.name}"`, inputs),
  build: (construction) => buildClamp(construction, 0, Number.POSITIVE_INFINITY),
};

/** min(max(x, low), high); as in ONNX, high wins where low exceeds it. */
export const clip: OpKind<"clip"> = {
  sign: "keeps",
  outputShape: (node, inputs) => sameAsInput(`clip "${node.name}"`, inputs),
  build: (construction, node) => buildClamp(construction, node.low, node.high),
};

/** x where x >= 0, slope * x elsewhere. */
export const leakyRelu: OpKind<"leakyRelu"> = {
  sign: "keeps",
  outputShape: (node, inputs) => sameAsInput(`leakyRelu "${node.name}"`, inputs),
  build(construction, node) {
    const { kernels, inputs, output: y } = construction;
    const { split } = kernels;
    const x = inputs[0];
    const length = y.width * y.channels;
    return {
      forward() {
        if (x === undefined) return;
        split("leakyRelu", y.height, y.address, y.rowStride, x.address, x.rowStride, length, node.slope);
      },
      ruleName: (rules) => rules.activation,
      prepareRelevance: activationRelevance(construction, (dx, r, input, positiveOnly, usesDerivative) => {
        const slope = usesDerivative ? node.slope : 1;
        // biome-ignore format: one group of arguments a line
        split("leakyReluGrad", y.height,dx.address, dx.rowStride, r.address, r.rowStride, input.address, input.rowStride, length, slope, positiveOnly);
      }),
    };
  },
};

/** Sum of inputs of one shape. */
export const add: OpKind<"add"> = {
  sign: "keeps",
  outputShape(node, inputs) {
    const [first] = inputs;
    if (first === undefined || inputs.length < 2) {
      throw new ShapeError(`add "${node.name}": needs at least two inputs, got ${inputs.length}.`);
    }
    const other = inputs.find((shape) => !sameShape(shape, first));
    if (other) {
      throw new ShapeError(
        `add "${node.name}": inputs must have one shape, got ${formatShape(first)} and ${formatShape(other)}. Broadcasting is not supported.`,
      );
    }
    return first;
  },
  build({ kernels, inputs, output: y }) {
    const { split, arena } = kernels;
    const length = y.width * y.channels;
    return {
      forward() {
        const [first, ...rest] = inputs;
        if (first === undefined) return;
        let left = first;
        for (const right of rest) {
          // biome-ignore format: one group of arguments a line
          split("add", y.height,y.address, y.rowStride, left.address, left.rowStride, right.address, right.rowStride, length);
          left = y;
        }
      },
      ruleName: (rules) => rules.sum,
      prepareRelevance({ relevance: r, inputRelevance, rules }) {
        if (rules.sum === "gradient") {
          return {
            scratchBytes: [],
            run() {
              for (const dx of inputRelevance) {
                split(
                  "copyChannels",
                  y.height,
                  dx.address,
                  dx.rowStride,
                  dx.pixelStride,
                  r.address,
                  r.rowStride,
                  r.pixelStride,
                  y.width,
                  y.channels,
                );
              }
              return bookTheRest;
            },
          };
        }
        return {
          scratchBytes: [4 * r.height * r.rowStride, 24 * r.height],
          run([s = 0, ledger = 0]) {
            // biome-ignore format: one group of arguments a line
            split("ratio", y.height,s, r.rowStride, r.address, r.rowStride, y.address, y.rowStride, 0, 0, 0, ledger,
              length, y.channels, 1, rules.normStabilizer, 1, 0);
            inputRelevance.forEach((dx, k) => {
              const x = inputs[k];
              if (x === undefined) return;
              // biome-ignore format: one group of arguments a line
              split("multiply", y.height,dx.address, dx.rowStride, x.address, x.rowStride, s, r.rowStride, 0, length, 1, 0);
            });
            const shares = arena.f64(ledger, 3 * y.height);
            let stabilizer = 0;
            let dropped = 0;
            for (let row = 0; row < y.height; row++) {
              stabilizer += shares[3 * row + 1]!;
              dropped += shares[3 * row + 2]!;
            }
            return { bias: 0, stabilizer, dropped };
          },
        };
      },
    };
  },
};
