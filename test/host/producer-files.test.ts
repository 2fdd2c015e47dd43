import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { bytesSource, importTfjs } from "../../weights-loader/index.ts";
import { rejection } from "../support/fixtures.ts";
import { type ProducerFile, producerDifference, producerTolerance } from "../support/producer-files.ts";
import { suite } from "../support/suite.ts";

// Made by test/reference/make-producer-files.py, which makes more than two hundred: these are small and each has something of its own.
const folder = fileURLToPath(new URL("../../../test/fixtures/producers/", import.meta.url));
const cases: readonly ProducerFile[] = JSON.parse(readFileSync(`${folder}cases.json`, "utf8"));

/** A graph model of one node behind the photo. */
function graphOf(node: object, more: object = {}): Uint8Array {
  const sizes = ["-1", "8", "8", "3"].map((size) => ({ size }));
  const photo = { name: "x", op: "Placeholder", attr: { shape: { shape: { dim: sizes } } } };
  const model = { format: "graph-model", modelTopology: { node: [photo, node] }, weightsManifest: [], ...more };
  return new TextEncoder().encode(JSON.stringify(model));
}

const refused = (node: object, more?: object): Promise<string> =>
  rejection(importTfjs(bytesSource(graphOf(node, more)), { name: "net" }));

suite("files of other producers", (test) => {
  for (const made of cases) {
    test(`${made.name}: what its producer computes`, async () => {
      const difference = await producerDifference(folder, made);
      assert.ok(difference <= (made.tolerance ?? producerTolerance), `off by ${difference}`);
    });
  }

  test("operators of a graph model that do not exist here are listed", async () => {
    assert.is(
      await refused({ name: "y", op: "Cumsum", input: ["x"] }),
      'UnsupportedError: weights "net": 1 of 2 nodes are not supported:\n  "y" (Cumsum): no such layer.',
    );
    assert.is(
      await refused({ name: "y", op: "BatchToSpaceND", input: ["x"] }),
      'UnsupportedError: weights "net": 1 of 2 nodes are not supported:\n  "y" (BatchToSpaceND): "" must be constant.',
    );
  });

  test("functions of Keras that are not read, and readers of a log_softmax, are refused by name", async () => {
    const layers = [
      { class_name: "InputLayer", config: { name: "x", batch_input_shape: [null, 4] } },
      { class_name: "Activation", config: { name: "scores", activation: "log_softmax" } },
      { class_name: "Activation", config: { name: "behind", activation: "relu" } },
    ];
    const chained = (list: readonly object[]): Promise<string> => {
      const modelTopology = { class_name: "Sequential", config: { name: "net", layers: list } };
      const model = { format: "layers-model", modelTopology, weightsManifest: [] };
      return rejection(importTfjs(bytesSource(new TextEncoder().encode(JSON.stringify(model))), { name: "net" }));
    };
    assert.is(
      await chained(layers),
      'UnsupportedError: weights "net": 1 of 3 layers are not supported:\n  "behind" (Activation): it reads a logarithm of softmax, which is supported at the end of a network alone.',
    );
    const photo = { class_name: "InputLayer", config: { name: "x", batch_input_shape: [null, 8, 8, 3] } };
    assert.is(
      await chained([photo, { class_name: "Mean", config: { name: "mean", axis: -1 } }]),
      'UnsupportedError: weights "net": 1 of 2 layers are not supported:\n  "mean" (Mean): axis -1; all axes of the image, and no other, are supported.',
    );
    assert.is(
      await chained([photo, { class_name: "Sin", config: { name: "sin" } }]),
      'UnsupportedError: weights "net": 1 of 2 layers are not supported:\n  "sin" (Sin): no such layer.',
    );
  });

  test("a graph model that reads what nothing writes, or itself, is damaged", async () => {
    assert.is(
      await refused({ name: "y", op: "Relu", input: ["z"] }),
      'FormatError: weights "net": the graph reads "z", which nothing writes.',
    );
    assert.is(
      await refused({ name: "y", op: "Relu", input: ["y"] }, { signature: { outputs: { y: { name: "y:0" } } } }),
      'FormatError: weights "net": node "y" depends on itself.',
    );
    assert.is(
      await refused({ name: "y", op: "BiasAdd", input: ["x", "b"] }),
      'FormatError: weights "net": the graph reads "b", which nothing writes.',
    );
    assert.is(
      await refused({ op: "Relu", input: ["x"] }),
      'FormatError: weights "net": a node of the graph needs "name", "op" and "input".',
    );
  });
});
