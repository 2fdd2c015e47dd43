import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { NodeDefinition } from "../../engine/graph/definition.ts";
import { modelByName } from "../../engine/models/index.ts";
import { sha256File } from "../../host/files/sha256.ts";
import { bundledModels, defaultModel } from "../../host/models/bundled.ts";
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
