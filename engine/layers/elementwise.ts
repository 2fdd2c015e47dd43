import { ShapeError } from "../basics/errors.ts";
import { mustHave } from "../basics/must-have.ts";
import { formatShape, type Shape, sameShape } from "../basics/tensor.ts";
import { copyValues } from "../memory/copy.ts";
import type { FeatureMap } from "../memory/feature-map.ts";
import { imageArgs, named, rowArgs } from "../memory/named.ts";
import { Scratch } from "../memory/pass-scratch.ts";
import { sumVanishing } from "./average-pool2d.ts";
import { type Clamp, clampSign, keepsZero } from "./clamp.ts";
import {
  type Construction,
  type LayerKind,
  type LayerRuntime,
  type NoParameters,
  noParameters,
  type RelevancePass,
} from "./layer-kind.ts";
import { addShares, bookTheRest, nothingLost, shareBytes } from "./ledger.ts";

/** A backward pass that reads relevance r and the layer's input x and writes dx, row by row. */
type Backward = (dx: FeatureMap, r: FeatureMap, x: FeatureMap, positiveOnly: 0 | 1, usesDerivative: boolean) => void;

/** The relevance pass of an activation function. */
export function activationRelevance(
  { kernels, inputs, output: y }: Construction,
  backward: Backward,
): LayerRuntime["prepareRelevance"] {
  const x = mustHave(inputs[0], "input");
  return ({ relevance: r, inputRelevance, rules }): RelevancePass => {
    const dx = mustHave(inputRelevance[0], "relevance of the input");
    return {
      scratchBytes: [],
      run() {
        if (rules.activation === "pass") {
          const count = y.height * y.width * y.channels;
          copyValues(kernels, dx.address, r.address, count);
          return nothingLost;
        }
        backward(dx, r, x, rules.activation === "gradient" ? 0 : 1, rules.activation !== "deconvnet");
        return bookTheRest;
      },
    };
  };
}

/** A layer that clamps its input. */
function buildClamp(construction: Construction, { low, high }: Clamp): LayerRuntime {
  const { kernels, inputs, output: y } = construction;
  const { split } = kernels;
  const x = mustHave(inputs[0], "input");
  const length = y.width * y.channels;
  return {
    forward() {
      split("clamp", y.height, y.address, y.rowStride, x.address, x.rowStride, length, low, high);
    },
    ruleName: (rules) => rules.activation,
    prepareRelevance: activationRelevance(construction, (dx, r, input, positiveOnly, usesDerivative) => {
      const gate = usesDerivative ? input.address : 0;
      split(
        "rectify",
        y.height,
        ...named("rectify", rowArgs("out", dx), rowArgs("x", r), {
          gate,
          gateRow: input.rowStride,
          length,
          low,
          high,
          positiveOnly,
        }),
      );
    }),
  };
}

interface FunctionOfOne extends NoParameters {
  readonly arity: "one";
  endsInProbabilities(): undefined;
  outputShape(node: unknown, inputs: readonly Shape[]): Shape;
}

/** What functions of one value have in common. */
export const elementwise: FunctionOfOne = {
  ...noParameters,
  arity: "one",
  endsInProbabilities: () => undefined,
  outputShape: (_node: unknown, inputs: readonly Shape[]) => mustHave(inputs[0], "input"),
};

const rectifier = { low: 0, high: Number.POSITIVE_INFINITY };

/** max(x, 0); where it follows a convolution or dense layer that layer applies it. */
export const relu: LayerKind<"relu"> = {
  ...elementwise,
  absorbedAs: () => ({ what: "clamp", ...rectifier }),
  sign: () => "nonNegative",
  inputVanishing: () => "withOutput",
  build: (construction) => buildClamp(construction, rectifier),
};

/** min(max(x, low), high); as in ONNX, high wins where low exceeds it. */
export const clip: LayerKind<"clip"> = {
  ...elementwise,
  outputShape(node, inputs) {
    if (Number.isNaN(node.low) || Number.isNaN(node.high)) {
      throw new ShapeError(`clip "${node.name}": needs numbers low and high, got ${node.low} and ${node.high}.`);
    }
    return mustHave(inputs[0], "input");
  },
  absorbedAs: ({ low, high }) => ({ what: "clamp", low, high }),
  sign: clampSign,
  // Where 0 becomes another value, that value's relevance is the input's.
  inputVanishing: (node) => (keepsZero(node) ? "withOutput" : "never"),
  build: (construction, node) => buildClamp(construction, node),
};

