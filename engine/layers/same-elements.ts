import { mustHave } from "../basics/must-have.ts";
import {
  type Construction,
  type InputVanishing,
  type LayerRuntime,
  type NoParameters,
  noParameters,
} from "./layer-kind.ts";
import { nothingLost } from "./ledger.ts";
import type { OutputSign } from "./output-sign.ts";

/** Changes the shape and keeps the order C, H, W of the elements. */
function buildReshape({ kernels, inputs, output: y }: Construction): LayerRuntime {
  const { split, arena } = kernels;
  const x = mustHave(inputs[0], "input");
  const flat = arena.allocate(4 * x.channels * x.height * x.width);
  return {
    forward() {
      split("toChannelFirst", x.channels, flat, x.address, x.rowStride, x.pixelStride, x.height, x.width);
      split("fromChannelFirst", y.channels, y.address, y.rowStride, y.pixelStride, flat, y.height, y.width);
    },
    ruleName: () => "pass",
    prepareRelevance({ relevance: r, inputRelevance }) {
      const dx = mustHave(inputRelevance[0], "relevance of the input");
      return {
        scratchBytes: [],
        run() {
          split("toChannelFirst", r.channels, flat, r.address, r.rowStride, r.pixelStride, r.height, r.width);
          split("fromChannelFirst", dx.channels, dx.address, dx.rowStride, dx.pixelStride, flat, dx.height, dx.width);
          return nothingLost;
        },
      };
    },
  };
}

type SameElements = NoParameters & {
  readonly arity: "one";
  absorbedAs(): undefined;
  endsInProbabilities(): undefined;
  sign(): OutputSign;
  inputVanishing(): InputVanishing;
  build(construction: Construction): LayerRuntime;
};

/** What flatten and reshape have in common. */
export const sameElements: SameElements = {
  ...noParameters,
  arity: "one",
  absorbedAs: () => undefined,
  endsInProbabilities: () => undefined,
  sign: () => "keeps",
  inputVanishing: () => "withOutput",
  build: buildReshape,
};
