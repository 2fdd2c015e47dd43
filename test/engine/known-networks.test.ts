import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { elementCount, type Shape } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { Network, tensor } from "../../engine/index.ts";
import { modelByName } from "../../engine/models/index.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// The architectures that come as data, against torchvision's own: test/reference/make-known-networks.py made the file.

const golden = JSON.parse(readFileSync(join(root, "test/golden/known-networks.json"), "utf8")) as {
  readonly architectures: Readonly<Record<string, { readonly tensors: number; readonly sha256: string }>>;
  readonly outputs: Readonly<Record<string, { readonly side: number; readonly values: readonly number[] }>>;
};

/** As `hashed` of the maker: numbers in [-1, 1) of an index and a name. */
function hashed(name: string, count: number, firstIndex = 0): Float32Array {
  let seed = 0;
  for (const byte of new TextEncoder().encode(name)) seed = (Math.imul(seed, 31) + byte) | 0;
  return Float32Array.from({ length: count }, (_, i) => {
    let x = (Math.imul(firstIndex + i, 0x9e3779b9) + seed) | 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x85ebca6b);
    x ^= x >>> 13;
    x = Math.imul(x, 0xc2b2ae35);
    x ^= x >>> 16;
    return (x >>> 0) / 2 ** 31 - 1;
  });
}

/** As `values` of the maker. */
function weights(name: string, shape: Shape): Float32Array {
  const u = hashed(name, elementCount(shape));
  if (shape.length > 1) {
    const limit = Math.fround(Math.sqrt(6 / elementCount(shape.slice(1))));
    return u.map((value) => value * limit);
  }
  if (name.endsWith("running_var")) return u.map((value) => 1 + Math.fround(value * 0.5));
  if (name.endsWith("running_mean") || name.endsWith("bias")) return u.map((value) => value * 0.125);
  return u.map((value) => 1 + Math.fround(value * 0.25));
}

/** The part that the maker ran: ten classes, or a VGG's features. */
function partOf(name: string, side: number): NetworkDefinition {
  const whole = { ...modelByName(name), inputShape: [3, side, side] };
  if (name.startsWith("vgg")) {
    const end = whole.nodes.findIndex((node) => node.name === "pool5") + 1;
    return { ...whole, nodes: whole.nodes.slice(0, end), output: "pool5" };
  }
  const nodes = whole.nodes.map((node) => (node.op === "dense" ? { ...node, outFeatures: 10 } : node));
  return { ...whole, nodes, output: "fc" };
}

suite("known networks", (test) => {
  for (const [name, { tensors, sha256 }] of Object.entries(golden.architectures)) {
    test(`${name} has torchvision's tensors by name and shape`, () => {
      const lines = networkParameters(modelByName(name))
        .map(({ name: tensorName, shape }) => `${tensorName} [${shape.join(",")}]\n`)
        .sort();
      assert.is(lines.length, tensors);
      assert.is(createHash("sha256").update(lines.join("")).digest("hex"), sha256);
    });
  }

  for (const [name, { side, values }] of Object.entries(golden.outputs)) {
    test(`${name} computes what PyTorch does`, () => {
      const definition = partOf(name, side);
      const network = new Network(testKernels(), definition);
      for (const { name: parameter, shape } of network.parameters) {
        network.setRows(parameter, 0, weights(parameter, shape));
      }
      const { data } = network.forward(tensor([3, side, side], hashed("input", 3 * side * side)));
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      assertClose(data, values, 1e-5 * largest, name);
    });
  }
});