/** x where x >= 0, slope * x elsewhere. */
export const leakyRelu: LayerKind<"leakyRelu"> = {
  ...elementwise,
  outputShape(node, inputs) {
    if (!Number.isFinite(node.slope)) {
      throw new ShapeError(`leakyRelu "${node.name}": needs a finite slope, got ${node.slope}.`);
    }
    return mustHave(inputs[0], "input");
  },
  absorbedAs: () => undefined,
  sign: ({ slope }) => (slope <= 0 ? "nonNegative" : "keeps"),
  inputVanishing: () => "withOutput",
  build(construction, node) {
    const { kernels, inputs, output: y } = construction;
    const { split } = kernels;
    const x = mustHave(inputs[0], "input");
    const length = y.width * y.channels;
    return {
      forward() {
        split("leakyRelu", y.height, y.address, y.rowStride, x.address, x.rowStride, length, node.slope);
      },
      ruleName: (rules) => rules.activation,
      prepareRelevance: activationRelevance(construction, (dx, r, input, positiveOnly, usesDerivative) => {
        const slope = usesDerivative ? node.slope : 1;
        split(
          "leakyReluGrad",
          y.height,
          ...named("leakyReluGrad", rowArgs("out", dx), rowArgs("x", r), rowArgs("gate", input), {
            length,
            slope,
            positiveOnly,
          }),
        );
      }),
    };
  },
};

/** Sum of inputs of one shape. */
export const add: LayerKind<"add"> = {
  ...noParameters,
  arity: "twoOrMore",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: () => "keeps",
  inputVanishing: (node, rules) => (node.signal === undefined ? sumVanishing(node, rules) : "never"),
  outputShape(node, inputs) {
    const first = mustHave(inputs[0], "input");
    const { signal = 0 } = node;
    if (!Number.isSafeInteger(signal) || signal < 0 || signal >= inputs.length)
      throw new ShapeError(`add "${node.name}": signal must be one of its ${inputs.length} inputs, got ${signal}.`);
    const other = inputs.find((shape) => !sameShape(shape, first));
    if (other) {
      throw new ShapeError(
        `add "${node.name}": inputs must have one shape, got ${formatShape(first)} and ${formatShape(other)}. Broadcasting is not supported.`,
      );
    }
    return first;
  },
  build({ kernels, inputs, output: y }, { signal }) {
    const { split, arena } = kernels;
    const length = y.width * y.channels;
    return {
      forward() {
        const [first, ...rest] = inputs;
        let left = mustHave(first, "input");
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
                  ...named("copyChannels", imageArgs("out", dx), imageArgs("x", r), {
                    width: y.width,
                    channels: y.channels,
                  }),
                );
              }
              return bookTheRest;
            },
          };
        }
        if (signal !== undefined) {
          return {
            scratchBytes: [],
            run() {
              inputRelevance.forEach((dx, k) => {
                if (k !== signal) split("fill", dx.height * dx.rowStride, dx.address, 0);
                else
                  split(
                    "copyChannels",
                    y.height,
                    ...named("copyChannels", imageArgs("out", dx), imageArgs("x", r), {
                      width: y.width,
                      channels: y.channels,
                    }),
                  );
              });
              return nothingLost;
            },
          };
        }
        const scratch = new Scratch();
        const [ratios, shares] = [scratch.reserve(4 * r.height * r.rowStride), scratch.reserve(shareBytes(y.height))];
        return {
          scratchBytes: scratch.bytes,
          run(addresses) {
            const [s, ledger] = [ratios(addresses), shares(addresses)];
            split(
              "ratio",
              y.height,
              ...named("ratio", rowArgs("r", r), rowArgs("z", y), {
                s,
                sRow: r.rowStride,
                g: 0,
                gRow: 0,
                bias: 0,
                ledger,
                length,
                channels: y.channels,
                coefficient: 1,
                stabilizer: rules.normStabilizer,
                signedStabilizer: 1,
                gateSign: 0,
              }),
            );
            inputRelevance.forEach((dx, k) => {
              const x = mustHave(inputs[k], "input");
              split(
                "multiply",
                y.height,
                ...named("multiply", rowArgs("out", dx), rowArgs("x", x), {
                  c: s,
                  cRow: r.rowStride,
                  sums: 0,
                  length,
                  factor: 1,
                  accumulate: 0,
                }),
              );
            });
            return addShares({ bias: 0, stabilizer: 0, dropped: 0 }, arena, ledger, y.height);
          },
        };
      },
    };
  },
};
