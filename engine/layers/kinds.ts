import type { Op } from "../graph/definition.ts";
import { activation } from "./activation.ts";
import { add } from "./add.ts";
import { averagePool2d } from "./average-pool2d.ts";
import { batchNorm } from "./batch-norm.ts";
import { clip } from "./clip.ts";
import { concat } from "./concat.ts";
import { conv2d } from "./conv2d.ts";
import { dense } from "./dense.ts";
import { extremum } from "./extremum.ts";
import { flatten } from "./flatten.ts";
import { globalAveragePool2d, globalMaxPool2d } from "./global-pool2d.ts";
import { permute, take } from "./index-map.ts";
import { type Alias, alias, type LayerKind } from "./layer-kind.ts";
import { leakyRelu } from "./leaky-relu.ts";
import { lrn } from "./lrn.ts";
import { maxPool2d } from "./max-pool2d.ts";
import { multiply } from "./multiply.ts";
import { normalise } from "./normalise.ts";
import { prelu } from "./prelu.ts";
import { relu } from "./relu.ts";
import { resample2d } from "./resample2d.ts";
import { reshape } from "./reshape.ts";
import { softmax } from "./softmax.ts";

/** Every op. */
export const kinds: { readonly [O in Op]: LayerKind<O> | Alias } = {
  activation,
  add,
  averagePool2d,
  batchNorm,
  clip,
  concat,
  conv2d,
  dense,
  dropout: alias,
  extremum,
  flatten,
  globalAveragePool2d,
  globalMaxPool2d,
  identity: alias,
  leakyRelu,
  lrn,
  maxPool2d,
  multiply,
  normalise,
  permute,
  prelu,
  relu,
  resample2d,
  reshape,
  softmax,
  take,
};
