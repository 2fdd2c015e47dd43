import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import type { NodeDefinition } from "../../engine/graph/definition.ts";
import { modelByName } from "../../engine/models/index.ts";
import { sha256File } from "../../host/files/sha256.ts";
import * as alexnetMini from "../../host/models/alexnet-mini.ts";
import { bundledModels, bundledWeights, defaultModel } from "../../host/models/bundled.ts";
import * as squeezenet from "../../host/models/squeezenet1_1-caffe.ts";
import * as vggMini from "../../host/models/vgg-mini.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

/** models/<name>.json, written by models/train.py from the network that it trained. */
interface TrainedDescription {
  readonly layers: readonly Readonly<Record<string, unknown>>[];
  readonly classes: readonly { readonly index: number; readonly name: string }[];
}

/** A layer without what only one side writes down: names, input sizes, attributes at their defaults. */
function essence(layer: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { name: _, inputs, outputShape, inChannels, inFeatures, order, ...rest } = layer;
  const isDefault = (value: unknown, key: string): boolean =>
    value === false ||
    (key === "group" && value === 1) ||
    (Array.isArray(value) && value.every((n) => n === 0)) ||
    (key === "dilations" && JSON.stringify(value) === "[1,1]");
  return Object.fromEntries(
    Object.entries(rest)
      .filter(([key, value]) => !isDefault(value, key))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

suite("host/bundled-models", (test) => {
  test("every model's file is the one its accuracy was measured with, small, and loads without a path", async () => {
    const models = bundledModels();
    assert.ok(models.some(({ name }) => name === defaultModel));
    for (const { name, weights, sha256 } of models) {
      assert.is(await sha256File(weights), sha256, name);
      assert.ok(statSync(weights).size <= 4e6, `${name} is larger than 4 MB`);
      assert.is((await loadNetwork(name)).definition.name, name);
    }
    assert.is((await loadNetwork(undefined)).definition.name, defaultModel);
  });

  test("the definitions are the networks that were trained", () => {
    for (const name of ["alexnet-mini", "vgg-mini"]) {
      const trained = JSON.parse(readFileSync(join(root, "models", `${name}.json`), "utf8")) as TrainedDescription;
      const { nodes, labels } = modelByName(name);
      const counted = nodes.filter(({ op }: NodeDefinition) => op !== "dropout" && op !== "softmax");
      assert.equal(
        counted.map((node) => essence({ ...node })),
        trained.layers.map(essence),
        name,
      );
      assert.equal(
        labels,
        trained.classes.map((entry) => entry.name),
      );
    }
  });

  test("each is a module for bundlers: definition and address of the weights, without Node and the other networks", () => {
    const modules = { "squeezenet1_1-caffe": squeezenet, "alexnet-mini": alexnetMini, "vgg-mini": vggMini };
    assert.equal(
      Object.keys(modules).sort(),
      bundledModels()
        .map(({ name }) => name)
        .sort(),
    );
    for (const [name, { definition, weights }] of Object.entries(modules)) {
      assert.equal(definition(), modelByName(name));
      assert.is(fileURLToPath(weights()), bundledWeights(name));
      const bundle = execFileSync(
        join(root, "node_modules/.bin/esbuild"),
        ["--bundle", "--format=esm", "--platform=browser", "--log-level=error"],
        { cwd: root, input: `export * from "srmap/models/${name}";`, encoding: "utf8" },
      );
      assert.not.match(bundle, /node:|vgg16/, name);
      assert.ok(bundle.includes(`models/${name}.safetensors", import.meta.url)`), name);
    }
  });

  test("a network whose weights are not in the package asks for a file", async () => {
    const error = await loadNetwork("vgg16").then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.instance(error, RangeError);
    assert.match(
      String(error),
      /^RangeError: model "vgg16": its weights do not come with the package\. Give a weight file/,
    );
  });
});
