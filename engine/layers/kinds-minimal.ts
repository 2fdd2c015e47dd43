// The table of layer kinds for srmap/browser/minimal: what AlexNets without LRN, VGGs, SqueezeNets and ResNets are made of. The bundle's
// build puts it in the place of kinds.ts.

import type { Op } from "../graph/definition.ts";
import { add } from "./add.ts";
import { batchNorm } from "./batch-norm.ts";
import { concat } from "./concat.ts";
import { conv2d } from "./conv2d.ts";
import { dense } from "./dense.ts";
import { flatten } from "./flatten.ts";
import { globalAveragePool2d } from "./global-pool2d.ts";
import { type Alias, alias, type LayerKind } from "./layer-kind.ts";
import { maxPool2d } from "./max-pool2d.ts";
import { relu } from "./relu.ts";
import { softmax } from "./softmax.ts";

/** The ops of this build. */
export const kinds: { readonly [O in Op]?: LayerKind<O> | Alias } = {
  add,
  batchNorm,
  concat,
  conv2d,
  dense,
  dropout: alias,
  flatten,
  globalAveragePool2d,
  identity: alias,
  maxPool2d,
  relu,
  softmax,
};
